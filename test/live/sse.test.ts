// The same subscriptions as server-sent events, for clients that have only HTTP.

import { expect, test, vi } from 'vitest';
import { FAULTLESS, type Seen, check } from '../support/checker.ts';
import { followers } from '../support/followers.ts';
import { ADMIN_KEY, type TestServer, testServer } from '../support/server.ts';

vi.mock('../../src/live/groups.ts', async (original) =>
  (await import('../support/followers.ts')).countingFollowers(original),
);

type Result = {
  data?: { eventLogged: Seen } | null;
  errors?: { message: string; extensions: { code: string } }[];
};

const selection = 'cursor event { eventId username }';
const subscription = `subscription($after: String) { eventLogged(after: $after) { ${selection} } }`;

const request = (
  server: TestServer,
  query: string,
  variables: object,
  { key = ADMIN_KEY, signal }: { key?: string; signal?: AbortSignal } = {},
): Promise<Response> =>
  fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${key}`,
    },
    body: JSON.stringify({ query, variables }),
    ...(signal === undefined ? {} : { signal }),
  });

/** The results in a stream of server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html reads it. */
async function* resultsOf(response: Response): AsyncGenerator<Result, void, void> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      if (!lines.includes('event: next')) continue;
      yield JSON.parse(lines.find((line) => line.startsWith('data: '))!.slice(6)) as Result;
    }
  }
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
    'mutation { createApiKey(name: "writer", scopes: [WRITE]) { key } }',
  );
  const response = await request(server, subscription, {}, { key: data.createApiKey.key });
  const { value } = await resultsOf(response).next();
  expect(value!.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});
