// The same subscriptions as server-sent events, for clients that have only HTTP.

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { FAULTLESS, type Seen, check } from '../support/checker.ts';
import { followers } from '../support/followers.ts';
import { createTestLog } from '../support/log.ts';
import { ADMIN_KEY, type TestServer, createTestServer, leaveEarly, testServer } from '../support/server.ts'; // oxfmt-ignore

vi.mock('../../src/live/groups.ts', async (original) =>
  (await import('../support/followers.ts')).countingFollowers(original),
);

type Result = {
  data?: { eventLogged: Seen } | null;
  errors?: { message: string; extensions: { code: string } }[];
};

const selection = 'cursor event { eventId username }';
const subscription = `subscription($after: String) { eventLogged(after: $after) { ${selection} } }`;

type Options = {
  readonly key?: string;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
};

const request = (
  server: TestServer,
  query: string,
  variables: object,
  { key = ADMIN_KEY, signal, headers = {} }: Options = {},
): Promise<Response> =>
  fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${key}`,
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
    ...(signal === undefined ? {} : { signal }),
  });

type Message = { readonly id?: string; readonly event?: string; readonly data?: string };

/** What is in a stream of server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html reads it; a
 * comment is a message without anything. */
async function* messagesOf(response: Response): AsyncGenerator<Message, void, void> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = text
        .slice(0, end)
        .split('\n')
        .map((line) => /^([a-z]+): ?(.*)$/.exec(line)?.slice(1) ?? []);
      text = text.slice(end + 2);
      yield Object.fromEntries(fields.filter(({ length }) => length === 2)) as Message;
    }
  }
}
async function* resultsOf(response: Response): AsyncGenerator<Result, void, void> {
  for await (const { event, data } of messagesOf(response))
    if (event === 'next') yield JSON.parse(data!) as Result;
}

const log = async (server: TestServer, usernames: readonly string[]): Promise<Seen[]> =>
  (
    await server.graphql(
      `mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { ${selection} } } }`,
      { input: usernames.map((username) => ({ code: 'AUTH-001', username })) },
    )
  ).data.logEvents.results;

const atHead = (count: number): Promise<void> =>
  vi.waitFor(() => expect(followers()).toBe(count), { timeout: 2_000, interval: 5 });

test('a subscription over server-sent events replays, goes on live and resumes after its cursor', async () => {
  const server = await testServer();
  const old = await log(server, ['a', 'b']);
  const response = await request(server, subscription, { after: 'earliest' });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const results = resultsOf(response);
  const take = async (): Promise<Seen> => (await results.next()).value!.data!.eventLogged;
  const seen = [await take(), await take()];
  await atHead(1);
  const live = await log(server, ['c', 'd']);
  seen.push(await take(), await take());
  expect(check([...old, ...live], seen)).toEqual(FAULTLESS);
  await results.return();

  const resumed = resultsOf(await request(server, subscription, { after: seen[2]!.cursor }));
  expect((await resumed.next()).value!.data!.eventLogged).toEqual(seen[3]);
  await resumed.return();
  await atHead(0);
});

test('a client that goes away ends its follower at once, though nothing is being sent', async () => {
  const server = await testServer();
  const leaving = new AbortController();
  const [, staying] = await Promise.all([
    request(server, subscription, {}, { signal: leaving.signal }),
    request(server, subscription, {}),
  ]);
  await atHead(2);
  leaving.abort();
  await vi.waitFor(() => expect(followers()).toBe(1), { timeout: 300, interval: 5 });
  const [logged] = await log(server, ['next']);
  const results = resultsOf(staying);
  expect((await results.next()).value!.data!.eventLogged).toEqual(logged);
  await atHead(1); // the one that left did not come back to wait again
  await results.return();
  await atHead(0);
});

test.each([
  ['CURSOR_INVALID', subscription, { after: 'garbage' }],
  ['BAD_USER_INPUT', 'subscription { eventLogged(filter: { ipAddress: ["x"] }) { cursor } }', {}],
])(
  'a subscription over server-sent events that cannot begin says %s',
  async (code, query, variables) => {
    const server = await testServer();
    const { value } = await resultsOf(await request(server, query, variables)).next();
    expect(value!.errors).toMatchObject([{ extensions: { code } }]);
  },
);

test('a key that may not read gets FORBIDDEN', async () => {
  const server = await testServer();
  const { data } = await server.graphql(
    'mutation { createApiKey(name: "writer", scopes: [EVENTS_WRITE]) { key } }',
  );
  const response = await request(server, subscription, {}, { key: data.createApiKey.key });
  const { value } = await resultsOf(response).next();
  expect(value!.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test('each message carries its cursor as its id, and Last-Event-ID goes on after it, whatever `after` says', async () => {
  const server = await testServer();
  const logged = await log(server, ['a', 'b', 'c', 'd']);
  const messages = messagesOf(await request(server, subscription, { after: 'earliest' }));
  const seen: Seen[] = [];
  while (seen.length < 4) {
    const { id, event, data } = (await messages.next()).value!;
    expect(event).toBe('next');
    seen.push((JSON.parse(data!) as Result).data!.eventLogged);
    expect(id).toBe(seen.at(-1)!.cursor);
  }
  await messages.return();
  expect(check(logged, seen)).toEqual(FAULTLESS);

  for (const variables of [
    {},
    { after: 'earliest' },
    { after: seen[3]!.cursor },
    { after: 'garbage' },
  ]) {
    const resumed = resultsOf(
      await request(server, subscription, variables, {
        headers: { 'last-event-id': seen[1]!.cursor },
      }),
    );
    for (const expected of seen.slice(2))
      expect((await resumed.next()).value!.data!.eventLogged).toEqual(expected);
    await resumed.return();
  }
  await atHead(0);
});

test('a stream of batches can be gone on with after the id of any of its messages', async () => {
  const server = await testServer();
  await log(server, ['a', 'b', 'c']);
  const query = `subscription($after: String) { eventStream(after: $after, maxBatch: 2) { cursor events { username } } }`;
  const messages = messagesOf(await request(server, query, { after: 'earliest' }));
  const begin = (await messages.next()).value!;
  expect(begin.id).toBe('earliest');
  const first = (await messages.next()).value!;
  const { cursor, events } = JSON.parse(first.data!).data.eventStream;
  expect([first.id, events]).toEqual([cursor, [{ username: 'a' }, { username: 'b' }]]);
  await messages.return();
  const resumed = messagesOf(
    await request(server, query, {}, { headers: { 'last-event-id': first.id! } }),
  );
  expect((await resumed.next()).value!.id).toBe(first.id);
  expect(JSON.parse((await resumed.next()).value!.data!).data.eventStream.events).toEqual([
    { username: 'c' },
  ]);
  await resumed.return();
});

const asked = (server: TestServer, query: string, init: RequestInit): Promise<Response> =>
  fetch(`${server.url}/graphql?${new URLSearchParams({ query }).toString()}`, {
    ...init,
    headers: { accept: 'text/event-stream', authorization: `Bearer ${ADMIN_KEY}` },
  });
const everything = `subscription { eventLogged(after: "earliest") { ${selection} } }`;

test('a GET may subscribe, as an EventSource does', async () => {
  const server = await testServer();
  const [logged] = await log(server, ['a']);
  const response = await asked(server, everything, {});
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const results = resultsOf(response);
  expect((await results.next()).value!.data!.eventLogged).toEqual(logged);
  await results.return();
  await atHead(0);
});

test.each(['HEAD', 'PUT', 'DELETE'])('a %s subscribes to nothing', async (method) => {
  const server = await testServer();
  const response = await asked(server, everything, { method, signal: AbortSignal.timeout(3_000) });
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(followers()).toBe(0);
});

test.each([
  'multipart/mixed',
  'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0, application/json',
  'application/json',
  'application/graphql-response+json',
  '*/*',
])(
  'a client that accepts %s is refused a subscription with 406, and nothing is left',
  async (accept) => {
    const server = await testServer();
    for (const query of [everything, 'subscription { eventStream { cursor } }']) {
      const response = await request(server, query, {}, { headers: { accept } });
      expect(response.status).toBe(406);
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      expect(await response.json()).toMatchObject({
        errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
      });
    }
    await sleep(50);
    expect(followers()).toBe(0);
  },
);

test('a subscription behind a stream on one connection is not begun: all it would be sent would stay in memory', async () => {
  const server = await testServer();
  const body = JSON.stringify({ query: `subscription { eventLogged { ${selection} } }` });
  const { hostname, port } = new URL(server.url);
  const subscribing = `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_KEY}\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const client = connect(Number(port), hostname);
  client.write(subscribing.repeat(5));
  const subscribers = async () =>
    /^jejak_live_subscribers (.*)$/m.exec(await (await fetch(`${server.url}/metrics`)).text())![1];
  await expect.poll(subscribers).toBe('1');
  await sleep(500);
  expect(await subscribers()).toBe('1');
  client.destroy();
  await expect.poll(subscribers).toBe('0');
});

test('a client that went away before its subscription began leaves nothing', async () => {
  const server = await testServer();
  const left = await leaveEarly(server, 'EVENTS_READ', (key, signal) =>
    request(server, subscription, {}, { key, signal }),
  );
  expect(left).toBe('left');
  await sleep(300);
  expect(followers()).toBe(0);
});

test('a key that another server revoked has its streams ended within 10 s, and no others', async () => {
  const server = await testServer();
  const { data } = await server.graphql(
    'mutation { createApiKey(name: "k", scopes: [EVENTS_READ, EVENTS_READ_PERSONAL]) { key apiKey { id } } }',
  );
  const { key, apiKey } = data.createApiKey;
  const [leaving, staying] = await Promise.all([
    request(server, subscription, {}, { key }),
    request(server, subscription, {}),
  ]);
  await atHead(2);
  const other = await testServer(server.database);
  await other.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { id } }', { id: apiKey.id });
  const began = performance.now();
  const ended = resultsOf(leaving);
  const results = resultsOf(staying);
  for (const stream of [ended, ended, results, results])
    expect((await stream.next()).value!.data!.eventLogged.event.username).toBe('administrator'); // that it was revoked
  expect((await ended.next()).value).toMatchObject({
    errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
  });
  expect((await ended.next()).done).toBe(true);
  expect(performance.now() - began).toBeLessThan(10_000);
  await atHead(1);
  const [logged] = await log(server, ['after']);
  expect((await results.next()).value!.data!.eventLogged).toEqual(logged);
  await results.return();
});

test('a server that stops ends its streams whole, and none is complete', async () => {
  const server = await createTestServer();
  const response = await request(server, subscription, {});
  await atHead(1);
  await server[Symbol.asyncDispose]();
  const messages = await Array.fromAsync(messagesOf(response));
  expect(messages.filter(({ event }) => event === 'complete')).toEqual([]);
});

test('B5: a client that takes nothing is given up after 30 s, and counted', async () => {
  const server = await testServer();
  const closes = async () =>
    Number(/^jejak_live_slow_closes_total (\d+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())![1]); // oxfmt-ignore
  const stalled = await request(server, 'subscription { eventLogged { event { metadata } } }', {});
  await atHead(1);
  using write = createTestLog(server.database.sql);
  const began = performance.now();
  const metadata = { filling: 'x'.repeat(16_000) };
  for (let call = 0; call < 6; call++)
    await write(Array.from({ length: 500 }, () => ({ code: 'AUTH-001', metadata })));
  await vi.waitFor(async () => expect(await closes()).toBe(1), { timeout: 50_000, interval: 500 });
  expect(performance.now() - began).toBeGreaterThan(28_000);
  await atHead(0);
  await stalled.body!.cancel().catch(() => {});
}, 140_000);

test('a stream on which nothing comes is kept alive by comments', async () => {
  const server = await testServer();
  const messages = messagesOf(await request(server, subscription, {}));
  expect((await messages.next()).value).toEqual({}); // within the time of this test
  await messages.return();
  await atHead(0);
}, 16_000);
