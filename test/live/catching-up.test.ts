// Subscribers who are behind, and what may happen to the log meanwhile: filters that pass over batches, writers that do not
// pause, a history that a failover replaced by another.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { connect } from '../../src/database/connection.ts';
import { formatCursor } from '../../src/live/cursor.ts';
import { createDoorbell } from '../../src/live/doorbell.ts';
import { type Follow, createFollow } from '../../src/live/follow.ts';
import { type Want, createGroups } from '../../src/live/groups.ts';
import { createReader } from '../../src/live/reader.ts';
import { createLogger } from '../../src/logger.ts';
import { createMetrics } from '../../src/metrics.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { followers } from '../support/followers.ts';
import { generateEvents } from '../support/generate.ts';
import { createTestLog } from '../support/log.ts';
import { type Subscriber, type TestServer, testServer } from '../support/server.ts';

vi.mock('../../src/live/groups.ts', async (original) =>
  (await import('../support/followers.ts')).countingFollowers(original),
);

type Payload = { eventLogged: { cursor: string; event: { eventId: string; username: string } } };

const watch = (server: TestServer, variables: object): Subscriber<Payload> =>
  server.subscribe<Payload>(
    'subscription($filter: EventFilter, $after: String) { eventLogged(filter: $filter, after: $after) { cursor event { eventId username } } }',
    variables,
  );
const take = async (
  subscriber: Subscriber<Payload>,
  count: number,
): Promise<Payload['eventLogged'][]> => {
  const seen = [];
  while (seen.length < count) seen.push((await subscriber.next()).eventLogged);
  return seen;
};
const takeNames = async (subscriber: Subscriber<Payload>, count: number): Promise<string[]> =>
  (await take(subscriber, count)).map(({ event }) => event.username);
const nothingMore = async (subscriber: Subscriber<unknown>): Promise<void> => {
  await sleep(350); // longer than a poll
  expect(subscriber.waiting()).toEqual([]);
};

/** Logs each in a batch of its own. */
const log = async (server: TestServer, usernames: readonly string[]): Promise<void> => {
  for (const username of usernames)
    await server.graphql(
      'mutation($input: LogEventInput!) { logEvent(input: $input) { outcome } }',
      { input: { code: 'AUTH-001', username } },
    );
};

/** Logs as another server would that rings for nobody. */
const logElsewhere = async ({ sql }: TestDatabase, calls: readonly object[][]): Promise<void> => {
  using elsewhere = createTestLog(sql);
  for (const events of calls) await elsewhere(events);
};
const calls = (count: number, size: number): object[][] =>
  Array.from({ length: count }, (_, call) =>
    Array.from({ length: size }, (__, index) => ({
      code: 'AUTH-001',
      username: `${call}-${index}`,
    })),
  );

// Filters.

test('a replay with a filter for what is rare gives what a query gives', async () => {
  const server = await testServer();
  const now = new Date();
  const events = [...generateEvents({ seed: 7, count: 6_000, now, spanMs: 3_600_000 })];
  for (let index = 0; index < 6_000; index += 1_500)
    events[index] = { ...events[index], username: 'rare' };
  await logElsewhere(
    server.database,
    Array.from({ length: 150 }, (_, call) => events.slice(call * 40, (call + 1) * 40)),
  );
  const filters = [
    { severity: ['CRITICAL'] },
    { code: ['SEC-002', 'SEC-004'] },
    { category: ['SECURITY'], minSeverity: 'ERROR' },
    { category: ['MODEL'], status: ['FAILED', 'ERROR'] },
    { username: ['rare'] },
  ];
  for (const filter of filters) {
    const { data } = await server.graphql(
      `query($filter: EventFilter) { events(filter: $filter, first: 200) {
         pageInfo { hasNextPage } edges { node { eventId username } } } }`,
      { filter: { ...filter, range: { last: 'PT2H' } } },
    );
    expect(data.events.pageInfo.hasNextPage).toBe(false);
    const found = data.events.edges.map(({ node }: { node: { eventId: string } }) => node.eventId);
    expect(found.length).toBeGreaterThan(3);
    await using subscriber = watch(server, { filter, after: 'earliest' });
    const seen = (await take(subscriber, found.length)).map(({ event }) => event.eventId);
    expect(seen.toSorted()).toEqual(found.toSorted());
    await nothingMore(subscriber);
  }
});

test('a replay passes over everything that cannot match and goes on live', async () => {
  const server = await testServer();
  const logged = (severity: string) => ({ code: 'AUTH-001', username: severity, severity });
  const debug = Array.from({ length: 1_000 }, () => logged('DEBUG'));
  await logElsewhere(server.database, [[logged('CRITICAL')], debug, debug, debug]);
  await using subscriber = watch(server, { filter: { severity: ['CRITICAL'] }, after: 'earliest' });
  expect(await takeNames(subscriber, 1)).toEqual(['CRITICAL']);
  await logElsewhere(server.database, [debug, [logged('CRITICAL')]]);
  expect(await takeNames(subscriber, 1)).toEqual(['CRITICAL']);
  await nothingMore(subscriber);
});

// Writers that do not pause.

test('a subscription begins at once though others commit more often than one can read', async () => {
  const server = await testServer();
  const others = await server.database.sql.reserve();
  await others`SET synchronous_commit = off`;
  const written = others.unsafe(`
    DO $$ BEGIN
      WHILE clock_timestamp() < statement_timestamp() + interval '3 s' LOOP
        PERFORM take_ticket(nextval('batch_numbers'), gen_random_uuid(), 1, 1, 1, now(), now());
        COMMIT;
      END LOOP;
    END $$`);
  const done = written.then(() => performance.now());
  await sleep(200);
  await using subscriber = server.subscribe('subscription { eventStream { cursor } }');
  await subscriber.next();
  const began = performance.now();
  expect(began).toBeLessThan((await done) - 1_000);
  others.release();
});

// Beside others.

test('one who catches up makes room for those who are served live, and hurries where nobody is', async () => {
  const database = await testDatabase();
  await logElsewhere(database, calls(25, 1_000)); // more than is remembered
  const follow = await followerOf(database);
  const live = follow({ ...everything, key: 'live' });
  let served = 0;
  const watching = (async () => {
    for await (const _page of live) served++;
  })();
  /** How long an event of the first so many takes. */
  const catchUp = async (key: string, count = 12_000): Promise<number> => {
    const begun = performance.now();
    let seen = 0;
    for await (const page of follow({ ...everything, key }, 'earliest')) {
      seen += page.length;
      if (seen >= count) break;
    }
    return (performance.now() - begun) / seen;
  };
  const alone = Math.min(await catchUp('1'), await catchUp('2'), await catchUp('3'));
  const stopping = new AbortController();
  const writing = (async () => {
    while (!stopping.signal.aborted) await logElsewhere(database, calls(1, 1));
  })();
  await vi.waitFor(() => expect(served).toBeGreaterThan(0), 10_000);
  const beside = await catchUp('4', 3_000);
  stopping.abort();
  await writing;
  await live.return();
  await watching;
  expect(beside).toBeGreaterThan(3 * alone);
});

test('one who catches up may leave while it rests', async () => {
  const database = await testDatabase();
  await logElsewhere(database, calls(12, 1_000)); // more than is remembered
  const { reader, metrics, sql } = await followingOf(database);
  // What is on its way to others never arrives, so that a rest has no end.
  let stuck = false;
  const underWay = () => (stuck ? new Promise(() => {}) : undefined);
  using groups = createGroups({ ...reader, underWay }, metrics);
  const follow = createFollow(sql, reader, groups, metrics);
  const live = follow({ ...everything, key: 'live' });
  const served = live.next();
  await sleep(100);
  await logElsewhere(database, calls(1, 1));
  await served;
  const behind = follow(everything, 'earliest');
  await behind.next();
  stuck = true;
  const resting = behind.next();
  await sleep(100);
  const left = Promise.all([behind.return(), resting]).then(() => 'left');
  expect(await Promise.race([left, sleep(1_000)])).toBe('left');
  await live.return();
});

test('what is kept in memory is bounded by bytes too, both of the last batches and of pages read for others', async () => {
  const database = await testDatabase();
  const event = { code: 'AUTH-001', metadata: { filling: 'x'.repeat(30_000) } };
  const MEGABYTES_EACH = 3;
  const batch = Array.from({ length: MEGABYTES_EACH * 35 }, () => event);
  await logElsewhere(
    database,
    Array.from({ length: 30 }, () => batch),
  );
  const { follow, reader, metrics } = await followingOf(database);
  const catchUp = async (): Promise<number> => {
    metrics.replays.reset();
    let seen = 0;
    for await (const page of follow(everything, 'earliest')) {
      seen += page.length;
      if (seen >= 30 * batch.length) break;
    }
    return (await metrics.replays.get()).values[0]!.value;
  };
  const idle = follow(everything);
  const waiting = idle.next();
  const first = await catchUp();
  expect(first).toBeGreaterThan(8);
  expect(reader.remembers(30 - Math.floor(24 / MEGABYTES_EACH))).toBe(true);
  expect(reader.remembers(30 - Math.ceil(40 / MEGABYTES_EACH))).toBe(false);
  expect(await catchUp()).toBe(first);
  await idle.return();
  await waiting;
});

// A history that another replaced.

/** As a failover does to a copy that had not got the newest batches. */
const loseAfter = async ({ sql }: TestDatabase, seq: number): Promise<void> => {
  await sql`DELETE FROM events WHERE id / 1024 IN (SELECT number FROM batches WHERE seq > ${seq})`;
  await sql`DELETE FROM batches WHERE seq > ${seq}`;
};
const hearsInvalid = async (subscriber: Subscriber<unknown>): Promise<void> =>
  expect(subscriber.next(10_000)).rejects.toMatchObject([
    { extensions: { code: 'CURSOR_INVALID' } },
  ]);

test.each([
  ['shorter', ['new']],
  ['longer', ['new', 'new', 'new', 'new']],
])(
  'when a %s history replaces the end of the log, subscribers hear CURSOR_INVALID and may subscribe anew',
  async (_, others) => {
    const server = await testServer();
    await log(server, ['a', 'b', 'c', 'd', 'e']);
    await using reading = watch(server, { after: 'earliest' });
    const seen = await take(reading, 5);
    await using waiting = watch(server, {
      filter: { username: ['never'] },
      after: seen[1]!.cursor,
    });
    await vi.waitFor(() => expect(followers()).toBe(2), 10_000);
    await loseAfter(server.database, 3);
    await logElsewhere(
      server.database,
      others.map((username) => [{ code: 'AUTH-001', username }]),
    );
    await Promise.all([hearsInvalid(reading), hearsInvalid(waiting)]);

    await using foreign = watch(server, { after: seen[4]!.cursor });
    await hearsInvalid(foreign);
    await using kept = watch(server, { after: seen[1]!.cursor });
    await using anew = watch(server, { after: 'earliest' });
    expect(await takeNames(anew, 3 + others.length)).toEqual(['a', 'b', 'c', ...others]);
    expect(await takeNames(kept, 1 + others.length)).toEqual(['c', ...others]);
    await log(server, ['live']);
    for (const subscriber of [anew, kept]) {
      expect(await takeNames(subscriber, 1)).toEqual(['live']);
      await nothingMore(subscriber);
    }
  },
);

test('what was read before the history was replaced is not delivered to those who come after', async () => {
  const server = await testServer();
  await log(server, ['a', 'b', 'c', 'd', 'e']);
  {
    await using reading = watch(server, { after: 'earliest' });
    await take(reading, 5);
  }
  await vi.waitFor(() => expect(followers()).toBe(0), 10_000);
  await loseAfter(server.database, 3);
  await logElsewhere(server.database, [[{ code: 'AUTH-001', username: 'new' }]]);
  await using anew = watch(server, { after: 'earliest' });
  expect(await takeNames(anew, 4)).toEqual(['a', 'b', 'c', 'new']);
  await nothingMore(anew);
});

const everything: Want = {
  key: 'everything',
  wanted: () => true,
  need: {},
  pack: ({ events }) => events.map((placed) => ({ ...placed, cursor: formatCursor(placed) })),
};

/** A follower without a server, which reads no more than it is asked for. */
const followerOf = async (database: TestDatabase): Promise<Follow> =>
  (await followingOf(database)).follow;

/** The parts of one. */
const followingOf = async ({ url }: TestDatabase) => {
  const parts = new AsyncDisposableStack();
  onTestFinished(() => parts.disposeAsync());
  const sql = connect({ url }, { name: 'follow', max: 3 });
  parts.defer(() => sql.end());
  const logger = createLogger('silent');
  const listener = () => connect({ url }, { name: 'listen', max: 1 });
  const doorbell = parts.use(createDoorbell(sql, listener, logger));
  const metrics = createMetrics();
  const reader = parts.use(createReader(sql, doorbell, logger, metrics));
  const groups = parts.use(createGroups(reader, metrics));
  return { sql, reader, metrics, follow: createFollow(sql, reader, groups, metrics) };
};

test.each([
  ['shorter', 0],
  ['longer', 15],
])(
  'one who reads from the table when a %s history replaces its end hears CURSOR_INVALID',
  async (_, others) => {
    const database = await testDatabase();
    await logElsewhere(database, calls(12, 1_000)); // more than is remembered
    const reading = (await followerOf(database))(everything, 'earliest');
    for (let page = 0; page < 4; page++) await reading.next();
    await loseAfter(database, 2);
    await logElsewhere(database, calls(others, 1));
    const ended = (async () => {
      for await (const _page of reading);
    })();
    await expect(ended).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  },
);

/** One who has had five batches, of which the last two are lost. */
const overtaken = async () => {
  const database = await testDatabase();
  await logElsewhere(database, calls(5, 1));
  const follow = await followerOf(database);
  const idle = follow(everything, 'earliest');
  expect((await idle.next()).value).toHaveLength(5);
  await loseAfter(database, 3);
  return { database, follow, idle };
};

test('nothing of a replaced history is delivered to newcomers while one is left who has not heard of that', async () => {
  const { database, follow, idle } = await overtaken();
  await logElsewhere(database, calls(6, 1)); // longer, so that it is noticed at once
  await sleep(600);
  const anew = follow(everything, 'earliest');
  expect((await anew.next()).value).toHaveLength(9);
  await anew.return();
  await expect(idle.next()).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
});

test('who begins a moment after a shorter history replaced the end of the log is given nothing of the old one', async () => {
  const { database, follow, idle } = await overtaken();
  await logElsewhere(database, calls(1, 1));
  const anew = follow(everything, 'earliest');
  expect((await anew.next()).value).toHaveLength(4);
  await anew.return();
  await expect(idle.next()).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
});

test('who has caught up is given nothing as past any more, though it falls behind again', async () => {
  const database = await testDatabase();
  await logElsewhere(database, calls(3, 1));
  const marked: Want = {
    ...everything,
    pack: ({ events, replay }) => events.map((each) => ({ cursor: formatCursor(each), replay })),
  };
  const reading = (await followerOf(database))(marked, 'earliest');
  const next = async () => (await reading.next()).value;
  const of = (replay: boolean, count: number) =>
    Array.from({ length: count }, () => expect.objectContaining({ replay }) as object);
  expect(await next()).toEqual(of(true, 3));
  const live = next();
  await logElsewhere(database, calls(1, 1));
  expect(await live).toEqual(of(false, 1));
  await logElsewhere(database, calls(3, 1));
  await sleep(600); // the others have had them
  expect(await next()).toEqual(of(false, 3));
  await reading.return();
});

test('when batches are missing after them, all who wait there hear CURSOR_EXPIRED', async () => {
  const server = await testServer();
  await log(server, ['a']);
  const subscribers = ['x', 'y', 'z'].map((username) =>
    watch(server, { filter: { username: [username] } }),
  );
  await vi.waitFor(() => expect(followers()).toBe(3), 10_000);
  await server.database.sql`
    INSERT INTO batches (seq, number, key, size, severities, categories, earliest, latest)
    SELECT seq + 2, number + 1000, gen_random_uuid(), size, severities, categories, earliest, latest FROM batches`;
  for (const subscriber of subscribers) {
    await expect(subscriber.next()).rejects.toMatchObject([
      { extensions: { code: 'CURSOR_EXPIRED' } },
    ]);
    await subscriber[Symbol.asyncDispose]();
  }
});

test('what a document selects through fragments and under other names is read from the table too', async () => {
  const server = await testServer();
  const said = { code: 'SEC-002', username: 'first', ipAddress: '10.0.0.1', metadata: { a: 1 } };
  await logElsewhere(server.database, [[said], ...calls(4, 1_000)]); // more than memory reaches back to
  await using subscriber = server.subscribe(`
    subscription {
      eventStream(after: "earliest", filter: { minSeverity: DEBUG, ipAddress: ["10.0.0.0/8"] }) { ...Batch }
    }
    fragment Batch on EventStreamBatch { cursor events { who: username ...More } }
    fragment More on Event { ... on Event { metadata status } definition { code } createdAt }`);
  await subscriber.next();
  const { eventStream } = await subscriber.next();
  expect(eventStream.events).toEqual([
    {
      who: 'first',
      metadata: { a: 1 },
      status: expect.any(String),
      definition: { code: 'SEC-002' },
      createdAt: expect.stringMatching(/Z$/),
    },
  ]);
});
