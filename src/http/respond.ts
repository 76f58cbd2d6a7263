// Answers outside GraphQL, errors among them: the same codes and words.

import type { ServerResponse } from 'node:http';
import { refusalOf } from '../database/failures.ts';
import { errorCodes } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { faultOf } from './mask.ts';

export const respond = (response: ServerResponse, status: number, body: unknown): void => {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
};

export const respondError = (response: ServerResponse, error: unknown, logger: Logger): void => {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const refusal = refusalOf(error);
  if (refusal) {
    const { status = errorCodes[refusal.code].status, ...details } = refusal.details as {
      status?: number;
      retryAfterMs?: number;
    };
    if (details.retryAfterMs !== undefined)
      response.setHeader('Retry-After', Math.ceil(details.retryAfterMs / 1000));
    if (status === 413) response.setHeader('Connection', 'close'); // the rest of the body is not read
    respond(response, status, {
      error: { code: refusal.code, message: refusal.message, ...details },
    });
    return;
  }
  respond(response, 500, { error: faultOf(error, logger) });
};
