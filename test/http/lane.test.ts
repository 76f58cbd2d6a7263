import { GraphQLError, parse } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, type TestServer, createTestServer } from '../support/server.ts';
import type { Context } from '../../src/graphql/builder.ts';
import { createDocuments } from '../../src/graphql/documents.ts';
import { createLane } from '../../src/http/lane.ts';

let server: TestServer;
let readKey: string;
beforeAll(async () => {
  server = await createTestServer();
  const { data } = await server.graphql(
    'mutation { createApiKey(name: "reader", scopes: [EVENTS_READ]) { key } }',
  );
  readKey = data.createApiKey.key;
});
afterAll(() => server[Symbol.asyncDispose]());

type Request = {
  readonly query: string;
  readonly rest?: object;
  readonly accept?: string;
  readonly key?: () => string | null;
};

const send = async ({ query, rest, accept, key = () => ADMIN_KEY }: Request) => {
  const authorization = key();
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(accept === undefined ? {} : { accept }),
      ...(authorization === null ? {} : { authorization: `Bearer ${authorization}` }),
    },
    body: JSON.stringify({ query, ...rest }),
  });
  const text = await response.text();
  const body: unknown = text === '' ? null : JSON.parse(text);
  return { status: response.status, type: response.headers.get('content-type'), body };
};

const log = (
  input: object,
  selection = 'outcome rejectionCode reason warnings { field message } event { eventId metadata }',
) => ({
  query: `mutation($input: LogEventInput!) { logEvent(input: $input) { ${selection} } }`,
  rest: { variables: { input } },
});
const definition = (selection: string, variables?: object) => ({
  query: `query($c: EventCode!) { eventDefinition(code: $c) { ${selection} } }`,
  rest: { variables },
});

const filtered = (f: unknown) => ({
  query:
    'query($f: EventFilter = { code: [] }) { events(filter: $f) { totalCount edges { node { code } } } }',
  rest: { variables: { f } },
});

// Each request may be repeated and gives the same answer again.
const requests: Record<string, Request> = {
  'a query': { query: '{ severities { severity retentionDays } }' },
  'a query with variables': definition('name', { c: 'AUTH-001' }),
  'a filter in a variable': filtered({ not: { or: [{ code: ['AUTH-001'] }, { not: {} }] } }),
  'a filter where one is the default': filtered(undefined),
  'a filter of null': filtered(null),
  'null where the default would do': {
    query: 'query($c: EventCode = "AUTH-001") { eventDefinition(code: $c) { name } }',
    rest: { variables: { c: null } },
  },
  'null where the default would do, in an event': {
    query: 'mutation($i: LogEventInput = { code: "AUTH-001" }) { logEvent(input: $i) { outcome } }',
    rest: { variables: { i: null } },
  },
  'null where the default would do, in a directive': {
    query: 'query($yes: Boolean = true) { categories @include(if: $yes) { code } }',
    rest: { variables: { yes: null } },
  },
  'a filter that does not fit': filtered({ and: [{ or: { severity: 'LOW' } }] }),
  'an answer of null': { query: '{ event(eventId: "none") { id } }' },
  'graphql-response+json': {
    query: '{ categories { code } }',
    accept: 'application/graphql-response+json',
  },
  'the accept of urql': {
    query: '{ categories { name } }',
    accept:
      'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
  },
  'an accept of neither': { query: '{ categories { prefix } }', accept: 'text/html' },
  'variables that do not fit': definition('code', { c: 'nothing' }),
  'variables that are missing': definition('type'),
  'an unknown field of the input': log({ code: 'AUTH-001', nonsense: 1 }, 'outcome'),
  'a field that is refused': { query: '{ events(first: 1000) { totalCount } }' },
  'a refusal beside an answer': {
    query:
      '{ severities { severity } a: events(after: "x") { totalCount } b: categories { code } }',
  },
  'aliases, fragments, directives': {
    query:
      'query($no: Boolean!) { __typename s: severities { ...F ...{ d: description @skip(if: $no) } } } fragment F on SeverityLevel { severity retentionDays @include(if: $no) }',
    rest: { variables: { no: true } },
  },
  'more events than a call may carry': {
    query: 'mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }',
    rest: { variables: { input: Array.from({ length: 1_001 }, () => ({ code: 'AUTH-001' })) } },
  },
  'an event in the document itself': {
    query:
      'mutation { logEvent(input: { code: "AUTH-002", eventId: "lane-2", metadata: { a: [1, 2.5, "x", null] }, tags: ["t"], userId: 7 }) { outcome event { id code category tags metadata userId definition { name severity } } } }',
  },
  'a variable inside an object': {
    query:
      'mutation($id: ID, $tag: String!) { logEvent(input: { code: "AUTH-002", eventId: $id, tags: [$tag], metadata: { tag: $tag } }) { outcome event { eventId tags metadata } } }',
    rest: { variables: { id: 'lane-3', tag: 't' } },
  },
  'a default value': {
    query: 'query($c: EventCode! = "DATA-001") { eventDefinition(code: $c) { code type } }',
  },
  'an event that is rejected': log({ category: 'AUTH' }),
  'an event that was stored before': log({
    code: 'AUTH-001',
    eventId: 'lane-1',
    ipAddress: '1.2.3.999',
  }),
  'a conflict': log({ code: 'AUTH-002', eventId: 'lane-1' }, 'outcome'),
  'a key without the scope': { query: '{ apiKeys { id } }', key: () => readKey },
  'an empty list for an object': {
    query:
      'mutation($n: NarrowingInput) { createApiKey(name: "lane", scopes: [EVENTS_READ], narrowing: $n) { apiKey { narrowing { severity } } } }',
    rest: { variables: { n: [] } },
  },
  'an unknown key': { query: '{ severities { severity } }', key: () => 'jejak_unknown' },
  'no key': { query: '{ severities { description } }', key: () => null },
  'an operation by its name': {
    query: 'query A { severities { severity } }',
    rest: { operationName: 'A' },
  },
  'an operation that is not there': {
    query: 'query A { severities { responseRequired } }',
    rest: { operationName: 'B' },
  },
  'unknown extensions': {
    query: '{ severities { descriptionIndonesian } }',
    rest: { extensions: { a: 1 } },
  },
};

test.each(Object.entries(requests))(
  'the lean lane and the full stack answer alike: %s',
  async (_name, request) => {
    await send(request); // new to the lane, so it goes through the full stack and is known from now on
    const full = await send({ ...request, query: `${request.query} ` }); // another document to the lane
    const lean = await send(request);
    expect(lean).toEqual(full);
  },
);

test('the lean lane takes what was learnt and leaves the rest', async () => {
  const context = {
    viewer: { id: 'key 1', name: 'test', scopes: ['events:read'] },
  } as unknown as Context;
  const documents = createDocuments({
    introspection: 'everyone',
    listed: {},
    onlyListed: false,
    limits: { tokens: 1_000, characters: 65_536, width: 20, depth: 20, fields: 500 },
  });
  const lane = createLane({
    known: documents.known,
    assertMayAsk: documents.assertMayAsk,
    guard: async (work) => work(),
    mask: (error) => new GraphQLError(String(error)),
  });
  const ask = (body: object, accept = '*/*') => lane(JSON.stringify(body), body, accept, context);
  const query = '{ severities { severity } }';
  expect(await ask({ query })).toBeUndefined();
  documents.learn(parse(query), null);
  expect(await ask({ query })).toBeUndefined();
  documents.learn(parse(query), context.viewer);
  expect(await ask({ query })).toMatchObject({ status: 200, mediaType: 'application/json' });
  expect(await ask({ query }, 'text/event-stream')).toBeUndefined();
  documents.learn(parse('subscription { eventLogged { cursor } }'), context.viewer);
  expect(await ask({ query: 'subscription { eventLogged { cursor } }' })).toBeUndefined();
});
