// eventStats against the same figures computed in memory, for random questions; and what callers see of it. A failure names
// its seed; JEJAK_TEST_SEED repeats it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zoneOf } from '../../src/events/zone.ts';
import { type Database, openDatabase } from '../../src/database/connection.ts';
import type { Event } from '../../src/events/fields.ts';
import { createRandom, generateEvents, inCalls } from '../support/generate.ts';
import { createTestLog } from '../support/log.ts';
import { type TestServer, createTestServer, testServer } from '../support/server.ts';
import { compareStats, questionOf } from '../support/stats.ts';
import { readStored } from '../support/stored.ts';
import { questionPool } from '../support/question.ts';

const EVENTS = 4_000;
const QUESTIONS = 60;
const HOUR = 3_600_000;
const seed = Number(process.env['JEJAK_TEST_SEED'] ?? Date.now() % 1_000_000);
const now = new Date();
const CONFIDENCE = 'responseData.confidence';

let server: TestServer;
let database: Database;
let stored: readonly Event[];

beforeAll(async () => {
  server = await createTestServer();
  database = openDatabase(server.database);
  using log = createTestLog(database.write, () => now);
  const events = generateEvents({ seed, count: EVENTS, now, spanMs: 60 * HOUR });
  for (const call of inCalls(events, 500)) await log(call);
  stored = (await readStored(database)).events;
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test(`${QUESTIONS} random questions are answered as the events themselves say`, async () => {
  const random = createRandom(seed);
  let answered = 0;
  for (let count = 0; count < QUESTIONS; count++)
    if (
      await compareStats(
        await questionPool(database),
        stored,
        questionOf(random, now),
        now,
        `seed ${seed}`,
      )
    )
      answered++;
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
    const range = 'range: { from: "2030-01-01T00:00:00Z", to: "2030-01-02T00:00:00Z" }';
    const { rows } = await ask(
      range,
      'start end count errorRate failureRate distinctUsers firstAt processingTimeMs { count average sum p99 }',
    );
    expect(rows).toEqual([
      {
        start: '2030-01-01T00:00:00.000Z',
        end: '2030-01-02T00:00:00.000Z',
        count: 0,
        errorRate: null,
        failureRate: null,
        distinctUsers: 0,
        firstAt: null,
        processingTimeMs: { count: 0, average: null, sum: null, p99: null },
      },
    ]);
  });

  test.each([
    ['from: "0001-01-01T00:00:00Z", to: "0001-01-02T00:00:00Z"', 'Asia/Jakarta', 0],
    ['from: "9999-12-31T20:00:00Z", to: "9999-12-31T23:59:59.999999Z"', 'America/New_York', 1],
  ])('buckets at the ends of time are within it: %s', async (range, zone, least) => {
    for (const interval of ['HOUR', 'DAY', 'YEAR']) {
      const args = `range: { ${range} }, interval: ${interval}, timeZone: "${zone}"`;
      const { rows, errors } = await ask(args, 'start end count');
      expect(errors).toBeUndefined();
      expect(rows.length).toBeGreaterThanOrEqual(least);
      for (const { start, end } of rows) expect([start, end].join()).toMatch(/^\d{4}-.*,\d{4}-/);
    }
  });

  test('hours and days of the clock are those of the buckets, in zones of which PostgreSQL has other years', async () => {
    const own = await testServer();
    await own.graphql('mutation { setRetention(code: "AUTH-001", days: 36500) { days } }'); // whenever this is run
    const times = ['2026-11-20T23:30:00Z', '2026-11-21T00:30:00Z', '2026-11-25T12:00:00Z'];
    await own.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', { input: times.map((timestamp) => ({ code: 'AUTH-001', timestamp })) }); // oxfmt-ignore
    for (const zone of [
      'Africa/Casablanca',
      'Asia/Jakarta',
      'America/New_York',
      'Australia/Lord_Howe',
    ]) {
      const args = `range: { from: "2026-10-30T00:00:00Z", to: "2026-11-26T00:00:00Z" }, filter: { code: ["AUTH-001"] }, timeZone: "${zone}"`;
      const { rows } = await ask(`${args}, groupBy: [HOUR_OF_DAY, DAY_OF_WEEK]`, 'hourOfDay dayOfWeek count', own); // oxfmt-ignore
      const { offsetAt } = zoneOf(zone);
      const expected = times.map((time) => {
        const local = new Date(Date.parse(time) + offsetAt(Date.parse(time)));
        return `${local.getUTCHours()} ${local.getUTCDay() || 7}`;
      });
      expect([zone, rows.map(({ hourOfDay, dayOfWeek }) => `${hourOfDay} ${dayOfWeek}`).toSorted((a, b) => a.localeCompare(b))]).toEqual([zone, expected.toSorted((a, b) => a.localeCompare(b))]); // oxfmt-ignore
    }
  });

  test('groups of the same size are in no order that tells what is masked', async () => {
    const own = await testServer();
    const usernames = Array.from({ length: 12 }, (_, index) => `${'abcdefghijkl'[index]}nama`);
    await own.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', {
      input: usernames.map((username, userId) => ({ code: 'AUTH-001', username, userId })),
    }); // oxfmt-ignore
    const orders = await Promise.all(
      ['count', 'distinctUsers'].map(async (what) => (await ask('range: { last: "PT1H" }, groupBy: [USERNAME, USER_ID]', `username ${what}`, own)).rows.map(({ username }: any) => username)),
    ); // oxfmt-ignore
    for (const order of orders) {
      expect(new Set(order)).toEqual(new Set(usernames));
      expect(order).not.toEqual(usernames);
    }
    expect(orders[0]).toEqual(orders[1]);
  });

  test('figures of several paths stand beside each other, by alias, fragment and variable, on both lanes', async () => {
    const own = await testServer();
    await own.graphql(
      'mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }',
      {
        input: [1, '3', 'x', null, { a: 1 }].map((b, place) => ({
          code: 'PRED-002',
          metadata: { a: { b }, null: b },
          responseData: { confidence: place },
        })),
      },
    );
    const selection =
      'inner: data(path: "metadata.a.b") { count average maximum } named: data(path: "metadata.null") { count } ... on EventStats { data(path: $path) { p50 } }';
    const answer = { inner: { count: 2, average: 2, maximum: 3 }, named: { count: 2 }, data: { p50: 2 } }; // oxfmt-ignore
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
    ['more than 20,000 rows', 'range: { last: "P5D" }, interval: MINUTE, groupBy: [CODE]', 'count', 'TOO_EXPENSIVE', 'narrow `range` or `filter`'],
    ['more than 20,000 rows in all', 'range: { last: "P5D" }, interval: MINUTE', 'count } b: eventStats(range: { last: "P5D" }, interval: MINUTE) { count } c: eventStats(range: { last: "P5D" }, interval: MINUTE) { count', 'TOO_EXPENSIVE', 'of an operation'],
    ['a zone that is none', 'range: { last: "PT1H" }, timeZone: "Mars/Olympus"', 'count', 'BAD_USER_INPUT', 'is no TimeZone'],
    ['an unknown dimension', 'range: { last: "PT1H" }, groupBy: [MOON]', 'count', 'BAD_USER_INPUT', 'MOON'],
  ])('%s is refused', async (_, args, selection, code, words) => {
    const { errors } = await ask(args, selection);
    expect(errors).toMatchObject([{ extensions: { code }, message: expect.stringContaining(words) }]);
  }); // oxfmt-ignore
});
