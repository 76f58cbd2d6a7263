// The client that never gives up, against whole servers behind a network that fails: what it is fed is judged as any
// subscriber's, across all its connections.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type FollowOptions, follow } from '../../clients/javascript/follow.js';
import { type Proxy, startProxy } from '../../crash/proxy.ts';
import { parseCursor } from '../../src/live/cursor.ts';
import { type Acknowledged, FAULTLESS, type Seen, check } from '../support/checker.ts';
import { testDatabase } from '../support/database.ts';
import { followers } from '../support/followers.ts';
import { ADMIN_KEY, type TestServer, createTestServer } from '../support/server.ts';

vi.mock('../../src/live/groups.ts', async (original) =>
  (await import('../support/followers.ts')).countingFollowers(original),
);

const selection = 'cursor event { eventId username }';
const query = `subscription($after: String) { eventLogged(filter: { category: [AUTH] }, after: $after) { ${selection} } }`;
const authorization = `Bearer ${ADMIN_KEY}`;

type Stage = {
  readonly server: () => TestServer;
  readonly proxy: Proxy;
  readonly restart: () => Promise<void>;
  /** Follows through the proxy; `states` are those it had. */
  readonly begin: (options?: Partial<FollowOptions>) => {
    following: ReturnType<typeof follow<Seen>>;
    states: string[];
  };
  readonly log: (...usernames: string[]) => Promise<Acknowledged[]>;
};

/** A server that can be restarted, and the way to it, which can be cut. */
const setStage = async (): Promise<Stage> => {
  const database = await testDatabase();
  let server = await createTestServer(database);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const proxy = await startProxy(() => ({ port: Number(new URL(server.url).port) }));
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return {
    server: () => server,
    proxy,
    restart: async () => {
      await server[Symbol.asyncDispose]();
      server = await createTestServer(database);
    },
    begin: (options) => {
      const states: string[] = [];
      const url = `ws://127.0.0.1:${proxy.port}/graphql`;
      const onState: FollowOptions['onState'] = (state, why) =>
        states.push(why ? `${state} ${why.code}` : state);
      const following = follow<Seen>({ url, authorization, query, onState, ...options });
      onTestFinished(() => void following.return!());
      return { following, states };
    },
    log: async (...usernames) => {
      const input = usernames.map((username) => ({
        eventId: randomUUID(),
        code: 'AUTH-001',
        username,
      }));
      const { data } = await server.graphql(
        `mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { ${selection} } } }`,
        { input },
      );
      return data.logEvents.results;
    },
  };
};

const take = async (following: AsyncIterator<Seen>, count: number): Promise<Seen[]> => {
  const seen: Seen[] = [];
  while (seen.length < count) seen.push((await following.next()).value);
  return seen;
};
const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${index}`);
const atHead = (count: number): Promise<void> =>
  vi.waitFor(() => expect(followers()).toBe(count), { timeout: 5_000, interval: 5 });

test.each([
  ['the global WebSocket', undefined],
  ['the WebSocket of ws', WebSocket],
])('over %s, cuts and restarts leave neither gap nor repeat', async (_, webSocketImpl) => {
  const { begin, log, proxy, restart } = await setStage();
  const acknowledged = await log('before');
  const { following, states } = begin({ webSocketImpl, after: 'earliest', pingMs: 200 });
  const seen = take(following, 31);
  const misfortunes = [
    async () => proxy.set('away'),
    async () => proxy.set('hole'),
    restart,
  ] as const;
  for (const strike of [...misfortunes, ...misfortunes]) {
    await vi.waitFor(() => expect(states.at(-1)).toBe('connected'), { timeout: 5_000 });
    states.length = 0;
    acknowledged.push(...(await log('during', 'during')));
    await strike();
    acknowledged.push(...(await log('after', 'after', 'after')));
    await vi.waitFor(() => expect(states).toContain('waiting DISCONNECTED'), 10_000);
    proxy.set('fair');
  }
  expect(check(acknowledged, await seen)).toEqual(FAULTLESS);
  await sleep(500);
  expect(followers()).toBe(1); // what was given up is gone
});

test('a connection that is closed normally is no end either, and is not taken up by graphql-ws', async () => {
  const { begin, log } = await setStage();
  const acknowledged = await log('one');
  const sockets: WebSocket[] = [];
  const webSocketImpl = class extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      sockets.push(this);
    }
  };
  const { following } = begin({ webSocketImpl, after: 'earliest' });
  const seen = await take(following, 1);
  sockets[0]!.close(1000);
  acknowledged.push(...(await log('two')));
  seen.push(...(await take(following, 1)));
  expect(check(acknowledged, seen)).toEqual(FAULTLESS);
  await sleep(500);
  expect(sockets).toHaveLength(2);
  await following.return!();
  await sleep(500);
  expect(sockets).toHaveLength(2);
});

test('what is logged before the first payload, while nothing is connected, is not missed', async () => {
  const { begin, log, proxy } = await setStage();
  await log('before');
  const { following, states } = begin();
  const seen = take(following, 2);
  await atHead(1);
  proxy.set('away');
  await vi.waitFor(() => expect(states).toContain('waiting DISCONNECTED'), 10_000);
  const acknowledged = await log('one', 'two');
  proxy.set('fair');
  expect(check(acknowledged, await seen)).toEqual(FAULTLESS);
});

test('the cursor is that of the last payload that was taken, and another goes on after it', async () => {
  const { begin, log } = await setStage();
  const acknowledged = await log('one', 'two', 'three');
  const { following } = begin({ after: 'earliest' });
  expect(following.cursor).toBe('earliest');
  const seen = await take(following, 2);
  expect(following.cursor).toBe(acknowledged[1]!.cursor);
  const next = begin({ after: following.cursor });
  seen.push(...(await take(next.following, 1)));
  expect(check(acknowledged, seen)).toEqual(FAULTLESS);
});

test('a key that was revoked is followed by the one that the function gives next', async () => {
  const { begin, log, server, restart } = await setStage();
  const keys = [
    await createKey(server(), 'EVENTS_READ, EVENTS_READ_PERSONAL'),
    await createKey(server(), 'EVENTS_READ, EVENTS_READ_PERSONAL'),
  ];
  let current = 0;
  const { following, states } = begin({ authorization: () => `Bearer ${keys[current]!.key}` });
  const seen = take(following, 2);
  await atHead(1);
  const acknowledged = await log('one');
  await server().graphql(`mutation { revokeApiKey(id: ${keys[0]!.id}) { id } }`);
  await restart();
  await vi.waitFor(() => expect(states).toContain('waiting UNAUTHENTICATED'), { timeout: 5_000 });
  acknowledged.push(...(await log('two')));
  current = 1;
  expect(check(acknowledged, await seen)).toEqual(FAULTLESS);
});

test('a function that fails is asked again', async () => {
  const { begin, log } = await setStage();
  const acknowledged = await log('one');
  let asked = 0;
  const { following } = begin({
    after: 'earliest',
    authorization: async () => {
      if (++asked < 3) throw new Error('There is no network');
      return authorization;
    },
  });
  expect(check(acknowledged, await take(following, 1))).toEqual(FAULTLESS);
});

test('what trying again cannot mend ends the iteration with its code', async () => {
  const { begin, log, server } = await setStage();
  const [first] = await log('one');
  await log('two');
  await server().database.sql`DELETE FROM batches WHERE seq <= ${parseCursor(first!.cursor)!.seq}`;
  const { key } = await createKey(server(), 'EVENTS_WRITE');
  const { data } = await server().graphql('mutation { createApiKey(name: "k", scopes: [EVENTS_READ], sources: ["203.0.113.0/24"]) { key } }'); // oxfmt-ignore
  const subscription = (rest: string): string => `subscription($after: String) { ${rest} }`;
  const mistakes: [string, Partial<FollowOptions>][] = [
    ['BAD_USER_INPUT', { query: subscription('eventLogged(after: $after) { cursor') }],
    ['BAD_USER_INPUT', { query: subscription('eventLogged(after: $after) { cursor nothing }') }],
    ['BAD_USER_INPUT', { query: subscription('eventLogged(after: $after) { event { id } }') }],
    ['BAD_USER_INPUT', { query: 'subscription { eventLogged { cursor } }' }],
    ['BAD_USER_INPUT', { query: `${query} # ${'long '.repeat(20_000)}` }],
    ['CURSOR_INVALID', { after: 'AAAA' }],
    ['CURSOR_EXPIRED', { after: first!.cursor }],
    ['FORBIDDEN', { authorization: `Bearer ${key}` }],
    ['FORBIDDEN', { authorization: () => `Bearer ${data.createApiKey.key}` }],
    ['UNAUTHENTICATED', { authorization: 'Bearer nobody' }],
  ];
  for (const [code, options] of mistakes) {
    const { following, states } = begin({ after: 'earliest', ...options });
    const error: unknown = await following.next().catch((reason: unknown) => reason);
    expect({ options, error }).toEqual({ options, error: expect.any(Error) });
    expect({ options, ...(error as object) }).toEqual({ options, code });
    expect(states.filter((state) => state.startsWith('waiting'))).toEqual([]);
    expect(await following.next()).toEqual({ done: true, value: undefined });
  }
});

test('where there is no WebSocket it says so', async () => {
  const { begin } = await setStage();
  vi.stubGlobal('WebSocket', undefined);
  try {
    const { following } = begin({ after: 'earliest', webSocketImpl: undefined });
    await expect(following.next()).rejects.toThrow('There is no WebSocket here');
  } finally {
    vi.unstubAllGlobals();
  }
});

test('tries again ever more rarely, and by chance', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  onTestFinished(() => void vi.restoreAllMocks());
  const { begin, proxy } = await setStage();
  proxy.set('away');
  const { following, states } = begin();
  const ending = following.next();
  await sleep(3_000); // tries at 0, 125, 375, 875 and 1,875 ms, then at 3,875 ms
  expect(states.filter((state) => state === 'connecting')).toHaveLength(5);
  await following.return!();
  expect(await ending).toEqual({ done: true, value: undefined });
});

test('leaving the loop ends the subscription at the server', async () => {
  const { begin, log } = await setStage();
  await log('one');
  const { following } = begin({ after: 'earliest' });
  for await (const { event } of following) {
    expect(event['username']).toBe('one');
    await atHead(1);
    break;
  }
  await atHead(0);
});

test('the signal ends it wherever it is: at the head, connecting, waiting, asking for a credential', async () => {
  const { begin, proxy, log } = await setStage();
  const never = new Promise<string>(() => {});
  const cases = [
    { weather: 'fair', reached: 'connected' },
    { weather: 'hole', reached: 'connecting' },
    { weather: 'away', reached: 'waiting DISCONNECTED' },
    { weather: 'fair', reached: 'connecting', authorization: () => never },
  ] as const;
  for (const { weather, reached, ...options } of cases) {
    proxy.set(weather);
    const leaving = new AbortController();
    const { following, states } = begin({ ...options, signal: leaving.signal });
    const next = following.next();
    await vi.waitFor(() => expect(states).toContain(reached), 10_000);
    leaving.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    proxy.set('fair');
    await atHead(0);
  }
  await log('nobody hears');
  const { following } = begin({ after: 'earliest', signal: AbortSignal.abort() });
  expect(await following.next()).toEqual({ done: true, value: undefined });
});

test('a consumer that is slow holds no more than the bound, and misses nothing', async () => {
  const { begin, log } = await setStage();
  const acknowledged: Acknowledged[] = [];
  for (let call = 0; call < 5; call++) acknowledged.push(...(await log(...numbered(1_000))));
  const { following, states } = begin({ after: 'earliest' });
  const seen = await take(following, 1);
  await vi.waitFor(() => expect(states).toContain('paused'), 10_000);
  await atHead(0); // the server is rid of it
  seen.push(...(await take(following, 900)));
  expect(states.filter((state) => state === 'paused')).toHaveLength(1);
  while (seen.length < acknowledged.length) {
    seen.push(...(await take(following, 1)));
    if (seen.length % 500 === 0) await sleep(50);
  }
  expect(check(acknowledged, seen)).toEqual(FAULTLESS);
  expect(states.filter((state) => state.startsWith('waiting'))).toEqual([]);
});

const createKey = async (
  server: TestServer,
  scope: string,
): Promise<{ key: string; id: string }> => {
  const { data } = await server.graphql(
    `mutation { createApiKey(name: "follower", scopes: [${scope}]) { key apiKey { id } } }`,
  );
  return { key: data.createApiKey.key, id: data.createApiKey.apiKey.id };
};
