// Answers outside GraphQL, errors among them: the same codes and words.

import type { ServerResponse } from 'node:http';
import { refusalOf } from '../database/failures.ts';
import type { Logger } from '../logger.ts';
import { faultOf } from './public-error.ts';

export const respond = (response: ServerResponse, status: number, body: unknown): void => {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body));
};

/** After how long it is to be tried again; undefined where that would not help. */
export const retryAfterMsOf = (error: unknown): number | undefined =>
  refusalOf(error)?.retryAfterMs;

/** For clients that know the header only. */
export const setRetryAfter = (response: ServerResponse, error: unknown): void => {
  const retryAfterMs = retryAfterMsOf(error);
  if (retryAfterMs !== undefined) response.setHeader('Retry-After', Math.ceil(retryAfterMs / 1000));
};

/** `inWords` says a message in the words of its door. */
export const respondError = (
  response: ServerResponse,
  error: unknown,
  logger: Logger,
  inWords = (message: string): string => message,
): void => {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const refusal = refusalOf(error);
  if (refusal) {
    const { code, status, retryAfterMs } = refusal;
    setRetryAfter(response, refusal);
    if (status === 413) response.setHeader('Connection', 'close'); // the rest of the body is not read
    respond(response, status, {
      error: { code, message: inWords(refusal.message), retryAfterMs },
    });
    return;
  }
  respond(response, 500, { error: faultOf(error, logger) });
};
