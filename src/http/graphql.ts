// GraphQL over HTTP, by yoga. What is ours: who is asking, JSON bodies only, subscriptions as server-sent events, and
// errors that carry a stable code or no detail at all.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DocumentNode, type ExecutionArgs, type ExecutionResult, validate } from 'graphql';
import { type GraphQLParams, type Plugin, createYoga, isAsyncIterable } from 'graphql-yoga';
import { type Access, unauthenticated } from '../access/authenticate.ts';
import type { Context } from '../graphql/builder.ts';
import type { Pulse } from '../database/pulse.ts';
import type { Deliveries } from '../graphql/deliveries.ts';
import { type Documents, isDocument } from '../graphql/documents.ts';
import { JejakError } from '../errors.ts';
import { coercion, mistakesIn } from '../graphql/limits.ts';
import { schema } from '../graphql/schema.ts';
import { purposeIn, tellingReads } from '../graphql/told.ts';
import type { Metrics } from '../metrics.ts';
import { parseJson, readBody } from './body.ts';
import { whileTaken } from './drained.ts';
import { acceptsEvents, isSubscription, lastEventId, refuseStream, stream } from './event-stream.ts'; // oxfmt-ignore
import { createPage } from './graphiql.ts';
import { createLane, render } from './lane.ts';
import { parametersOf } from './parameters.ts';
import { publicError } from './public-error.ts';
import { retryAfterMsOf, setRetryAfter } from './respond.ts';

export type Parts = Omit<Context, 'viewer' | 'isGone'> & {
  readonly pulse: Pulse;
  /** Throws OVERLOADED where events with this key would be refused now. */
  readonly assertRoom: (viewerId: string) => void;
  readonly access: Access;
  readonly metrics: Metrics;
  readonly documents: Documents;
  readonly limits: DoorLimits;
};

/** How much a request, a frame of a socket and a socket may carry. */
export type DoorLimits = {
  readonly bodyBytes: number;
  readonly frameBytes: number;
  readonly subscriptions: number;
};

type Rules = Parameters<typeof validate>[2];

const JSON_ONLY = ['application/json'];
/** Who has no credential may ask for the schema, where it is shown to everyone, and that is far less. */
const NOBODYS_BYTES = 32 * 1024;

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

export const createGraphql = (
  { logger, pulse, assertRoom, metrics, access, documents, limits, ...parts }: Parts,
  deliveries: Deliveries,
  leaving: AbortSignal,
): GraphqlDoor => {
  const mask = (error: unknown) => publicError(error, logger, parts.mask.text);
  const contextOf = async (
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Context> => {
    const { authorization } = request.headers;
    // Nobody without a credential; a credential that is not good is an error, whatever is asked.
    const viewer =
      authorization === undefined ? null : await access.authenticate(authorization, request);
    const isGone = (): boolean => response.destroyed;
    return { ...parts, logger, viewer, isGone, purpose: purposeIn(request.headers) };
  };
  const { known, learn, assertMayAsk, hidesSuggestions } = documents;
  const lane = createLane({ known, assertMayAsk, mask, guard: pulse.guard });
  const page = createPage();
  const hiding = (args: ExecutionArgs): ExecutionArgs => ({
    ...args,
    hideSuggestions: hidesSuggestions((args.contextValue as Context).viewer),
  });
  const plugin: Plugin<object, Context> = {
    onResponse: ({ response }) => {
      if (response.headers.get('content-type')?.startsWith('text/html'))
        response.headers.set('Content-Security-Policy', page.policy());
    },
    onRequestParse: ({ serverContext, setRequestParser }) => {
      const { params } = askedIn(serverContext);
      if (params) setRequestParser(() => params);
    },
    // To yoga this is a mistake in a document, 200 where application/json is accepted.
    onParams: ({ params }) => {
      if (params.query == null) throw nothingAsked();
    },
    onParse: ({ setParseFn }) => setParseFn(documents.parse),
    onValidate: ({ params: { documentAST }, context, setValidationFn }) => {
      const hideSuggestions = hidesSuggestions(askedIn(context).context.viewer);
      setValidationFn((of: typeof schema, document: DocumentNode, by: Rules) =>
        validate(of, document, by, { hideSuggestions }),
      );
      return ({ valid, result, setResult }) => {
        if (valid) learn(documentAST as DocumentNode, askedIn(context).context.viewer);
        else setResult(result.map(mask)); // yoga masks what is thrown or executed only
      };
    },
    onResultProcess: (answer) => {
      const { result, resultProcessor } = answer;
      // A subscription that came to here is one for a client that takes no server-sent events.
      if (isAsyncIterable(result)) void result[Symbol.asyncIterator]().return?.();
      else if (resultProcessor) return;
      const { status, text } = render({ errors: [notAcceptable()] }, mask);
      const headers = { 'Content-Type': 'application/json; charset=utf-8' };
      answer.setResultProcessor(
        (_, { Response }) => new Response(text, { status, headers }),
        'any',
      );
    },
    // Of mistakes in the variables yoga would tell fifty, and of a subscription in words of its own.
    onSubscribe: ({ subscribeFn, setSubscribeFn }) =>
      setSubscribeFn((args: ExecutionArgs) => {
        const errors = mistakesIn(hiding(args));
        return errors ? { errors } : subscribeFn(args);
      }),
    onExecute: ({ executeFn, setExecuteFn }) =>
      setExecuteFn((args: ExecutionArgs) => {
        const { document, variableValues: variables } = args;
        const context = args.contextValue as Context;
        const asked = hiding(args);
        const errors = mistakesIn(asked);
        if (errors) return { errors };
        return tellingReads(context, { query: document.loc?.source.body, variables }, (telling) =>
          pulse.guard(async () => {
            assertMayAsk(document, context.viewer);
            return executeFn({ ...asked, contextValue: telling }) as ExecutionResult;
          }),
        ).catch((error: unknown) => {
          setRetryAfter((args.contextValue as { res: ServerResponse }).res, error);
          throw error;
        });
      }),
  };
  const yoga = createYoga<object, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    landingPage: false,
    multipart: false,
    batching: false,
    cors: false,
    logging: false, // what is unexpected is logged where errors are masked
    healthCheckEndpoint: '\n', // no address ends so: whatever did was answered without being executed
    graphiql: {
      title: 'Jejak',
      defaultQuery: WELCOME,
      headers: '{ "Authorization": "Bearer " }',
      defaultEditorToolsVisibility: 'headers',
    },
    renderGraphiQL: (options) => page.render(options),
    maskedErrors: { maskError: mask },
    plugins: [plugin],
    maxRequestBodySize: false, // it is bounded before
    // What the lane knows is enough: yoga would keep 1,024 documents of any length, and as many mistakes.
    parserAndValidationCache: {
      documentCache: { get: known, set: () => {} },
      errorCache: { get: () => undefined, set: () => {} },
    },
    context: (initial) => askedIn(initial).context,
  });

  /** Whether the request was a subscription, which is then under way or refused. */
  const subscribed = async (
    request: IncomingMessage,
    response: ServerResponse,
    { query, variables, operationName }: GraphQLParams,
    context: Context,
  ): Promise<boolean> => {
    if (!acceptsEvents(request) || typeof query !== 'string') return false;
    const document = documents.read(query, context.viewer);
    if (!isDocument(document)) return false; // yoga says what is wrong
    if (!isSubscription(document, operationName)) return false;
    if (response.socket === null) throw notFirst();
    const delivery = await deliveries.open({
      schema,
      document,
      variableValues: variables,
      operationName,
      contextValue: { ...context, resumeAfter: lastEventId(request) },
      hideSuggestions: hidesSuggestions(context.viewer),
      options: coercion,
    });
    const explain = (errors: readonly unknown[]) => render({ errors }, mask);
    if ('errors' in delivery) {
      // Its one field is all that was asked for, so that the whole is to be tried again.
      const again = delivery.errors.find(
        (each) => retryAfterMsOf(each.originalError) !== undefined,
      );
      if (again) throw again.originalError;
      const { status, text } = explain(delivery.errors);
      refuseStream(response, status, text);
    } else {
      const look = () => access.assertHolds(request.headers.authorization);
      // Nobody waits for its end.
      stream(response, delivery, { look, leaving, explain: (error) => explain([error]).text, metrics }).catch(() => response.destroy()); // oxfmt-ignore
    }
    return true;
  };

  /** Yoga itself waits until an answer is taken. */
  const byYoga = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    whileTaken(response, async () => {
      await yoga(request, response);
    });

  return async (request, response) => {
    const { accept } = request.headers;
    try {
      if (request.method !== 'POST') {
        const params = withDocument(paramsIn(request.url!), documents);
        const context = await contextOf(request, response);
        if (params.query) documents.assertListed(params.query, context.viewer);
        if (request.method === 'GET' && (await subscribed(request, response, params, context)))
          return undefined;
        // Yoga reads some addresses differently; what is answered is what was looked at here.
        return await byYoga(Object.assign(request, { context, params }), response);
      }
      if (!isAnswerable(accept)) throw notAcceptable();
      const isNobody = request.headers.authorization === undefined;
      const { text } = await (isNobody
        ? readBody(request, JSON_ONLY, NOBODYS_BYTES, () => unauthenticated('Send a credential with what is as large as this: "Authorization: Bearer <API key or token>".')) // oxfmt-ignore
        : readBody(request, JSON_ONLY, limits.bodyBytes));
      // Under a flood most events are refused; to parse them first would take the time of those that are not.
      const context = await contextOf(request, response);
      const { viewer } = context;
      if (viewer && text.includes('logEvent')) assertRoom(viewer.id);
      const sent = parseJson(text);
      if (typeof sent !== 'object' || sent === null) throw nothingAsked();
      const body = withDocument(sent, documents);
      if (typeof body.query === 'string') documents.assertListed(body.query, viewer);
      const answer = await lane(text, body, accept, context);
      if (answer === undefined) {
        if (await subscribed(request, response, body, context)) return undefined;
        return await byYoga(posted(request, body, context), response);
      }
      setRetryAfter(response, answer.error);
      response.statusCode = answer.status;
      response.setHeader('Content-Type', `${answer.mediaType}; charset=utf-8`);
      response.end(answer.text);
      return undefined;
    } catch (error) {
      if (response.headersSent) throw error;
      const { status, text } = render({ errors: [error] }, mask);
      if (request.isPaused()) response.setHeader('Connection', 'close'); // the rest of the body is not read
      setRetryAfter(response, error);
      response.statusCode = status;
      response.setHeader('Content-Type', 'application/json; charset=utf-8');
      response.end(text);
      return undefined;
    }
  };
};

/** What is known of a request before yoga has it: who asks, and what its body says where it was read already. */
type Asked = { readonly context: Context; readonly params?: GraphQLParams };

const posted = (request: IncomingMessage, params: object, context: Context) => {
  delete request.headers['content-encoding'];
  return Object.assign(request, { params, context });
};
const askedIn = (context: object): Asked => (context as { req: IncomingMessage & Asked }).req;

const mediaTypes =
  /(^|[,\s])(\*\/\*|application\/(\*|json|graphql-response\+json)|text\/(\*|event-stream)|multipart\/(\*|mixed))\s*([,;]|$)/i;

/** A mutation is not executed for one who would not take the answer. */
const isAnswerable = (accept = '*/*'): boolean => mediaTypes.test(accept);

const notAcceptable = (): JejakError =>
  new JejakError(
    'BAD_USER_INPUT',
    'Accept application/json or application/graphql-response+json, and text/event-stream for a subscription.',
    { status: 406 },
  );

/** Behind a stream that never ends nothing is sent, and all that would be would stay in memory. */
const notFirst = (): JejakError =>
  new JejakError(
    'BAD_USER_INPUT',
    'Open a connection of its own for a subscription; on this one another request is not answered yet.',
  );

const nothingAsked = (): JejakError =>
  new JejakError('BAD_USER_INPUT', 'Send `query`, in a JSON object or in the address.');

type Sent = GraphQLParams & { readonly documentId?: unknown };

/** What is asked, with the document that was named in the place of its name. */
const withDocument = (sent: Sent, { named }: Documents): Sent => {
  const { documentId, ...rest } = sent;
  if (documentId === undefined || documentId === null) return sent;
  if (typeof documentId !== 'string' || sent.query != null)
    throw new JejakError('BAD_USER_INPUT', 'Send `query` or a text as `documentId`, not both.');
  return { ...rest, query: named(documentId) };
};

/** What a question in the address asks. */
const paramsIn = (url: string): Sent => {
  const search = parametersOf(url);
  const json = (name: string) => {
    const text = search.get(name);
    return text ? (parseJson(text, `\`${name}\``) as Record<string, unknown>) : undefined;
  };
  json('extensions');
  return {
    query: search.get('query') ?? undefined,
    variables: json('variables'),
    operationName: search.get('operationName') ?? undefined,
    documentId: search.get('documentId') ?? undefined,
  } as Sent;
};
