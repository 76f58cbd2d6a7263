// Roll-ups: what is answered from them is what the events say, at every moment, wherever they have come to; and what they
// still tell when the events are gone. A failure names its seed; JEJAK_TEST_SEED repeats it.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { countNext } from '../../src/consumers/count.ts';
import { recount } from '../../src/consumers/recount.ts';
import { createRollups } from '../../src/consumers/rollups.ts';
import { type Database, openDatabase } from '../../src/database/connection.ts';
import { kept, tiers } from '../../src/database/rollups.ts';
import { type Event, type EventInput, fields } from '../../src/events/fields.ts';
import { documentPeriods, periodsWith } from '../../src/events/retention.ts';
import { severities } from '../../src/events/vocabulary.ts';
import { createLogger } from '../../src/logger.ts';
import { createMetrics } from '../../src/metrics.ts';
import { type EventStats, type StatsRequest, eventStats } from '../../src/query/stats.ts';
import { testDatabase } from '../support/database.ts';
import { testServer } from '../support/server.ts';
import { createRandom, generateEvents } from '../support/generate.ts';
import { type TestLog, createTestLog } from '../support/log.ts';
import { compareStats, everything, questionOf, zones } from '../support/stats.ts';
import { readStored } from '../support/stored.ts';
import { questionPool } from '../support/question.ts';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const seed = Number(process.env['JEJAK_TEST_SEED'] ?? Date.now() % 1_000_000);
const now = new Date();

type Place = { readonly database: Database; readonly log: TestLog };

const place = async (): Promise<Place> => {
  const { url } = await testDatabase();
  const database = openDatabase({ url });
  const log = createTestLog(database.write);
  onTestFinished(async () => {
    log[Symbol.dispose]();
    await database[Symbol.asyncDispose]();
  });
  return { database, log };
};

const some = (count: number, from = seed, spanMs = 60 * HOUR): EventInput[] => [
  ...generateEvents({ seed: from, count, now, spanMs }),
];

const all = async (database: Database): Promise<void> => {
  while ((await countNext(database.follow)) > 0);
};

/** Every cell; a sum of fractions depends on the order of its parts in its last digits. */
const cellsOf = async (database: Database): Promise<unknown[]> =>
  Promise.all(
    tiers.map(({ table, keys }) =>
      database.read.unsafe(
        `SELECT *, round(confidence_sum::numeric, 6) AS confidence_sum FROM ${table}
         ORDER BY "timestamp", ${keys.map((key) => fields[key].column).join(', ')}`,
      ),
    ),
  );

const plain: StatsRequest = {
  filter: null,
  range: { from: new Date(now.getTime() - 3 * DAY).toISOString() },
  timeZone: 'UTC',
  groupBy: [],
  kept: { periods: documentPeriods },
  wanted: { events: new Set(['count']), times: new Set(), data: new Map() },
};
const countOf = (stats: readonly EventStats[]): number =>
  stats.reduce((sum, { events }) => sum + events.count, 0);

test('wherever the roll-ups have come to, late events included, every figure is that of the events', async () => {
  const here = await place();
  const random = createRandom(seed);
  const stored: Event[] = [];
  let [seq, compared] = [0, 0];
  for (let round = 0; round < 40; round++) {
    await here.log(some(20 + random.below(150), seed + round));
    if (random.chance(0.5)) await countNext(here.database.follow);
    const read = await readStored(here.database, seq);
    stored.push(...read.events);
    seq = read.seq;
    for (let times = 0; times < 3; times++)
      if (await compareStats(await questionPool(here.database), stored, questionOf(random, now), now, `seed ${seed}, round ${round}`)) compared++; // oxfmt-ignore
  }
  expect(compared).toBeGreaterThan(60);
});

test('what is told by the hour of the day or the day of the week comes from no longer cells, in any zone', async () => {
  const { database, log } = await place();
  await log(some(400));
  await all(database);
  const { events } = await readStored(database);
  for (const timeZone of zones)
    for (const groupBy of [['HOUR_OF_DAY'], ['HOUR_OF_DAY', 'USERNAME'], ['DAY_OF_WEEK', 'USERNAME']] as const)
      expect(await compareStats(await questionPool(database), events, { ...plain, groupBy, timeZone }, now, `seed ${seed}`)).toBe(true);
}); // oxfmt-ignore

test('while events are logged and counted, an answer never misses one that was there and never doubles one', async () => {
  const here = await place();
  const { database, log } = here;
  await using _rollups = createRollups(
    database.follow,
    () => documentPeriods,
    () => now,
    createLogger('silent'),
    createMetrics(),
  );
  let logging = true;
  const writing = (async () => {
    for (let from = 0; from < 60; from++) await log(some(40, from));
    logging = false;
  })();
  const total = async (): Promise<number> =>
    (await database.read<[{ count: number }]>`SELECT count(*) AS count FROM events`)[0].count;
  let answers = 0;
  while (logging) {
    const before = await total();
    const counted = countOf(await eventStats(await questionPool(database), { ...plain, interval: 'HOUR' }, now)); // oxfmt-ignore
    expect(counted).toBeGreaterThanOrEqual(before);
    expect(counted).toBeLessThanOrEqual(await total());
    answers++;
  }
  await writing;
  expect(answers).toBeGreaterThan(5);
  const position = async () => (await database.read`SELECT seq FROM rollup_position`)[0]!['seq'];
  const head = (await readStored(here.database)).seq;
  for (let tries = 0; (await position()) < head; tries++) {
    expect(tries, 'the follower has come to the end within two seconds').toBeLessThan(20);
    await sleep(100);
  }
  expect(countOf(await eventStats(await questionPool(database), plain, now))).toBe(60 * 40);
});

test('several servers, and one that is killed in the middle, count every event once', async () => {
  const here = await place();
  const { database, log } = here;
  for (let from = 0; from < 10; from++) await log(some(100, from));
  await database.read.unsafe(`
    CREATE FUNCTION hesitate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(9); RETURN NULL; END $$;
    CREATE TRIGGER hesitate AFTER UPDATE OF seq ON rollup_position EXECUTE FUNCTION hesitate()`);
  const counting = expect(countNext(database.follow)).rejects.toThrow(
    /terminating connection|CONNECTION_CLOSED/,
  );
  const killed = () => database.read`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'`;
  while ((await killed()).length === 0) await sleep(50);
  await counting;
  expect(await cellsOf(database)).toEqual(tiers.map(() => []));
  await database.read`DROP TRIGGER hesitate ON rollup_position`;
  const counted = await Promise.all(Array.from({ length: 4 }, () => countNext(database.follow)));
  expect(counted.reduce((sum, each) => sum + each)).toBe(1_000);
  expect(countOf(await eventStats(await questionPool(database), plain, now))).toBe(1_000);
});

describe('when events are gone', () => {
  const later = new Date(now.getTime() + 20 * DAY);
  const days = (wanted: StatsRequest['wanted'], more: Partial<StatsRequest> = {}): StatsRequest => ({
    ...plain,
    interval: 'DAY',
    range: { from: new Date(now.getTime() - 2 * DAY - 7 * MINUTE).toISOString(), to: new Date(now.getTime() + DAY).toISOString() },
    wanted,
    ...more,
  }); // oxfmt-ignore

  /** DEBUG is kept for seven days: twenty days later it is gone, and nothing else is. */
  const withoutDebug = async () => {
    const here = await place();
    for (let from = 0; from < 4; from++) await here.log(some(500, from));
    await all(here.database);
    const request = days(everything, { groupBy: ['SEVERITY'] });
    const before = await eventStats(await questionPool(here.database), request, now);
    const maintenance = here.database.maintenance();
    await maintenance`DELETE FROM events WHERE severity = 'DEBUG'`;
    await maintenance.end();
    return { ...here, before, request };
  };

  test('roll-ups tell what they counted, and null is what they do not hold', async () => {
    const { database, before, request } = await withoutDebug();
    const after = await eventStats(await questionPool(database), request, later);
    expect(new Set(after.map(({ basis }) => basis))).toEqual(new Set(['ROLLUPS']));
    const of = (stats: EventStats[], severity: string) =>
      stats.filter(({ group }) => group.severity === severity).map(({ events: { count, errors, firstAt }, times: { sum, maximum } }) => ({ count, errors, firstAt, sum, maximum })); // oxfmt-ignore
    expect(countOf(before.filter(({ group }) => group.severity === 'DEBUG'))).toBeGreaterThan(100);
    // The first quarter of an hour is told whole.
    for (const severity of Object.keys(severities))
      expect(of(after, severity).slice(1)).toEqual(of(before, severity).slice(1));
    expect(after[0]!.events.distinctUsers).toBeNull();
    expect(after[0]!.times.p95).toBeNull();
  });

  test('an answer about severities that are kept is not touched', async () => {
    const { database } = await withoutDebug();
    const request = days(everything, { filter: { minSeverity: 'WARNING' } });
    const stats = await eventStats(await questionPool(database), request, later);
    expect(new Set(stats.map(({ basis }) => basis))).toEqual(new Set(['EVENTS']));
    expect(countOf(stats)).toBeGreaterThan(0);
    expect(stats.some(({ events }) => events.distinctUsers! > 0)).toBe(true);
  });

  test('cells that name people are asked only where no purge has come to', async () => {
    const { database } = await withoutDebug();
    const request = days(plain.wanted, { filter: { minSeverity: 'WARNING' }, groupBy: ['NAME'] });
    const before = await eventStats(await questionPool(database), request, now);
    expect(countOf(before)).toBeGreaterThan(100);
    const named = async () =>
      (await database.read<[{ cells: number }]>`SELECT count(*) AS cells FROM rollup_name_fives`)[0]
        .cells;
    expect(await named()).toBeGreaterThan(0);
    await using _rollups = createRollups(
      database.follow,
      () => documentPeriods,
      () => later,
      createLogger('silent'),
      createMetrics(),
    );
    while ((await named()) > 0) await sleep(50);
    expect(await eventStats(await questionPool(database), request, later)).toEqual(before);
  });

  test('where the period was made longer, what had gone before is told from roll-ups', async () => {
    const { database } = await withoutDebug();
    const gone = new Map([['DEBUG', new Date(later.getTime() - 7 * DAY)]]);
    const longer = { periods: periodsWith({ DEBUG: 60 }, gone) };
    const stats = await eventStats(
      await questionPool(database),
      days(everything, { kept: longer }),
      later,
    );
    expect(new Set(stats.map(({ basis }) => basis))).toEqual(new Set(['ROLLUPS']));
  });

  test('a filter that begins where all is kept begins there, in a range that does not', async () => {
    const { database } = await place().then(async (here) => {
      for (let from = 0; from < 4; from++) await here.log(some(500, from));
      await all(here.database);
      return here;
    });
    const from = new Date(now.getTime() - 30 * HOUR - 7 * MINUTE).toISOString();
    const range = { from: new Date(now.getTime() - 40 * DAY).toISOString() };
    const [of, whole] = [
      { ...plain, filter: { range: { from } } },
      { ...plain, range: { from } },
    ];
    const counted = countOf(await eventStats(await questionPool(database), { ...of, range, interval: 'DAY' }, now)); // oxfmt-ignore
    expect(counted).toBe(countOf(await eventStats(await questionPool(database), whole, now)));
    expect(counted).toBeGreaterThan(100);
  });

  test('what is shorter than their cells is told by the remaining events, wherever the range lies', async () => {
    const { database, log } = await place();
    const quarter = Math.floor((now.getTime() - 20 * DAY) / (15 * MINUTE)) * 15 * MINUTE;
    const at = (minutes: number): string => new Date(quarter + minutes * MINUTE).toISOString();
    await log(Array.from({ length: 30 }, (_, minute) => ({ code: 'AUTH-001', timestamp: at(minute + 0.02) }))); // oxfmt-ignore
    await all(database);
    for (const [interval, step] of [
      ['MINUTE', 1],
      ['FIVE_MINUTES', 5],
    ] as const)
      for (const [from, to] of [
        [0, 1],
        [3, 4],
        [5, 10],
        [10, 20],
        [14, 16],
        [0, 15],
        [0, 30],
        [12, 17],
      ] as const) {
        // oxfmt-ignore
        const stats = await eventStats(await questionPool(database), { ...plain, range: { from: at(from), to: at(to) }, interval }, now); // oxfmt-ignore
        expect([interval, from, to, countOf(stats)]).toEqual([interval, from, to, to - from]);
        expect(new Set(stats.map(({ basis }) => basis))).toEqual(new Set(['REMAINING_EVENTS']));
        expect(stats.length).toBeGreaterThanOrEqual((to - from) / step);
      }
  });

  test('of what roll-ups do not tell apart the remaining events are told, and it is said', async () => {
    const { database, before } = await withoutDebug();
    const stats = await eventStats(await questionPool(database), days(everything, { groupBy: ['IP_ADDRESS'] }), later); // oxfmt-ignore
    expect(new Set(stats.map(({ basis }) => basis))).toEqual(new Set(['REMAINING_EVENTS']));
    const debug = before.filter(({ group }) => group.severity === 'DEBUG');
    expect(countOf(stats)).toBe(countOf(before) - countOf(debug));
  });

  test('a range that begins before and ends after is told from both', async () => {
    const { database, log } = await withoutDebug();
    const clock = new Date(now.getTime() + 6 * DAY); // what is a day old is no more, what came then is
    const request = days(everything);
    const stats = await eventStats(await questionPool(database), request, clock);
    expect(stats.map(({ basis }) => basis)).toContain('ROLLUPS');
    expect(stats.map(({ basis }) => basis)).toContain('EVENTS');
    expect(stats.find(({ basis }) => basis === 'EVENTS')!.times.p50).not.toBeUndefined();
    expect(log).toBeDefined();
  });
});

test('a rebuild counts anew what is kept, leaves what is older, and disturbs no answer', async () => {
  const { database, log } = await place();
  for (let from = 0; from < 5; from++) await log(some(300, from));
  await all(database);
  await log(some(100, 9)); // not counted yet
  const right = await cellsOf(database);
  const [{ table }] = tiers as [(typeof tiers)[number]];
  const columns = kept.map(({ column }) => column).join(', ');
  await database.write.unsafe(`
    INSERT INTO ${table} SELECT '2020-01-01Z', severity, event_category, event_type, code, status, ${columns} FROM ${table} LIMIT 1`);
  const [[old]] = (await cellsOf(database)) as [[object]]; // the first by time
  await database.write`UPDATE rollup_kind_hours SET count = count + 1`;
  await database.write`DELETE FROM rollup_hours`;
  await database.write`INSERT INTO rollup_user_hours SELECT DISTINCT "timestamp", 'nobody', 1, 'x', 1, 0, 0, now(), now(), 0, 0, 0, 0, 0, 0, 0, 0 FROM rollup_user_hours LIMIT 3`; // oxfmt-ignore
  let recounted = 0;
  for await (const { events } of recount(database.follow, () => now)) recounted += events;
  expect(recounted).toBe(2 * 1_500); // for the tiers by severity, and for users
  const rebuilt = (await cellsOf(database)) as object[][];
  expect(rebuilt[0]).toHaveLength((right[0] as object[]).length + 1);
  expect(rebuilt[0]).toEqual(expect.arrayContaining([old]));
  expect(rebuilt.slice(1)).toEqual(right.slice(1));
  await all(database);
  expect(countOf(await eventStats(await questionPool(database), plain, now))).toBe(1_600);
});

test('a rebuild leaves as they were counted the cells of what retention removes meanwhile', async () => {
  const server = await testServer();
  const { sql } = server.database;
  const input = Array.from({ length: 60 }, (_, day) => ({ code: 'AUTH-005', timestamp: new Date(now.getTime() - (day + 10) * DAY).toISOString() })); // oxfmt-ignore
  await server.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', { input }); // oxfmt-ignore
  while ((await countNext(sql)) > 0);
  const STATS = '{ eventStats(range: { last: "P100D" }, filter: { code: ["AUTH-005"] }) { basis count processingTimeMs { count } data(path: "metadata.n") { count sum } } }'; // oxfmt-ignore
  const rebuild = recount(sql);
  while (!(await rebuild.next()).value?.what.endsWith('CRITICAL'));
  await server.graphql('mutation { setRetention(severity: CRITICAL, days: 8) { days } }');
  const ran = await server.graphql('mutation { runRetention { events error } }');
  expect(ran.data).toEqual({ runRetention: { events: expect.any(Number), error: null } });
  expect(ran.data.runRetention.events).toBeGreaterThan(20);
  let rebuilt = 0;
  for await (const _ of rebuild) rebuilt++;
  expect(rebuilt).toBeGreaterThan(50);
  const { data } = await server.graphql(STATS);
  // Of the data of events that are gone nothing is known, not that it was none.
  expect(data.eventStats).toEqual([{ basis: 'ROLLUPS', count: 60, processingTimeMs: { count: 0 }, data: { count: null, sum: null } }]); // oxfmt-ignore
});

test('a database that counted before there were cells of five minutes has them like any other', async () => {
  const { database, log } = await place();
  await log(some(500));
  await all(database);
  const right = await cellsOf(database);
  await log(some(100, seed + 1)); // not counted yet
  await database.write`DROP TABLE rollup_endpoint_fives, rollup_name_fives`;
  const migration = await readFile(new URL('../../drizzle/0012_minutes.sql', import.meta.url), 'utf8');
  await database.write.begin((sql) => sql.unsafe(migration));
  expect(await cellsOf(database)).toEqual(right);
}); // oxfmt-ignore
