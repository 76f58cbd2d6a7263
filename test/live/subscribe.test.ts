// What a subscriber may rely on, through a whole server and a real socket: where it begins, what it gets, and that it goes
// on, whatever happens to notifications and connections.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Event } from '../../src/events/fields.ts';
import { formatCursor, parseCursor } from '../../src/live/cursor.ts';
import { type Acknowledged, FAULTLESS, type Seen, check } from '../support/checker.ts';
import type { TestDatabase } from '../support/database.ts';
import { followers } from '../support/followers.ts';
import {
  ADMIN_KEY,
  type Subscriber,
  type TestServer,
  createTestServer,
  testServer,
} from '../support/server.ts';

vi.mock('../../src/live/groups.ts', async (original) =>
  (await import('../support/followers.ts')).countingFollowers(original),
);

type Payload = { eventLogged: Seen };
const subscription =
  'subscription($after: String) { eventLogged(after: $after) { cursor event { eventId username } } }';
const selection = 'cursor event { eventId username }';

const logOne = async (server: TestServer, username: string): Promise<Acknowledged> => {
  const sent = performance.now();
  const { data } = await server.graphql(
    `mutation($input: LogEventInput!) { logEvent(input: $input) { ${selection} } }`,
    { input: { code: 'AUTH-001', username } },
  );
  return { ...data.logEvent, sent, answered: performance.now() };
};

/** Logs together; again with the same ids while the database is away. */
const logMany = async (
  server: TestServer,
  usernames: readonly string[],
): Promise<Acknowledged[]> => {
  const call = randomUUID().slice(0, 8);
  const input = usernames.map((username, index) => ({
    eventId: `${call}-${index}`,
    code: 'AUTH-001',
    username,
  }));
  const sent = performance.now();
  for (;;) {
    const { data, errors } = await server.graphql(
      `mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { ${selection} } } }`,
      { input },
    );
    const answered = performance.now();
    if (data) return data.logEvents.results.map((seen: Seen) => ({ ...seen, sent, answered }));
    expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
    await sleep(100);
  }
};

const numbered = (count: number, prefix = 'n'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

const take = async (subscriber: Subscriber<Payload>, count: number): Promise<Seen[]> => {
  const seen: Seen[] = [];
  while (seen.length < count) seen.push((await subscriber.next()).eventLogged);
  return seen;
};
const names = (seen: readonly Seen[]): unknown[] => seen.map(({ event }) => event['username']);
const nothingMore = async (subscriber: Subscriber<unknown>): Promise<void> => {
  await sleep(350); // longer than a poll
  expect(subscriber.waiting()).toEqual([]);
};
const follow = (server: TestServer, after?: string | null): Subscriber<Payload> =>
  server.subscribe<Payload>(subscription, { after });
/** Resolves when the socket has been answered and its followers wait at the head. */
const atHead = (count: number): Promise<void> =>
  vi.waitFor(() => expect(followers()).toBe(count), { timeout: 5_000, interval: 5 });

/** What is measured in milliseconds is measured again where somebody else used the machine. */
const TIMED = { retry: 2 };

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!;

test('a subscriber receives an event after it was logged, and can go on after its cursor', async () => {
  const server = await testServer();
  await using first = follow(server, 'earliest');
  const logged = [await logOne(server, 'a'), await logOne(server, 'b'), await logOne(server, 'c')];
  const seen = await take(first, 3);
  expect(check(logged, seen)).toEqual(FAULTLESS);
  await using second = follow(server, seen[0]!.cursor);
  expect(names(await take(second, 2))).toEqual(['b', 'c']);
});

test('without a cursor a subscriber receives what is committed from then on, and nothing from before', async () => {
  const server = await testServer();
  await using watcher = follow(server, 'earliest');
  for (let round = 0; round < 5; round++) {
    await logOne(server, 'before');
    expect(names(await take(watcher, 1))).toEqual(['before']);
    await using subscriber = follow(server);
    await atHead(2);
    await logOne(server, 'after');
    expect(names(await take(subscriber, 1))).toEqual(['after']);
    expect(names(await take(watcher, 1))).toEqual(['after']);
    await nothingMore(subscriber);
  }
});

test('a subscriber goes on in the middle of a batch, and after any cursor that logEvent or logEvents gave', async () => {
  const server = await testServer();
  const batch = await logMany(server, numbered(10));
  const single = await logOne(server, 'single');
  const last = await logOne(server, 'last');
  const all = [...batch, single, last];
  for (const from of [0, 3, 8, 9, 10]) {
    await using subscriber = follow(server, all[from]!.cursor);
    const rest = all.slice(from + 1);
    expect(check(rest, await take(subscriber, rest.length))).toEqual(FAULTLESS);
  }
  await using atTheEnd = follow(server, last.cursor);
  await nothingMore(atTheEnd);
  const next = await logOne(server, 'next');
  expect(check([next], await take(atTheEnd, 1))).toEqual(FAULTLESS);
});

test('the cursor of an event that was logged twice is where it stands', async () => {
  const server = await testServer();
  const mutation = `mutation { logEvent(input: { eventId: "mine", code: "AUTH-001" }) { outcome cursor } }`;
  const first = (await server.graphql(mutation)).data.logEvent;
  await logOne(server, 'next');
  const again = (await server.graphql(mutation)).data.logEvent;
  expect(again).toEqual({ outcome: 'DUPLICATE', cursor: first.cursor });
  await using subscriber = follow(server, again.cursor);
  expect(names(await take(subscriber, 1))).toEqual(['next']);
});

const listing = `query($filter: EventFilter, $first: Int) {
  events(filter: $filter, first: $first) { liveCursor edges { node { eventId username } } } }`;

test('the liveCursor of an empty log begins with the first event', async () => {
  const server = await testServer();
  const { liveCursor, edges } = (await server.graphql(listing)).data.events;
  expect(edges).toEqual([]);
  const logged = await logMany(server, numbered(3));
  await using subscriber = follow(server, liveCursor);
  expect(check(logged, await take(subscriber, 3))).toEqual(FAULTLESS);
});

test('the liveCursor of an empty page goes on where the page was read', async () => {
  const server = await testServer();
  await logMany(server, numbered(3, 'old'));
  const { liveCursor, edges } = (
    await server.graphql(listing, { filter: { username: ['nobody'] } })
  ).data.events;
  expect(edges).toEqual([]);
  const logged = await logMany(server, numbered(3, 'new'));
  await using subscriber = follow(server, liveCursor);
  expect(check(logged, await take(subscriber, 3))).toEqual(FAULTLESS);
});

test('a list and the subscription after its liveCursor have together each event once, under concurrent writing', async () => {
  const server = await testServer();
  const acknowledged: Acknowledged[] = [];
  let writing = true;
  const written = Promise.all(
    [1, 2, 3, 4].map(async (writer) => {
      for (let call = 0; writing; call++)
        acknowledged.push(
          ...(await logMany(server, numbered(1 + (call % 5), `w${writer}-${call}-`))),
        );
    }),
  );
  const lists: { listed: Seen['event'][]; subscriber: Subscriber<Payload> }[] = [];
  for (let round = 0; round < 8; round++) {
    await sleep(25);
    const { liveCursor, edges } = (
      await server.graphql(listing, { first: 200, filter: { range: { last: 'PT1H' } } })
    ).data.events;
    lists.push({
      listed: edges.map(({ node }: { node: Seen['event'] }) => node),
      subscriber: follow(server, liveCursor),
    });
  }
  writing = false;
  await written;
  const newest = acknowledged.toSorted((a, b) => (a.cursor < b.cursor ? -1 : 1));
  for (const { listed, subscriber } of lists) {
    await using _ = subscriber;
    const { seq } = await lastListed(server.database, listed);
    const rest = acknowledged.filter(({ cursor }) => parseCursor(cursor)!.seq > seq);
    expect(check(rest, await take(subscriber, rest.length))).toEqual(FAULTLESS);
    // What was listed is everything up to there: as many as fit on the page, none of the rest.
    const before = newest.length - rest.length;
    expect(listed).toHaveLength(Math.min(200, before));
    await nothingMore(subscriber);
  }
}, 120_000);

/** The last batch that a list saw, found from its events. */
const lastListed = async ({ sql }: TestDatabase, listed: readonly Seen['event'][]) => {
  const [row] = await sql<[{ seq: number }]>`
    SELECT coalesce(max(seq), 0) AS seq FROM batches JOIN events ON number = id / 1024
    WHERE event_id IN ${sql(['', ...listed.map(({ eventId }) => eventId)])}`;
  return row;
};

test('a cursor that this log never gave is refused with CURSOR_INVALID', async () => {
  const server = await testServer();
  const { cursor } = await logOne(server, 'a');
  const { seq, place } = parseCursor(cursor)!;
  const key = 'ffffffff-0000-4000-8000-000000000000'; // of a batch in another history
  const foreign = {
    garbage: 'garbage',
    'nothing at all': '',
    'cut short': cursor.slice(0, -1),
    'another version': `Ag${cursor.slice(2)}`,
    'another log': formatCursor({ seq, place, key }),
    'the future': formatCursor({ seq: seq + 1, place, key }),
    'the far future': formatCursor({ seq: Number.MAX_SAFE_INTEGER, place, key }),
    'beyond any number': Buffer.alloc(15, 255).fill(1, 0, 1).toString('base64url'),
  };
  for (const [what, after] of Object.entries(foreign)) {
    await using subscriber = follow(server, after);
    const errors: unknown = await subscriber.next().catch((error: unknown) => error);
    expect({ what, errors }).toMatchObject({
      what,
      errors: [{ extensions: { code: 'CURSOR_INVALID' } }],
    });
  }
});

test('a cursor from before what is kept is refused with CURSOR_EXPIRED, and "earliest" begins with what is', async () => {
  const server = await testServer();
  const [first, second, third, fourth] = [
    await logOne(server, '1'), await logOne(server, '2'), await logOne(server, '3'), await logOne(server, '4'),
  ]; // oxfmt-ignore
  await server.database.sql`DELETE FROM batches WHERE seq <= ${parseCursor(second.cursor)!.seq}`;
  for (const { cursor } of [first, second]) {
    await using subscriber = follow(server, cursor);
    await expect(subscriber.next()).rejects.toMatchObject([
      { extensions: { code: 'CURSOR_EXPIRED' } },
    ]);
  }
  const other = await testServer(server.database); // has nothing in memory
  for (const each of [server, other]) {
    await using kept = follow(each, third.cursor);
    expect(check([fourth], await take(kept, 1))).toEqual(FAULTLESS);
    await using earliest = follow(each, 'earliest');
    expect(check([third, fourth], await take(earliest, 2))).toEqual(FAULTLESS);
  }
});

test('securityEventLogged gives SECURITY of any severity and CRITICAL of any category, and nothing else', async () => {
  const server = await testServer();
  await using subscriber = server.subscribe<{
    securityEventLogged: { event: Pick<Event, 'category' | 'severity'> };
  }>('subscription { securityEventLogged(after: "earliest") { event { category severity } } }');
  const categories = ['AUTH', 'DATA', 'PRED', 'MODEL', 'SYSTEM', 'SECURITY', 'ANALYTICS', 'ADMIN'];
  const severities = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];
  const all = categories.flatMap((category) =>
    severities.map((severity) => ({ category, severity })),
  );
  await server.graphql(
    'mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }',
    { input: all.map((each) => ({ ...each, type: 'T', name: 'n', status: 'ALERT' })) },
  );
  const wanted = all.filter(
    ({ category, severity }) => category === 'SECURITY' || severity === 'CRITICAL',
  );
  expect(wanted).toHaveLength(5 + 8 - 1);
  for (const expected of wanted)
    expect((await subscriber.next()).securityEventLogged.event).toEqual(expected);
  await nothingMore(subscriber);
});

test(
  'an attack whose address cannot exist reaches a subscriber within 50 ms of its answer',
  TIMED,
  async () => {
    const server = await testServer();
    await using subscriber = server.subscribe<{
      securityEventLogged: { event: { code: string; ipAddress: null; metadata: object } };
    }>(
      'subscription { securityEventLogged(after: "earliest") { event { code ipAddress metadata } } }',
    );
    const latencies: number[] = [];
    for (let attack = 0; attack < 9; attack++) {
      const { data } = await server.graphql(
        'mutation { logEvent(input: { code: "SEC-002", ipAddress: "192.168.1.999" }) { outcome } }',
      );
      expect(data).toEqual({ logEvent: { outcome: 'REPAIRED' } });
      const answered = performance.now();
      const { event } = (await subscriber.next()).securityEventLogged;
      latencies.push(performance.now() - answered);
      expect(event).toMatchObject({
        code: 'SEC-002',
        ipAddress: null,
        metadata: { _original: { ip_address: '192.168.1.999' } },
      });
    }
    expect(median(latencies)).toBeLessThan(50);
  },
);

test('two servers on one database deliver what both wrote in the same order', async () => {
  const one = await testServer();
  const two = await testServer(one.database);
  await using onOne = follow(one, 'earliest');
  await using onTwo = follow(two, 'earliest');
  const acknowledged: Acknowledged[] = [];
  await Promise.all(
    [one, two, one, two].map(async (server, writer) => {
      for (let call = 0; call < 25; call++)
        acknowledged.push(...(await logMany(server, numbered(4, `${writer}-${call}-`))));
    }),
  );
  const [fromOne, fromTwo] = [await take(onOne, 400), await take(onTwo, 400)];
  expect(fromTwo).toEqual(fromOne);
  expect(check(acknowledged, fromOne)).toEqual(FAULTLESS);
});

// What may fail around a subscriber.

const POLL_MS = 250;

/** How long each of some events took from its answer to the subscriber. */
const latenciesOf = async (
  server: TestServer,
  subscriber: Subscriber<Payload>,
  count: number,
): Promise<number[]> => {
  const latencies: number[] = [];
  for (let index = 0; index < count; index++) {
    const { event, answered } = await logOne(server, `${index}`);
    const { eventLogged } = await subscriber.next();
    latencies.push(performance.now() - answered!);
    expect(eventLogged.event).toEqual(event);
  }
  return latencies;
};

test(
  'with every notification lost each event still arrives, late by the poll, and at once when they come again',
  TIMED,
  async () => {
    const server = await testServer();
    await using other = await createTestServer(server.database); // a server hears of its own commits without notifications
    await using subscriber = follow(server, 'earliest');
    await atHead(1);
    expect(median(await latenciesOf(other, subscriber, 5))).toBeLessThan(POLL_MS / 4);
    const hear = await deafen(server.database);
    const late = await latenciesOf(other, subscriber, 5);
    expect(median(late)).toBeGreaterThan(POLL_MS / 4); // or it was not deaf
    expect(Math.max(...late)).toBeLessThan(POLL_MS * 4);
    hear();
    await latenciesOf(other, subscriber, 2);
    expect(median(await latenciesOf(other, subscriber, 5))).toBeLessThan(POLL_MS / 4);
  },
);

test('a server stops at once though the connection on which it listens is half-open', async () => {
  const server = await testServer();
  const other = await createTestServer(server.database);
  await deafen(server.database);
  const began = performance.now();
  await other[Symbol.asyncDispose]();
  expect(performance.now() - began).toBeLessThan(2_000);
});

test(
  'when the connection on which it listens is killed, a server listens on another',
  TIMED,
  async () => {
    const server = await testServer();
    const [listener] = await vi.waitFor(async () => {
      const found = await listeners(server.database);
      expect(found).toHaveLength(1);
      return found;
    }, 10_000);
    await using other = await createTestServer(server.database);
    await using subscriber = follow(server, 'earliest');
    await atHead(1);
    await server.database.sql`SELECT pg_terminate_backend(${listener!})`;
    await vi.waitFor(async () => {
      const found = await listeners(server.database);
      expect(found).toHaveLength(2);
      expect(found).not.toContain(listener);
    }, 10_000);
    expect(median(await latenciesOf(other, subscriber, 5))).toBeLessThan(POLL_MS / 4);
  },
);

test('a stream goes on without gap on the same socket though every connection to the database is killed again and again', async () => {
  const server = await testServer();
  const acknowledged: Acknowledged[] = [];
  // More than memory holds: whoever begins at the earliest reads from the table while connections die.
  for (let call = 0; call < 12; call++)
    acknowledged.push(...(await logMany(server, numbered(1000, `old-${call}-`))));
  await using atTheHead = follow(server, acknowledged.at(-1)!.cursor);
  await atHead(1);
  await using inTheTable = follow(server, 'earliest');
  const replayed = await take(inTheTable, 1);
  const before = acknowledged.length;
  for (let round = 0; round < 6; round++) {
    const logged = logMany(server, numbered(20, `new-${round}-`));
    await killBackends(server.database);
    acknowledged.push(...(await logged));
    await sleep(30);
  }
  const rest = acknowledged.slice(before);
  expect(check(rest, await take(atTheHead, rest.length))).toEqual(FAULTLESS);
  replayed.push(...(await take(inTheTable, acknowledged.length - 1)));
  expect(check(acknowledged, replayed)).toEqual(FAULTLESS);
  expect(check([await logOne(server, 'last')], await take(atTheHead, 1))).toEqual(FAULTLESS);
}, 120_000);

test('a subscription that begins while connections are killed begins all the same', async () => {
  const server = await testServer();
  const logged = await logMany(server, numbered(3));
  for (let round = 0; round < 10; round++) {
    const subscriber = follow(server, logged[0]!.cursor);
    await using _ = subscriber;
    await killBackends(server.database);
    expect(check(logged.slice(1), await take(subscriber, 2))).toEqual(FAULTLESS);
  }
});

// Ending.

test('a socket that closes ends its follower at once, also while it waits at the head', async () => {
  const server = await testServer();
  await using staying = follow(server);
  const leaving = Array.from({ length: 10 }, () => follow(server));
  await atHead(11);
  await Promise.all(leaving.map((subscriber) => subscriber[Symbol.asyncDispose]()));
  await vi.waitFor(() => expect(followers()).toBe(1), { timeout: 200, interval: 5 });
  await logOne(server, 'next');
  await take(staying, 1);
  await atHead(1); // and none of them came back to wait again
});

test('a socket that breaks without a word ends its follower', async () => {
  const server = await testServer();
  const { socket } = await openSubscription(server);
  await atHead(1);
  socket.terminate();
  await vi.waitFor(() => expect(followers()).toBe(0), { timeout: 500, interval: 5 });
});

test('who unsubscribes gets nothing more, and another subscription on the same socket goes on', async () => {
  const server = await testServer();
  const { client, subscribe } = await openSubscription(server);
  const [leaving, staying] = [subscribe(), subscribe()];
  await atHead(3);
  await logOne(server, 'one');
  await vi.waitFor(() => expect([leaving.seen, staying.seen]).toEqual([['one'], ['one']]), 10_000);
  leaving.unsubscribe();
  await atHead(2);
  await logOne(server, 'two');
  await vi.waitFor(() => expect(staying.seen).toEqual(['one', 'two']), 10_000);
  expect(leaving.seen).toEqual(['one']);
  await client.dispose();
  await atHead(0);
});

test('a subscriber that leaves in the middle of a replay ends it', async () => {
  const server = await testServer();
  for (let call = 0; call < 3; call++) await logMany(server, numbered(1000));
  const reading = follow(server, 'earliest');
  await take(reading, 10);
  await reading[Symbol.asyncDispose]();
  await using next = follow(server, 'earliest');
  expect(await take(next, 3000)).toHaveLength(3000);
  await atHead(1);
});

test('200 subscribers at once receive the same events in the same order', async () => {
  const server = await testServer();
  const subscribers = Array.from({ length: 200 }, () => follow(server));
  await atHead(200);
  const acknowledged: Acknowledged[] = [];
  for (let call = 0; call < 10; call++)
    acknowledged.push(...(await logMany(server, numbered(1 + call, `${call}-`))));
  for (const subscriber of subscribers)
    expect(check(acknowledged, await take(subscriber, acknowledged.length))).toEqual(FAULTLESS);
  await Promise.all(subscribers.map((subscriber) => subscriber[Symbol.asyncDispose]()));
  await atHead(0);
});

/** A socket with one subscription, on which there may be more. */
const openSubscription = async (server: TestServer) => {
  const client = createClient({
    url: `${server.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${ADMIN_KEY}` },
    retryAttempts: 0,
  });
  onTestFinished(() => client.dispose());
  const opened = new Promise<WebSocket>((resolve) => {
    client.on('connected', (socket) => resolve(socket as WebSocket));
  });
  const subscribe = () => {
    const seen: unknown[] = [];
    const unsubscribe = client.subscribe<Payload>(
      { query: subscription },
      {
        next: ({ data }) => void seen.push(data!.eventLogged.event['username']),
        error: () => {},
        complete: () => {},
      },
    );
    return { seen, unsubscribe };
  };
  subscribe();
  return { client, subscribe, socket: await opened };
};

const listeners = async ({ sql }: TestDatabase): Promise<number[]> => {
  const rows = await sql<{ pid: number }[]>`
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen %'`;
  return rows.map(({ pid }) => pid);
};

/** Kills every connection to the database but those that are just being made: where one dies while postgres.js asks it for
 * the array types, the rejection is nobody's. */
const killBackends = ({ sql }: TestDatabase): Promise<unknown> =>
  sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND query <> '' AND query !~ 'typarray'`;

/** Stops the backends that listen, as where their connections are half-open: nothing rings any more and nobody is told. */
const deafen = async (database: TestDatabase): Promise<() => void> => {
  const pids = await vi.waitFor(async () => {
    const found = await listeners(database);
    expect(found).not.toEqual([]);
    return found;
  }, 10_000);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  let deaf = true;
  const hear = (): void => {
    if (deaf) for (const pid of pids) process.kill(pid, 'SIGCONT');
    deaf = false;
  };
  onTestFinished(hear);
  return hear;
};
