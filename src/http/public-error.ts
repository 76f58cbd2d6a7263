// Errors as callers may see them: with a stable code, or without any detail.

import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { refusalOf } from '../database/failures.ts';
import { cutText } from '../events/text.ts';
import type { Logger } from '../logger.ts';

/** `hide` takes out what a library repeats of what was sent. Where it says so, `extensions.http.status` is the status of the
 * whole answer; it is not published. */
export const publicError = (
  error: unknown,
  logger: Logger,
  hide: (text: string) => string,
): GraphQLError => {
  const cause = causeOf(error);
  const place = error instanceof GraphQLError ? { nodes: error.nodes, path: error.path } : {};
  // Of the document or its variables, before anything ran: `spec` is yoga's word for 200 where application/json is accepted.
  const spec = error instanceof GraphQLError && error.path === undefined;
  const [where, what] = placeIn(error instanceof GraphQLError ? error.message : '');
  const refusal = refusalOf(cause);
  if (refusal) {
    // An error of one field leaves the others their answer, so the status is that of the request alone.
    const whole = place.path === undefined || refusal.code === 'UNAUTHENTICATED';
    const { code, status, retryAfterMs } = refusal;
    return new GraphQLError(where + refusal.message, {
      ...place,
      extensions: { code, retryAfterMs, ...(whole ? { http: { status, spec } } : {}) },
    });
  }
  // A compiled document has no extensions in its errors, which are of answers that do not fit the schema: our faults.
  if (error instanceof GraphQLError && error.extensions && !(cause instanceof Error)) {
    // Whatever a library calls it: the codes are ours, and how its error came about stays here.
    const { http = spec && { status: 400, spec }, code } = error.extensions;
    return new GraphQLError(
      where + (code === 'OPERATION_RESOLUTION_FAILURE' ? NOT_CLEAR : hide(what)),
      {
        ...place,
        extensions: { code: 'BAD_USER_INPUT', ...(http ? { http } : {}) },
      },
    );
  }
  // Before anything ran only what was sent can be too deep for the stack.
  if (cause instanceof RangeError && place.path === undefined)
    return new GraphQLError('What was sent is nested too deeply.', {
      extensions: { code: 'BAD_USER_INPUT', http: { status: 400, spec } },
    });
  const { message, ...fault } = faultOf(cause ?? error, logger);
  return new GraphQLError(message, { ...place, extensions: { ...fault, http: { status: 500 } } });
};

/** Where a document has several operations. */
export const NOT_CLEAR =
  'Which operation of the document to execute is not clear; say so in `operationName`.';

/** An error as it is published, without the status that it asks for; for what could not be run only yoga has one. */
export const published = (error: GraphQLError) => {
  const { extensions = {}, ...told } = error.toJSON();
  const { http, ...others } = extensions as { http?: { status: number; spec?: boolean } };
  return { status: http && !http.spec ? http.status : 0, told: { ...told, extensions: others } };
};

/** What callers hear of a fault of ours: nothing but the id under which our log has the rest. */
export const faultOf = (error: unknown, logger: Logger) => {
  const requestId = randomUUID();
  logger.error({ err: error, requestId }, 'Unexpected error');
  return {
    code: 'INTERNAL_SERVER_ERROR',
    message: 'Something went wrong on our side; tell an administrator the request id.',
    requestId,
  };
};

/** Where in the variables a mistake is, such as "`input[3].timestamp`: ", which graphql-js says first, and what it is. */
const placeIn = (message: string): readonly [where: string, what: string] => {
  const [said, name, path = ''] = inVariables.exec(message) ?? [];
  if (said === undefined) return ['', message];
  return [placed(name + path), message.slice(said.length)];
};
const inVariables = /^Variable "\$(\w+)" has invalid value(?: at ([\w.[\]]+))?: /;

/** A place in what was sent, before what is wrong there. */
export const placed = (place: string): string => `\`${cutText(place, LONGEST_PLACE)}\`: `;
/** Filters may be thousands deep in filters. */
const LONGEST_PLACE = 200; // characters

/** What an error of GraphQL came from; undefined where that is GraphQL. */
export const causeOf = (error: unknown): unknown => {
  let cause = error;
  while (cause instanceof GraphQLError && (cause.originalError ?? cause.cause))
    cause = cause.originalError ?? cause.cause;
  return cause instanceof GraphQLError ? undefined : cause;
};
