// GraphQL over HTTP and server-sent events, by yoga. What is ours: who is asking, JSON bodies only, and errors that carry
// a stable code or no detail at all.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { DocumentNode, ExecutionArgs, ExecutionResult } from 'graphql';
import { type Plugin, createYoga } from 'graphql-yoga';
import type { Viewer } from '../access/viewer.ts';
import type { Context } from '../graphql/builder.ts';
import type { Pulse } from '../database/pulse.ts';
import { schema } from '../graphql/schema.ts';
import type { Logger } from '../logger.ts';
import { readBody } from './body.ts';
import { createLane } from './lane.ts';
import { publicError } from './mask.ts';

export type Parts = Omit<Context, 'viewer'> & { readonly logger: Logger; readonly pulse: Pulse };

const WELCOME = `# Jejak: the event log of EduPro.
#
# Put your key behind "Bearer" below, then run this and log
# something in another tab to see it arrive.

subscription Watch {
  eventLogged {
    event { timestamp severity code name username status }
  }
}
`;

export type GraphqlDoor = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export const createGraphql = ({ logger, pulse, ...parts }: Parts): GraphqlDoor => {
  const mask = (error: unknown) => publicError(error, logger);
  const contextOf = (viewer: Viewer | null): Context => ({ ...parts, viewer });
  const lane = createLane({ keys: parts.keys, contextOf, mask, guard: pulse.guard });
  const plugin: Plugin<object, Context> = {
    onValidate:
      ({ params: { documentAST } }) =>
      ({ valid }) => {
        if (valid) lane.learn(documentAST as DocumentNode);
      },
    onExecute: ({ executeFn, setExecuteFn }) =>
      setExecuteFn((args: ExecutionArgs) =>
        pulse.guard(async () => executeFn(args) as ExecutionResult),
      ),
  };
  const yoga = createYoga<object, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    landingPage: false,
    multipart: false,
    batching: false,
    cors: false,
    logging: false, // what is unexpected is logged where errors are masked
    healthCheckEndpoint: '/graphql/health',
    graphiql: {
      title: 'Jejak',
      defaultQuery: WELCOME,
      headers: '{ "Authorization": "Bearer " }',
      defaultEditorToolsVisibility: 'headers',
    },
    renderGraphiQL,
    maskedErrors: { maskError: mask },
    plugins: [plugin],
    context: async ({ request }) =>
      contextOf(await viewerOf(request.headers.get('authorization'), parts.keys)),
  });

  return async (request, response) => {
    if (request.method !== 'POST') return yoga(request, response);
    const { text } = await readBody(request, ['application/json']);
    const { accept, authorization } = request.headers;
    const answer = await lane.answer(text, accept, authorization);
    if (answer === undefined) return yoga(withText(request, text), response);
    response.statusCode = answer.status;
    response.setHeader('Content-Type', `${answer.mediaType}; charset=utf-8`);
    response.end(answer.text);
    return undefined;
  };
};

/** A request whose body was read, and inflated, already, as yoga takes it. */
const withText = (request: IncomingMessage, text: string): IncomingMessage => {
  delete request.headers['content-encoding'];
  const body = {
    text,
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(text);
    },
  };
  return Object.assign(request, { body });
};

/** Nobody without a credential; a credential that is not good is an error, whatever was asked. */
const viewerOf = (authorization: string | null, keys: Context['keys']): Promise<Viewer | null> =>
  authorization === null ? Promise.resolve(null) : keys.authenticate(authorization);
