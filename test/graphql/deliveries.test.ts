// Those who watch the same share the work and nothing else: each gets what it asked for, in its own words.

import { expect, test } from 'vitest';
import { ADMIN_KEY, type TestServer, testServer } from '../support/server.ts';

type Logged = { eventLogged: { cursor?: string; event: Record<string, unknown> } };

const log = async (server: TestServer, usernames: readonly string[]): Promise<string[]> => {
  const { data } = await server.graphql(
    'mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { cursor } } }',
    { input: usernames.map((username) => ({ code: 'AUTH-001', username })) },
  );
  return data.logEvents.results.map(({ cursor }: { cursor: string }) => cursor);
};

const filtered =
  'subscription($filter: EventFilter, $after: String) { eventLogged(filter: $filter, after: $after) { event { username } } }';
const conditional =
  'subscription($named: Boolean!, $after: String) { eventLogged(after: $after) { event { username @include(if: $named) code } } }';
const bySuffix = (suffix: string) =>
  `subscription($after: String) { eventLogged(after: $after) { event { ${suffix} } } }`;

/** Documents and variables, and what one gets for an event of this name; undefined where it is not wanted. */
const watchers: readonly [string, object, (username: string) => object | undefined][] = [
  [bySuffix('username'), {}, (username) => ({ username })],
  [bySuffix('who: username'), {}, (username) => ({ who: username })],
  [bySuffix('username code'), {}, (username) => ({ username, code: 'AUTH-001' })],
  [`${bySuffix('...part')} fragment part on Event { username }`, {}, (username) => ({ username })],
  [`${bySuffix('...part')} fragment part on Event { code }`, {}, () => ({ code: 'AUTH-001' })],
  [conditional, { named: true }, (username) => ({ username, code: 'AUTH-001' })],
  [conditional, { named: false }, () => ({ code: 'AUTH-001' })],
  [filtered, {}, (username) => ({ username })],
  [
    filtered,
    { filter: { username: ['a'] } },
    (username) => (username === 'a' ? { username } : undefined),
  ],
  [
    filtered,
    { filter: { username: ['b'] } },
    (username) => (username === 'b' ? { username } : undefined),
  ],
  [filtered, { filter: { severity: ['CRITICAL'] } }, () => undefined],
];

test('subscribers whose filters, documents or variables differ in anything get each their own', async () => {
  const server = await testServer();
  const usernames = ['a', 'b', 'c', 'a'];
  const [begin] = await log(server, ['before']);
  // Each twice, so that there is something to share, in turn, so that the first is always another.
  const all = [...watchers, ...watchers].map(([query, variables, wanted]) => ({
    subscriber: server.subscribe<Logged>(query, { ...variables, after: begin }),
    expected: usernames.map(wanted).filter((event) => event !== undefined),
  }));
  await log(server, usernames.slice(0, 2));
  await log(server, usernames.slice(2));
  for (const { subscriber, expected } of all) {
    const seen: object[] = [];
    while (seen.length < expected.length) seen.push((await subscriber.next()).eventLogged.event);
    expect(seen).toEqual(expected);
  }
  for (const { subscriber } of all) {
    expect(subscriber.waiting()).toEqual([]);
    await subscriber[Symbol.asyncDispose]();
  }
});

test('subscribers who ask the same of different places get each what comes after its own', async () => {
  const server = await testServer();
  const usernames = ['a', 'b', 'c', 'd'];
  const cursors = await log(server, usernames);
  const subscribers = ['earliest', ...cursors].map((after) =>
    server.subscribe<Logged>(filtered, { after }),
  );
  await log(server, ['e']);
  for (const [index, subscriber] of subscribers.entries()) {
    const expected = [...usernames.slice(index), 'e'];
    const seen: unknown[] = [];
    while (seen.length < expected.length)
      seen.push((await subscriber.next()).eventLogged.event['username']);
    expect(seen).toEqual(expected);
    expect(subscriber.waiting()).toEqual([]);
    await subscriber[Symbol.asyncDispose]();
  }
});

test('who may not read is refused what others already watch', async () => {
  const server = await testServer();
  const { data } = await server.graphql(
    'mutation { createApiKey(name: "writer", scopes: [EVENTS_WRITE]) { key } }',
  );
  const begun = { after: 'earliest', filter: { category: ['AUTH'] } };
  await using reading = server.subscribe<Logged>(filtered, begun);
  await log(server, ['a']);
  expect((await reading.next()).eventLogged.event).toEqual({ username: 'a' });
  await using refused = server.subscribe(filtered, begun, data.createApiKey.key);
  await expect(refused.next()).rejects.toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  await log(server, ['b']);
  expect((await reading.next()).eventLogged.event).toEqual({ username: 'b' });
});

test('the operation that is named is the one that is watched', async () => {
  const server = await testServer();
  const query = `subscription One { eventLogged(after: "earliest") { event { username } } }
    subscription Other { eventLogged(after: "earliest") { event { code } } }`;
  await log(server, ['a']);
  const watched = await Promise.all(
    ['One', 'Other'].map(async (operationName) => {
      const leaving = new AbortController();
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: `Bearer ${ADMIN_KEY}`,
        },
        body: JSON.stringify({ query, operationName }),
        signal: leaving.signal,
      });
      const { value } = await response.body!.getReader().read();
      leaving.abort();
      return /data: (.*)/.exec(Buffer.from(value!).toString())![1];
    }),
  );
  expect(watched).toEqual([
    '{"data":{"eventLogged":{"event":{"username":"a"}}}}',
    '{"data":{"eventLogged":{"event":{"code":"AUTH-001"}}}}',
  ]);
});
