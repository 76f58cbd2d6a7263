// What is answered to whom before a question is looked at: security headers, pages of other hosts, the schema, listed documents.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type IncomingMessage, get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { urlToHttpOptions } from 'node:url';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/process.ts';
import { ADMIN_KEY, type TestServer, createTestServer, testServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const call = (of: TestServer, path: string, init: RequestInit = {}) =>
  fetch(of.url + path, { redirect: 'manual', ...init });
/** The text of the answer to an address that is sent as it is written. */
const raw = async (of: TestServer, path: string, key: string): Promise<string> => {
  const request = get({ ...urlToHttpOptions(new URL(of.url)), path, headers: { authorization: `Bearer ${key}`, accept: 'application/json' } }); // oxfmt-ignore
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return text(response);
};
const json = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` };
const post = (body: object | string, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { ...json, ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const readKey = async (of: TestServer, scope = 'EVENTS_READ') =>
  (await of.graphql(`mutation { createApiKey(name: "k", scopes: [${scope}]) { key } }`)).data.createApiKey.key; // oxfmt-ignore

describe('every answer', () => {
  const query = '{ severities { severity } }';
  const calls: Record<string, [string, RequestInit?]> = {
    'of a probe': ['/healthz'],
    'of the metrics': ['/metrics'],
    'that leads elsewhere': ['/'],
    'that there is nothing': ['/nothing'],
    'of the full stack': ['/graphql', post({ query: `${query} ` })],
    'of the lean lane': ['/graphql', post({ query })],
    'to a question in the address': [`/graphql?query=${encodeURIComponent(query)}`, { headers: { ...json, accept: 'application/json' } }],
    'that refuses a credential': ['/graphql', post({ query }, { authorization: 'Bearer x' })],
    'that refuses a body': ['/graphql', post('{')],
    'that refuses a type': ['/graphql', post('x=1', { 'content-type': 'application/x-www-form-urlencoded' })],
    'of the REST door': ['/api/events', post({ code: 'AUTH-001' })],
    'that refuses an event': ['/api/events', post({})],
    'that is a stream': ['/graphql', post({ query: 'subscription { eventStream(after: "x") { cursor } }' }, { accept: 'text/event-stream' })],
    'that is a page': ['/graphql', { headers: { accept: 'text/html' } }],
  }; // oxfmt-ignore

  test.each(Object.entries(calls))('has the headers that protect it: %s', async (_name, [path, init]) => {
    const { headers, body } = await call(server, path, init);
    await body?.cancel();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('access-control-allow-origin')).toBeNull();
  }); // oxfmt-ignore

  test('that is GraphiQL lets its own scripts run and no others', async () => {
    const response = await call(server, '/graphql', { headers: { accept: 'text/html' } });
    const policy = response.headers.get('content-security-policy')!;
    const [, script] = /<script>(.*?)<\/script>/s.exec(await response.text())!;
    const hash = createHash('sha256').update(script!).digest('base64');
    expect(policy).toContain(`script-src 'sha256-${hash}'`);
    expect(/script-src[^;]*/.exec(policy)![0]).not.toContain('unsafe');
  });
});

describe('a page of another host', () => {
  const origin = 'https://portal.edupro.example';
  const preflight = { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } }; // oxfmt-ignore
  let key: string;
  beforeAll(async () => {
    const { data } = await server.graphql(
      `mutation { createBrowserKey(name: "portal", origins: ["${origin}"], codes: ["AUTH-001"]) { key } }`,
    );
    key = data.createBrowserKey.key;
  });

  test('may send and read the answer where a key is for it', async () => {
    for (const path of ['/api/events', '/graphql']) {
      const { status, headers } = await call(server, path, preflight);
      expect([status, headers.get('access-control-allow-origin')]).toEqual([204, origin]);
      expect(headers.get('access-control-allow-headers')).toContain('authorization');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
    const event = post({ code: 'AUTH-001' }, { origin, authorization: `Bearer ${key}` });
    const response = await call(server, '/api/events', event);
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([201, origin]); // oxfmt-ignore
  });

  test.each(['https://attacker.example', 'null', `${origin}.attacker.example`, 'nonsense'])(
    'may not where none is: %s',
    async (other) => {
      const { headers } = await call(server, '/api/events', { ...preflight, headers: { ...preflight.headers, origin: other } }); // oxfmt-ignore
      expect(headers.get('access-control-allow-origin')).toBeNull();
      const response = await call(server, '/graphql', post({ query: '{ __typename }' }, { origin: other })); // oxfmt-ignore
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    },
  );
});

describe('the schema', () => {
  const typo = 'mutation { logEvnt(input: { code: "AUTH-001" }) { outcome } }';
  const badEnum = 'query($order: EventOrder) { events(order: $order) { totalCount } }';
  const badSeverity = 'subscription($least: Severity) { eventLogged(filter: { minSeverity: $least }) { cursor } }'; // oxfmt-ignore
  const introspections = [getIntrospectionQuery(), '{ a: __type(name: "Event") { name } }', 'query { ...F } fragment F on Query { __schema { types { name } } }']; // oxfmt-ignore

  test('is shown to everyone on a loopback address', async () => {
    for (const query of introspections)
      expect((await server.graphql(query, {}, null)).data).toBeTruthy();
    expect((await server.graphql(typo, {}, null)).errors![0].message).toContain('Did you mean');
  });

  test('else to administrators only, by every transport, and so is what is spelt alike', async () => {
    const closed = await testServer(undefined, { JEJAK_INTROSPECTION: 'admin' });
    const reader = await readKey(closed);
    const code = async (query: string, key: string | null) =>
      (await closed.graphql(query, {}, key)).errors?.[0].extensions.code ?? 'shown';
    for (const query of introspections) {
      // The administrator last, so that the document is known, then the others again, now by the lean lane.
      for (const _ of [1, 2]) {
        expect(await code(query, reader)).toBe('FORBIDDEN');
        expect(await code(query, null)).toBe('UNAUTHENTICATED');
        expect(await code(query, ADMIN_KEY)).toBe('shown');
      }
      await using socket = closed.subscribe(query, {}, reader);
      await expect(socket.next()).rejects.toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
      const address = `/graphql?query=${encodeURIComponent(query)}`;
      const response = await call(closed, address, { headers: { authorization: `Bearer ${reader}` } });
      expect(await response.text()).toContain('FORBIDDEN');
    }
    for (const key of [reader, null]) {
      for (const [query, variables] of [[typo, {}], [badEnum, { order: 'NEWEST' }]] as const) {
        const { errors } = await closed.graphql(query, variables, key);
        expect(errors![0].extensions.code).toBe('BAD_USER_INPUT');
        expect(errors![0].message).not.toContain('Did you mean');
      }
    }
    expect((await closed.graphql(typo)).errors![0].message).toContain('Did you mean');
    await using watching = closed.subscribe('subscription { eventLoged { cursor } }', {}, reader);
    await expect(watching.next()).rejects.toSatisfy(
      ([{ message }]: [{ message: string }]) => !message.includes('Did you mean'),
    );
    for (const accept of ['text/event-stream', 'application/json']) {
      const refusal = await call(closed, '/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept },
        body: JSON.stringify({ query: badSeverity, variables: { least: 'WARNIN' } }),
      });
      expect(await refusal.text()).toMatch(/^(?!.*Did you mean).*BAD_USER_INPUT/s);
    }
    const { data } = await closed.graphql('mutation { createApiKey(name: "ekspor", scopes: [EVENTS_EXPORT]) { key } }'); // oxfmt-ignore
    for (const filter of ['{"categry":["AUTH"]}', '{"category":["AUTHH"]}']) {
      const exported = await call(closed, `/api/export?filter=${filter}`, { headers: { authorization: `Bearer ${data.createApiKey.key}` } }); // oxfmt-ignore
      expect(await exported.text()).toMatch(/^(?!.*Did you mean).*BAD_USER_INPUT/);
    }
    // What is no introspection is answered as ever.
    expect(await code('{ __typename severities { __typename severity } }', reader)).toBe('shown');
  }); // oxfmt-ignore
});

describe('a mistake in what is asked with', () => {
  const LOG = 'mutation($input: LogEventInput!) { logEvent(input: $input) { outcome } }';
  const LOGS = 'mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }';
  const FIND = 'query($filter: EventFilter) { events(filter: $filter) { totalCount } }';
  const WATCH = 'subscription($filter: EventFilter) { eventLogged(filter: $filter) { cursor } }';
  const logged = { code: 'AUTH-001' };
  const naive = { ...logged, timestamp: '2025-06-19T14:30:52' };

  // Each with what the message begins with; literals are told by their line and column.
  const mistakes = Object.entries<[query: string, variables: object, told: string]>({
    'P4: a time without an offset': [LOG, { input: naive }, '`input.timestamp`: "2025-06-19T14:30:52" is no DateTime: '],
    'P4: that of one of many events': [LOGS, { input: [logged, logged, logged, naive] }, '`input[3].timestamp`: "2025-06-19T14:30:52" is no DateTime: '],
    'P4: in a literal': ['mutation { logEvent(input: { timestamp: "2025-06-19T14:30:52" }) { outcome } }', {}, '"2025-06-19T14:30:52" is no DateTime: '],
    'what is no code': [LOGS, { input: [logged, { code: 'nothing' }] }, '`input[1].code`: "nothing" is no EventCode: '],
    'what is no code, as the whole variable': ['query($code: EventCode!) { eventDefinition(code: $code) { name } }', { code: 'nothing' }, '`code`: "nothing" is no EventCode: '],
    'what is no duration': [FIND, { filter: { or: [{ range: { last: '24h' } }] } }, '`filter.or[0].range.last`: "24h" is no Duration: '],
    'no word of the enum': [LOG, { input: { severity: 'LOUD' } }, '`input.severity`: Value "LOUD" does not exist'],
    'no word of the enum, in a literal': ['mutation { logEvent(input: { severity: LOUD }) { outcome } }', {}, 'Value "LOUD" does not exist'],
    'a text for a number': [LOGS, { input: [{ userId: 'x' }] }, '`input[0].userId`: Int cannot '],
    'a text for an object': [FIND, { filter: 'x' }, '`filter`: Expected '],
    'a field that there is not': [LOGS, { input: [{ nonsense: 1 }] }, '`input[0]`: Expected '],
    'nothing where something must be': [LOG, {}, '`input`: Expected '],
    'null where something must be': [LOG, { input: null }, '`input`: Expected '],
    'nothing where something must be, in a literal': ['mutation { logEvent { outcome } }', {}, 'Argument "Mutation.logEvent(input:)" '],
    'what is no code, of a subscription': [WATCH, { filter: { code: ['x'] } }, '`filter.code[0]`: "x" is no EventCode: '],
    'no word of the enum, of a subscription': [WATCH, { filter: { severity: ['x'] } }, '`filter.severity[0]`: Value "x" does not exist'],
  }); // oxfmt-ignore
  const ask = async (query: string, variables: object, accept: string) => {
    const answer = await call(server, '/graphql', post({ query, variables }, { accept }));
    return { status: answer.status, errors: JSON.parse((await answer.text()).match(/{"errors".*}/)![0]).errors };
  }; // oxfmt-ignore

  test.each(mistakes)('is 400 or 200 by what the client accepts, on both lanes: %s', async (_name, [query, variables]) => {
    await call(server, '/graphql', post({ query })); // from now on the lean lane knows the document
    const statuses = {
      'application/json': 200,
      'application/json;q=1': 200, // past the lean lane
      '*/*': 200,
      'text/event-stream': 200,
      'application/graphql-response+json': 400,
      'application/graphql-response+json;q=1': 400,
    };
    for (const [accept, status] of Object.entries(statuses))
      expect([accept, await ask(query, variables, accept)]).toMatchObject([accept, { status, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] }]);
  }); // oxfmt-ignore

  test.each(mistakes)('is told by its place on every transport: %s', async (_name, [query, variables, told]) => {
    const errors = [{ message: expect.stringMatching(RegExp(`^${RegExp.escape(told)}`)) }];
    for (const accept of ['application/json', 'application/json;q=1', 'text/event-stream'])
      expect([accept, await ask(query, variables, accept)]).toMatchObject([accept, { errors }]);
    await using socket = server.subscribe(query, variables);
    await expect(socket.next()).rejects.toMatchObject(errors);
  }); // oxfmt-ignore

  test.each([
    ['no JSON', '{'],
    ['no object', '5'],
    ['a list', '[]'],
    ['no question', {}],
    ['variables that are a list', { query: LOG, variables: [] }],
  ])('is less than what makes no request, which is 400 whatever is accepted: %s', async (_name, body) => {
    for (const accept of ['application/json', 'application/graphql-response+json'])
      expect([accept, (await call(server, '/graphql', post(body, { accept }))).status]).toEqual([accept, 400]);
  }); // oxfmt-ignore
});

test('a question in the address is answered whatever else the address ends with', async () => {
  const path = `/graphql?query=${encodeURIComponent('{ severities { severity } }')}&by=/graphql/health`;
  const response = await call(server, path, { headers: json });
  expect(await response.json()).toMatchObject({ data: { severities: expect.any(Array) } });
});

describe('listed documents', () => {
  const listed = { severities: '{ severities { severity } }', watch: 'subscription { eventStream { cursor } }' }; // oxfmt-ignore
  const hash = `sha256:${createHash('sha256').update(listed.severities).digest('hex')}`;
  const withDocuments = async (documents: object, only: 'yes' | 'no' = 'no') => {
    const file = join(await temporaryDirectory(), 'documents.json');
    await writeFile(file, JSON.stringify(documents));
    return testServer(undefined, { JEJAK_DOCUMENTS: file, JEJAK_ONLY_DOCUMENTS: only });
  };

  test('may be asked for by their id and by their hash, in a body and in an address', async () => {
    const of = await withDocuments(listed);
    for (const documentId of ['severities', hash, 'severities']) {
      const posted = await call(of, '/graphql', post({ documentId }));
      const named = await call(of, `/graphql?documentId=${encodeURIComponent(documentId)}`, { headers: json }); // oxfmt-ignore
      for (const response of [posted, named])
        expect(await response.json()).toMatchObject({ data: { severities: expect.any(Array) } });
    }
    const stream = await call(of, '/graphql', post({ documentId: 'watch' }, { accept: 'text/event-stream' })); // oxfmt-ignore
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    await stream.body!.cancel();
  });

  test.each([
    [{ documentId: 'other' }],
    [{ documentId: `sha256:${'0'.repeat(64)}` }],
    [{ documentId: 'toString' }],
    [{ documentId: 5 }],
    [{ documentId: hash, query: '{ __typename }' }],
  ])('%j is refused', async (body) => {
    const of = await withDocuments(listed);
    const response = await call(of, '/graphql', post(body));
    expect((await response.json()) as object).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] }); // oxfmt-ignore
  });

  test('may be all that is answered, but to an administrator', async () => {
    const of = await withDocuments(listed, 'yes');
    const reader = await readKey(of);
    const ask = async (query: string, key: string) =>
      (await of.graphql(query, {}, key)).errors?.[0].extensions.code ?? 'answered';
    expect(await ask(listed.severities, reader)).toBe('answered');
    const other = '{ categories { code } }';
    expect(await ask(other, 'nobody')).toBe('UNAUTHENTICATED');
    const unnamed = await call(of, '/graphql', post({ query: other }, { authorization: '' }));
    expect(await unnamed.text()).toContain('UNAUTHENTICATED');
    const unlisted = await call(of, '/graphql', post({ documentId: 'x' }));
    expect(await unlisted.text()).toContain('ask the operator');
    expect([await ask(other, reader), await ask(other, ADMIN_KEY), await ask(other, reader)]).toEqual(['FORBIDDEN', 'answered', 'FORBIDDEN']); // oxfmt-ignore
    await using refused = of.subscribe('subscription { eventLogged { cursor } }', {}, reader);
    await expect(refused.next()).rejects.toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    await using answered = of.subscribe(listed.watch, {}, reader);
    expect(await answered.next()).toMatchObject({ eventStream: { cursor: expect.any(String) } });
    const address = `/graphql?query=${encodeURIComponent(other)}`;
    const response = await call(of, address, { headers: { authorization: `Bearer ${reader}` } });
    expect(await response.text()).toContain('FORBIDDEN');
  });

  test('are what is answered however an address is written', async () => {
    const of = await withDocuments(listed, 'yes');
    const reader = await readKey(of);
    const query = encodeURIComponent('{ categories { code } }');
    for (const path of [`/graphql??query=${query}`, `/graphql?a=1#&query=${query}`])
      expect(await raw(of, path, reader)).toContain('BAD_USER_INPUT');
  });

  test('that are not valid keep the server from starting', async () => {
    await expect(withDocuments({ broken: '{ nothing }' })).rejects.toThrow('"broken" is not valid');
  });
});
