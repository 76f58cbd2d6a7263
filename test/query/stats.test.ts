// eventStats against the same figures computed in memory, for random questions; and what callers see of it. A failure names
// its seed; JEJAK_TEST_SEED repeats it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/database/connection.ts';
import type { Event } from '../../src/events/fields.ts';
import { severityNames } from '../../src/events/vocabulary.ts';
import { readBatches } from '../../src/live/read-batches.ts';
import { intervals, type StatsInterval } from '../../src/query/buckets.ts';
import { measures, numberMeasures } from '../../src/query/measures.ts';
import { MAX_STATS, dimensionNames, eventStats, type StatsRequest } from '../../src/query/stats.ts';
import { createRandom, generateEvents, inCalls, type Random } from '../support/generate.ts';
import { createTestLog } from '../support/log.ts';
import { type TestServer, createTestServer, testServer } from '../support/server.ts';
import { expectedStats } from '../support/stats.ts';

const EVENTS = 4_000;
const QUESTIONS = 60;
const HOUR = 3_600_000;
const seed = Number(process.env['JEJAK_TEST_SEED'] ?? Date.now() % 1_000_000);
const now = new Date();
const CONFIDENCE = 'responseData.confidence';

let server: TestServer;
let database: Database;
const stored: Event[] = [];

beforeAll(async () => {
  server = await createTestServer();
  database = openDatabase(server.database);
  using log = createTestLog(database.write, () => now);
  const events = generateEvents({ seed, count: EVENTS, now, spanMs: 60 * HOUR });
  for (const call of inCalls(events, 500)) await log(call);
  for (let at = { seq: 0, key: '' }; stored.length < EVENTS;) {
    const { batches, end } = await readBatches(database.follow, at);
    stored.push(...batches.flatMap((batch) => batch.events));
    at = end;
  }
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const everyNumber = new Set(Object.keys(numberMeasures('')) as (keyof ReturnType<typeof numberMeasures>)[]); // oxfmt-ignore
const everything: StatsRequest['wanted'] = {
  events: new Set(Object.keys(measures) as (keyof typeof measures)[]),
  times: everyNumber,
  data: new Map([[CONFIDENCE, everyNumber]]),
};

const zones = ['UTC', 'Asia/Jakarta', 'Asia/Kolkata', 'Asia/Kathmandu', 'America/New_York', 'Australia/Lord_Howe']; // oxfmt-ignore

/** To the microsecond, and rarely where an hour begins. */
const instant = (random: Random): string => {
  const ms = now.getTime() - random.number() * 60 * HOUR;
  const text = new Date(random.chance(0.2) ? Math.floor(ms / HOUR) * HOUR : ms).toISOString();
  return random.chance(0.5) ? text : `${text.slice(0, -1)}${100 + random.below(900)}Z`;
};

const questionOf = (random: Random): StatsRequest => {
  const [one, other] = [instant(random), instant(random)].toSorted();
  const span = Date.parse(other!) - Date.parse(one!);
  const possible = (Object.keys(intervals) as StatsInterval[]).filter(
    (name) => span / intervals[name].ms < 60,
  );
  return {
    filter: {
      ...(random.chance(0.3) ? { category: ['AUTH', 'SYSTEM', 'PRED'] } : {}),
      ...(random.chance(0.2) ? { minSeverity: random.pick(severityNames) } : {}),
      ...(random.chance(0.2) ? { status: ['SUCCESS', 'ERROR'] } : {}),
      ...(random.chance(0.1) ? { userRole: ['GURU'] } : {}),
      ...(random.chance(0.1) ? { range: { from: instant(random) } } : {}),
    },
    range: random.chance(0.3) ? { from: one! } : { from: one!, to: other },
    interval: random.chance(0.2) ? null : random.pick(possible),
    timeZone: random.pick(zones),
    groupBy: [
      ...new Set(Array.from({ length: random.below(3) }, () => random.pick(dimensionNames))),
    ],
    wanted: everything,
  };
};

const near = (value: unknown): unknown =>
  typeof value === 'number' ? expect.closeTo(value, 6) : value;
const nearAll = (figures: object) =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, near(value)]));

const byPlace = <T extends { start: string; group: object }>(rows: readonly T[]): T[] => {
  const key = (row: T): string => `${row.start} ${JSON.stringify(row.group)}`;
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
};

test(`${QUESTIONS} random questions are answered as the events themselves say`, async () => {
  const random = createRandom(seed);
  let answered = 0;
  for (let count = 0; count < QUESTIONS; count++) {
    const request = questionOf(random);
    const what = `seed ${seed}, ${JSON.stringify(request)}`;
    if (expectedStats(stored, request, now).length > MAX_STATS) continue;
    const rows = await eventStats(database.question, request, now);
    const answers = rows.map(({ start, group, events, times, data }) => ({ start, group, events, times, confidence: data[CONFIDENCE] })); // oxfmt-ignore
    const wanted = expectedStats(stored, request, now).map((row) => ({
      ...row,
      times: nearAll(row.times),
      confidence: nearAll(row.confidence),
    }));
    const expected = byPlace(wanted);
    for (const [place, answer] of byPlace(answers).entries())
      expect(answer, what).toEqual(expected[place]);
    expect(answers.length, what).toBe(wanted.length);
    if (rows.some(({ events }) => events.count > 0)) answered++;
  }
  expect(answered).toBeGreaterThan(QUESTIONS / 2);
});

const ask = async (args: string, selection: string, of = server, variables = {}) => {
  const head = Object.keys(variables).length > 0 ? 'query($path: String!) ' : '';
  const { data, errors } = await of.graphql(
    `${head}{ eventStats(${args}) { ${selection} } }`,
    variables,
  );
  return { rows: data?.eventStats as any[], errors };
};

describe('through GraphQL', () => {
  test('a histogram by hour and severity has every hour and every severity that occurs, the largest first', async () => {
    const { rows } = await ask(
      'range: { last: "PT24H" }, interval: HOUR, groupBy: [SEVERITY]',
      'start end severity category count',
    );
    const sizes = Map.groupBy(rows, ({ severity }) => severity);
    expect(rows.length).toBe(25 * sizes.size);
    const starts = rows.map(({ start }) => Date.parse(start));
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    const first = rows.slice(0, sizes.size).map(({ severity }) => severity);
    const total = (severity: string): number =>
      sizes.get(severity)!.reduce((sum, { count }) => sum + count, 0);
    expect(first).toEqual(first.toSorted((a, b) => total(b) - total(a)));
    expect(rows.every(({ category }) => category === null)).toBe(true);
  });

  test('without interval and groups there is one row, of an empty range too', async () => {
    const range = 'range: { from: "2025-01-01T00:00:00Z", to: "2025-01-02T00:00:00Z" }';
    const { rows } = await ask(
      range,
      'start end count errorRate failureRate distinctUsers firstAt processingTimeMs { count average sum p99 }',
    );
    expect(rows).toEqual([
      {
        start: '2025-01-01T00:00:00.000Z',
        end: '2025-01-02T00:00:00.000Z',
        count: 0,
        errorRate: null,
        failureRate: null,
        distinctUsers: 0,
        firstAt: null,
        processingTimeMs: { count: 0, average: null, sum: null, p99: null },
      },
    ]);
  });

  test('figures of several paths stand beside each other, by alias, fragment and variable, on both lanes', async () => {
    const own = await testServer();
    await own.graphql(
      'mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }',
      {
        input: [1, '3', 'x', null, { a: 1 }].map((b, place) => ({
          code: 'PRED-002',
          metadata: { a: { b } },
          responseData: { confidence: place },
        })),
      },
    );
    const selection =
      'inner: data(path: "metadata.a.b") { count average maximum } ... on EventStats { data(path: $path) { p50 } }';
    const answer = { inner: { count: 2, average: 2, maximum: 3 }, data: { p50: 2 } };
    for (let times = 0; times < 3; times++) {
      const { rows } = await ask('range: { last: "PT1H" }', selection, own, { path: CONFIDENCE });
      expect(rows).toEqual([answer]);
    }
  });

  test.each([
    ['a path of no JSON field', 'range: { last: "PT1H" }', 'data(path: "username.a") { p50 }', 'BAD_USER_INPUT', 'is no path'],
    ['a path with a quote in it', 'range: { last: "PT1H" }', `data(path: "metadata.a'b") { p50 }`, 'BAD_USER_INPUT', 'is no path'],
    ['more than five paths', 'range: { last: "PT1H" }', [1, 2, 3, 4, 5, 6].map((n) => `d${n}: data(path: "metadata.a${n}") { p50 }`).join(' '), 'TOO_EXPENSIVE', '5 paths'],
    ['more than four dimensions', 'range: { last: "PT1H" }, groupBy: [CODE, TYPE, STATUS, NAME, ACTION]', 'count', 'TOO_EXPENSIVE', '4 dimensions'],
    ['more than 10,000 buckets', 'range: { last: "P30D" }, interval: MINUTE', 'count', 'TOO_EXPENSIVE', 'longer `interval`'],
    ['more than 20,000 rows', 'range: { last: "P5D" }, interval: MINUTE, groupBy: [CODE]', 'count', 'TOO_EXPENSIVE', 'narrow `filter`'],
    ['a zone that is none', 'range: { last: "PT1H" }, timeZone: "Mars/Olympus"', 'count', 'BAD_USER_INPUT', 'is no TimeZone'],
    ['an unknown dimension', 'range: { last: "PT1H" }, groupBy: [MOON]', 'count', 'BAD_USER_INPUT', 'MOON'],
  ])('%s is refused', async (_, args, selection, code, words) => {
    const { errors } = await ask(args, selection);
    expect(errors).toMatchObject([{ extensions: { code }, message: expect.stringContaining(words) }]);
  }); // oxfmt-ignore
});
