// GraphQL over HTTP and server-sent events, by yoga. What is ours: who is asking, JSON bodies only, and errors that carry
// a stable code or no detail at all.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { GraphQLError } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Viewer } from '../access/viewer.ts';
import { JejakError, errorCodes } from '../errors.ts';
import type { Context } from '../graphql/builder.ts';
import { schema } from '../graphql/schema.ts';
import type { Logger } from '../logger.ts';

export type Parts = Omit<Context, 'viewer'> & { readonly logger: Logger };

const WELCOME = `# Jejak: the event log of EduPro.
#
# Put a key under "Headers" below:  { "Authorization": "Bearer jejak_…" }
# Then run this, and log something in another tab to see it arrive.

subscription Watch {
  eventLogged {
    event { timestamp severity code name username status }
  }
}
`;

type Transport = { req?: IncomingMessage; res?: ServerResponse; viewer?: Viewer };

export const createGraphql = ({ logger, ...parts }: Parts) =>
  createYoga<Transport, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    landingPage: false,
    multipart: false,
    batching: false,
    cors: false,
    logging: false, // what is unexpected is logged where errors are masked
    healthCheckEndpoint: '/graphql/health',
    graphiql: { title: 'Jejak', defaultQuery: WELCOME },
    renderGraphiQL,
    maskedErrors: { maskError: (error) => publicError(error, logger) },
    context: async ({ viewer, request }) => ({
      ...parts,
      viewer: viewer ?? (await viewerOf(request.headers.get('authorization'), parts.keys)),
    }),
  });

/** Nobody without a credential; a credential that is not good is an error, whatever was asked. */
const viewerOf = (authorization: string | null, keys: Context['keys']): Promise<Viewer | null> =>
  authorization === null ? Promise.resolve(null) : keys.authenticate(authorization);

/** The error as callers may see it. */
export const publicError = (error: unknown, logger: Logger): GraphQLError => {
  const cause = causeOf(error);
  const place = error instanceof GraphQLError ? { nodes: error.nodes, path: error.path } : {};
  if (cause instanceof JejakError) {
    // An error of one field leaves the others their answer, so the status is that of the request alone.
    const whole = place.path === undefined || cause.code === 'UNAUTHENTICATED';
    const http = whole ? { http: { status: errorCodes[cause.code].status } } : {};
    return new GraphQLError(cause.message, {
      ...place,
      extensions: { code: cause.code, ...cause.details, ...http },
    });
  }
  if (error instanceof GraphQLError && !(cause instanceof Error)) {
    return new GraphQLError(error.message, {
      ...place,
      extensions: { code: 'BAD_USER_INPUT', ...error.extensions },
    });
  }
  const requestId = randomUUID();
  logger.error({ err: cause ?? error, requestId }, 'Unexpected error');
  return new GraphQLError(
    'Something went wrong on our side; tell an administrator the request id.',
    {
      ...place,
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId, http: { status: 500 } },
    },
  );
};

const causeOf = (error: unknown): unknown => {
  let cause = error;
  while (cause instanceof GraphQLError && (cause.originalError ?? cause.cause))
    cause = cause.originalError ?? cause.cause;
  return cause instanceof GraphQLError ? undefined : cause;
};
