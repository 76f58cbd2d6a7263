// A filter means the same in a query and in a subscription: hundreds of random filters over varied events, the answer of
// PostgreSQL against the test in memory of what a subscriber reads. A failure names its seed; JEJAK_TEST_SEED repeats it.

import { type SQL, and, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocksOf } from '../../src/access/caller.ts';
import { type Database, openDatabase } from '../../src/database/connection.ts';
import { execute, textOf } from '../../src/database/execute.ts';
import { events as eventsTable } from '../../src/database/schema.ts';
import type { Event, EventInput, FieldName } from '../../src/events/fields.ts';
import { microsOf } from '../../src/events/time.ts';
import {
  type Bounds,
  categoryNames,
  severityNames,
  statusNames,
} from '../../src/events/vocabulary.ts';
import {
  type EventFilter,
  filterBounds,
  filterFields,
  filterSql,
  filterTest,
  foundSql,
  lookFor,
  settled,
} from '../../src/query/filter.ts';
import { MAX_CONDITIONS, MAX_DEPTH } from '../../src/query/filter-size.ts';
import { type JsonCondition, hasJson, jsonFields } from '../../src/query/json.ts';
import { MAX_WORDS, wordsOf } from '../../src/query/search.ts';
import { type Random, createRandom } from '../support/generate.ts';
import { type TestServer, createTestServer, testServer } from '../support/server.ts';
import { readStored } from '../support/stored.ts';
import { questionPool } from '../support/question.ts';

const EVENTS = 600;
const BATCH = 4; // so few that most filters may pass over some batches
const FILTERS = 500;
const SINGLE_FILTERS = 30; // of each key alone

const seed = Number(process.env['JEJAK_TEST_SEED'] ?? Date.now() % 1_000_000);
const now = new Date();
const HOUR_MS = 3_600_000;

const texts = ['a', 'A', 'a ', '', 'ä', 'a\u0308', '😀', `it's "so" \\ {x},%_`, 'NULL', '\uFFFD'];
const tags = [
  'login',
  'Login',
  '',
  ' ',
  'NULL',
  'null',
  'a,b',
  '{a}',
  '"',
  '\\',
  `'`,
  '😀',
  '\uFFFD',
];
const addresses = [
  '10.0.0.1', '10.0.0.255', '10.0.1.0', '10.255.255.255', '11.0.0.0', '0.0.0.0', '255.255.255.255', '192.168.1.7',
  '127.0.0.1', '::', '::1', '2001:db8::1', '2001:db8::ffff', '2001:db8:0:1::', 'fe80::1', '::ffff:10.0.0.1', '::a00:1',
]; // oxfmt-ignore
const blocks = [
  ...addresses, '10.0.0.0/8', '10.0.0.77/24', '10.0.0.0/23', '10.0.0.1/32', '0.0.0.0/0', '::/0', '::/96', '::1/128',
  '2001:db8::/32', '2001:db8::abcd/64', '2001:db8::fffe/127', 'fe80::/10', '::ffff:0:0/96', '::ffff:10.0.0.0/104',
  '2001:0DB8:0000::0001', '::10.0.0.1', '::10.0.0.1/120',
]; // oxfmt-ignore
// Where microseconds, milliseconds and seconds end.
const fractions = ['000', '000001', '000999', '001', '001001', '999', '999998', '999999'];
const instants = [0, 1, 2, 3].flatMap((hour) => {
  const second = new Date(now.getTime() - hour * HOUR_MS - 60_000).toISOString().slice(0, 19);
  return fractions.map((fraction) => `${second}.${fraction}Z`);
});
// What stands between words, what is a part of them, and what only looks like it.
const wordy = [
  'Ahmad Rizki', 'AHMAD-rizki', 'Wulandari', 'wulan dari', "Jum'at", 'résumé ÀÉÎÕÜ', 'İstanbul ß', '/api/siswa', 'guru01_7=x',
  'a:b :c', '=', ':', '  ', 'nilai\tujian\nMatematika', 'C:\\temp', '日本 語', '😀 tawa', `"dikutip"`, 'sebelas\u00a0duabelas', '1e5 -7 87,5',
  'Siti Nurhaliza', 'Ahmed', 'x'.repeat(60), 'Anak Luh', 'Ni Luh', 'Ana',
]; // oxfmt-ignore
const searches = [
  'ahmad', 'Ahm', 'rizqi', 'Rizky ahmad', '"wulan"', 'wulan', 'wulandri', 'jum at', 'RESUME', 'resumé', 'istanbul', 'İst', 'ß', 'api siswa',
  'guru01', 'x', 'a', 'b c', ':c', '=', '"', '""', '"=x"', "it's", 'ujian matematika', 'temp', 'c \\temp', '日本', '日', '😀', 'dikutip',
  'duabelas', '87', '-7', 'siti "nur', 'nurhalisa', 'ahmet', 'ahmd', 'never', 'tidak ada', '', ' ', 'x'.repeat(40), '&', '|', "':*", '!a', 'a\0b',
  'one', 'two AHMAD', 'boundary', 'bound', 'ak', 'anak', 'anakk', 'luh', 'luhh', 'luuh', 'dew',
]; // oxfmt-ignore
const texted = (random: Random): string =>
  some(random, wordy, 3).join(random.pick([' ', '-', 'é']));
const long = (random: Random): string =>
  `${random.pick(['é', '😀', 'a'])} `
    .repeat(246)
    .concat('12345678', ' boundary'.repeat(random.below(3)));
// What no event can hold: a filter may name it all the same.
const unstorable = ['a\0b', '\ud800'];

const maybe = <T>(random: Random, value: () => T): T | null =>
  random.chance(0.2) ? null : value();
const some = <T>(random: Random, items: readonly T[], most: number): T[] =>
  Array.from({ length: random.below(most + 1) }, () => random.pick(items));

const eventOf = (random: Random): EventInput => ({
  ...(random.chance(0.3)
    ? { code: random.pick(['AUTH-001', 'SEC-002', 'DATA-004', 'SYS-008']) }
    : {}),
  category: random.pick(categoryNames),
  type: random.pick(['USER_LOGIN', 'OTHER', 'a']),
  name: random.pick(['one', 'two', 'Nilai Ujian']),
  description: maybe(random, () => (random.chance(0.1) ? long(random) : texted(random))),
  errorMessage: maybe(random, () => (random.chance(0.1) ? long(random) : texted(random))),
  resourceName: maybe(random, () => texted(random)),
  severity: maybe(random, () => random.pick(severityNames)),
  status: maybe(random, () => random.pick(statusNames)),
  userId: maybe(random, () => random.pick([0, 1, -1, 2, 2_147_483_647, -2_147_483_648])),
  username: maybe(random, () => random.pick(texts)),
  userRole: maybe(random, () => random.pick(texts)),
  ipAddress: maybe(random, () => random.pick(addresses)),
  sessionId: maybe(random, () => random.pick(texts)),
  resourceType: maybe(random, () => random.pick(texts)),
  resourceId: maybe(random, () => random.pick(texts)),
  action: maybe(random, () => random.pick(texts)),
  endpoint: maybe(random, () => random.pick(texts)),
  httpMethod: maybe(random, () => random.pick(['GET', 'get', 'POST'])),
  errorCode: maybe(random, () => random.pick(['E1', 'e1', 'E2'])),
  tags: maybe(random, () => some(random, tags, 4)),
  metadata: maybe(random, () => often(random) ?? jsonOf(random)),
  requestData: maybe(random, () => ({ a: often(random) ?? jsonOf(random) })),
  responseData: maybe(random, () => [often(random) ?? jsonOf(random)]),
  timestamp: random.pick(instants),
});

const wanted = (random: Random): string[] => some(random, [...texts, 'never', ...unstorable], 4);

// What JSON can hold, values that are nearly the same among them; and paths to and past it.
const plains = [
  null,
  true,
  false,
  0,
  1,
  -1,
  0.1,
  1e21,
  1e64,
  1e-64,
  1e100,
  -1e-300,
  87.5,
  '',
  'a',
  '1',
  '87,5',
  'null',
  'tr"u\\e',
  '😀',
];
const nests: readonly unknown[] = [
  [],
  {},
  [1, 2, 3],
  ['a', ['a']],
  { a: 1 },
  { a: { b: 'a' }, 'a.b': 1 },
  [{ a: 1 }, { a: null }],
  { '0': 'a', '-1': 1 },
  { '00': 'a', '+1': [1], ' 1': { a: 1 }, '-1': { a: 1 } },
  { __proto__: null, constructor: 1 },
];
const paths = [
  'a',
  'b',
  'a.b',
  'a\\.b',
  'a.0',
  '0',
  '-1',
  '-1.a',
  '0.a',
  'a.b.0',
  ' 1',
  '+1',
  '-0',
  '00',
  '01',
  '0.-1',
  'a.+0.a',
  '\n0',
  '1x',
  '99999999999',
  'constructor',
  '"a"',
  'a\\\\b',
  '{a}',
  'never',
];
const jsonOf = (random: Random, depth = 0): unknown => {
  if (depth > 2 || random.chance(0.5)) return random.pick([...plains, ...nests]);
  if (random.chance(0.3))
    return Array.from({ length: random.below(4) }, () => jsonOf(random, depth + 1));
  return Object.fromEntries(
    some(random, ['a', 'b', 'a.b', '0', '"a"', 'a\\b', '{a}'], 4).map((key) => [
      key,
      jsonOf(random, depth + 1),
    ]),
  );
};
/** So often that each condition finds some. */
const often = (random: Random): object | null =>
  random.chance(0.3) ? { a: random.pick([1, 'a', [1], 0, null]) } : null;
const numbers = [0, 1, -1, 0.1, 87.5, 87.4999, 1e21, 5, 1e64, 1e-64, 1e100, -1e100, 1e-300, -1e-300, 1.7976931348623157e308, -5e-324]; // oxfmt-ignore
const jsonCondition = (random: Random): JsonCondition => {
  const any = () => random.pick<unknown>([...plains, ...nests]);
  const asked: Record<string, unknown> = {};
  for (const operator of some(random, ['exists', 'equals', 'equals', 'in', 'contains', 'gt', 'gte', 'lt', 'lte'], 2))
    asked[operator] = operator === 'exists' ? random.chance(0.5) : operator === 'in' ? some(random, [...plains, ...nests], 4)
      : operator.length < 4 ? random.pick(numbers) : any();
  if (Object.values(asked).every((value) => value === null)) asked['exists'] = true;
  return { field: random.pick(jsonFields), path: random.pick(paths), ...asked };
}; // oxfmt-ignore

/** A value for each key of the filter; the compiler asks for the next one. */
const values: {
  [K in keyof Required<EventFilter>]: (random: Random) => NonNullable<EventFilter[K]>;
} = {
  code: (random) => some(random, ['AUTH-001', 'SEC-002', 'DATA-004', 'ADMIN-010'], 3),
  category: (random) => some(random, categoryNames, 4),
  severity: (random) => some(random, severityNames, 4),
  minSeverity: (random) => random.pick(severityNames),
  status: (random) => some(random, statusNames, 4),
  type: (random) => some(random, ['USER_LOGIN', 'OTHER', 'user_login', 'a'], 3),
  userId: (random) => some(random, [0, 1, -1, 3, 2_147_483_647, -2_147_483_648], 3),
  username: wanted,
  userRole: wanted,
  ipAddress: (random) => some(random, blocks, 3),
  sessionId: wanted,
  resourceType: wanted,
  resourceId: wanted,
  action: wanted,
  endpoint: wanted,
  httpMethod: (random) => some(random, ['GET', 'get', 'PUT'], 2),
  errorCode: (random) => some(random, ['E1', 'E2', 'E3'], 2),
  tagsAny: (random) => some(random, [...tags, 'never', ...unstorable], 3),
  tagsAll: (random) => some(random, [...tags, ...unstorable], 2),
  range: (random) =>
    random.chance(0.2)
      ? { last: random.pick(['PT1H', 'PT2H30M', 'P1D', 'PT0.001S']) }
      : {
          from: random.pick(instants),
          ...(random.chance(0.7) ? { to: maybe(random, () => random.pick(instants)) } : {}),
        },
  search: (random) => some(random, searches, 3).join(' '),
  json: (random) => Array.from({ length: random.below(3) }, () => jsonCondition(random)),
  and: (random) => filtersOf(random),
  or: (random) => filtersOf(random),
  not: (random) => filterOf(random, 2),
};
const keys = Object.keys(values) as (keyof EventFilter)[];

/** A filter of a few keys; combinations grow rarer as it goes deeper. */
const filterOf = (random: Random, depth: number): EventFilter => {
  const simple = keys.filter((key) => !combining.has(key));
  const few = some(random, random.chance(0.7 ** depth) ? keys : simple, 2);
  return Object.fromEntries(
    few.map((key) => [
      key,
      maybe(random, () =>
        combining.has(key) ? combination(random, key, depth) : values[key](random),
      ),
    ]),
  );
};
const combining: ReadonlySet<string> = new Set(['and', 'or', 'not']);
const combination = (random: Random, key: string, depth: number): unknown => {
  if (depth >= MAX_DEPTH - 1) return key === 'not' ? {} : [];
  if (key === 'not') return filterOf(random, depth + 1);
  return Array.from({ length: random.below(4) }, () => filterOf(random, depth + 1));
};
const filtersOf = (random: Random): EventFilter[] =>
  Array.from({ length: random.below(4) }, () => filterOf(random, 2));

let server: TestServer;
let database: Database;
const answered: object[] = [];
let stored: readonly Event[];

const selected = [
  'eventId', 'code', 'category', 'type', 'name', 'description', 'errorMessage', 'resourceName', 'severity', 'status', 'userId', 'username', 'userRole', 'ipAddress', 'sessionId',
  'resourceType', 'resourceId', 'action', 'endpoint', 'httpMethod', 'errorCode', 'tags', 'timestamp',
] as const; // oxfmt-ignore

beforeAll(async () => {
  server = await createTestServer();
  database = openDatabase(server.database);
  const random = createRandom(seed);
  while (answered.length < EVENTS) {
    const { data } = await server.graphql(
      `mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { event { ${selected.join(' ')} } } } }`,
      { input: Array.from({ length: BATCH }, () => eventOf(random)) },
    );
    answered.push(...data.logEvents.results.map(({ event }: { event: object }) => event));
  }
  stored = (await readStored(database)).events;
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const inSql = async (filter: EventFilter, besides?: SQL): Promise<number[]> => {
  const rows = await execute<{ id: number }>(
    await questionPool(database),
    sql`SELECT id FROM ${eventsTable} WHERE ${and(filterSql(filter, now), besides) ?? sql`true`} ORDER BY id`,
  );
  return rows.map(({ id }) => id);
};
const matching = (filter: EventFilter): Event[] => stored.filter(filterTest(filter, now));
const inMemory = (filter: EventFilter): number[] => matching(filter).map(({ id }) => id);

/** As a replay reads: only batches that may hold something, and of those only the severities and categories that may. */
const replayed = async (filter: EventFilter): Promise<number[]> => {
  const meant = settled(filter, now);
  const { events } = await readStored(database, 0, { bounds: filterBounds(meant) });
  return events.filter(filterTest(meant, now)).map(({ id }) => id);
};

const isOutside =
  ({ severities, categories }: Bounds) =>
  ({ severity, category }: Event): boolean =>
    severities?.includes(severity) === false || categories?.includes(category) === false;

/** An event with nothing but what a subscription reads for its filter. */
const narrowTo =
  (names: readonly FieldName[]) =>
  (event: Event): Event =>
    Object.fromEntries(['id' as const, ...names].map((name) => [name, event[name]])) as Event;

const compare = async (filter: EventFilter): Promise<number> => {
  const ids = inMemory(filter);
  const what = `seed ${seed}, ${JSON.stringify(filter)}`;
  const statement = sql`SELECT FROM events WHERE ${filterSql(filter, now)}`;
  const { sql: text, params } = new PgDialect().sqlToQuery(statement);
  expect(textOf(statement), `${what}, as drizzle writes it`).toEqual({ sql: text, params });
  expect(await inSql(filter), what).toEqual(ids);
  const found = foundSql(filter);
  if (found)
    expect(await inSql(filter, found), `${what}, as the index of marks has it`).toEqual(ids);
  const meant = settled(filter, now);
  expect(matching(filter).filter(isOutside(filterBounds(meant))), what).toEqual([]);
  const narrow = stored.map(narrowTo(filterFields(meant)));
  expect(
    narrow.filter(filterTest(meant, now)).map(({ id }) => id),
    what,
  ).toEqual(ids);
  return ids.length;
};

test('an event is read from the log as it was answered, tags and addresses to the letter', () => {
  const read = stored.map((event) =>
    Object.fromEntries(selected.map((name) => [name, event[name]])),
  );
  expect(read).toHaveLength(EVENTS);
  expect(read, `seed ${seed}`).toEqual(answered);
});

describe('alone, in SQL and in memory the same:', () => {
  test.each(keys)('%s', async (key) => {
    const random = createRandom(seed + keys.indexOf(key));
    const found = new Set<boolean>();
    // More where chance has chosen nothing yet that is there.
    for (
      let count = 0;
      count < SINGLE_FILTERS || (!found.has(true) && count < 20 * SINGLE_FILTERS);
      count++
    ) {
      const matches = await compare({ [key]: values[key](random) });
      found.add(matches > 0).add(matches === EVENTS);
    }
    expect(found, `${key} tells events apart, seed ${seed}`).toContain(true);
    expect(found).toContain(false);
  });
});

test.each([
  'code',
  'type',
  'status',
  'username',
  'userRole',
  'ipAddress',
  'sessionId',
  'resourceType',
  'action',
  'endpoint',
  'httpMethod',
  'errorCode',
  'tagsAny',
  'tagsAll',
])('%s is found by the index of marks', async (key) => {
  const where = foundSql({ [key]: ['10.0.0.7', '10.0.0.0/20'] });
  expect(where).toBeDefined();
  await (
    await questionPool(database)
  ).begin(async (on) => {
    await on`SET LOCAL enable_seqscan = off`;
    await on`SET LOCAL enable_indexscan = off`;
    const plan = await execute(on, sql`EXPLAIN SELECT FROM ${eventsTable} WHERE ${where}`);
    expect(JSON.stringify(plan)).toMatch(/Bitmap Index Scan on \w+_event_marks/);
    expect(JSON.stringify(plan)).not.toContain('Seq Scan');
  });
});

test('a block of very many addresses, or something else besides, is not found so', () => {
  expect(foundSql({ ipAddress: ['10.0.0.7', '10.0.0.0/16'] })).toBeDefined();
  expect(foundSql({ ipAddress: ['2001:db8::7', '2001:db8::/48'] })).toBeDefined();
  expect(foundSql({ ipAddress: ['10.0.0.7', '10.0.0.0/15'] })).toBeUndefined();
  expect(foundSql({ ipAddress: ['2001:db8::/47'] })).toBeUndefined();
  expect(foundSql({ or: [{ username: ['a'] }, { code: ['AUTH-001'] }] })).toBeDefined();
  expect(foundSql({ or: [{ username: ['a'] }, { category: ['DATA'] }] })).toBeUndefined();
  expect(foundSql({ not: { username: ['a'] } })).toBeUndefined();
});

test.each(addresses)('%s is found by the blocks that it is in, however long', async (address) => {
  const lengths = address.includes(':')
    ? [128, 127, 65, 64, 63, 49, 48, 47]
    : [32, 31, 25, 24, 23, 17, 16, 15];
  for (const length of lengths)
    expect(await compare({ ipAddress: [`${address}/${length}`] })).toBeGreaterThan(0);
});

test(`${FILTERS} filters of several keys match the same events in SQL and in memory`, async () => {
  const random = createRandom(seed);
  let matched = 0;
  for (let count = 0; count < FILTERS; count++) {
    const given = some(random, keys, 3);
    const filter = Object.fromEntries(
      given.map((key) => [key, maybe(random, () => values[key](random))]),
    );
    if ((await compare(filter)) > 0) matched++;
    if (count % 10 === 0) expect(await replayed(filter)).toEqual(inMemory(filter));
  }
  expect(matched).toBeGreaterThan(FILTERS / 10);
});

test.each(keys.filter((key) => Array.isArray(values[key](createRandom(1)))))(
  'an empty list of %s matches none, unless all of none is asked for',
  async (key) => {
    const matches = await compare({ [key]: [] });
    const all = { json: EVENTS, tagsAll: stored.filter((event) => event.tags).length, and: EVENTS };
    expect(matches).toBe(all[key as keyof typeof all] ?? 0);
  },
);

test('what is absent is not what was asked for: `not` finds it, however often it is said', async () => {
  const named = { username: ['a'] };
  const isNamed = ({ username }: Event): boolean => username === 'a';
  const others = stored.filter((event) => !isNamed(event));
  expect(others.some(({ username }) => username === null)).toBe(true);
  expect(await inSql({ not: named })).toEqual(others.map(({ id }) => id));
  expect(await compare({ not: { not: named } })).toBe(EVENTS - others.length);
  expect(await compare({ or: [named, { not: named }] })).toBe(EVENTS);
  expect(await compare({ and: [named, { not: named }] })).toBe(0);
  expect(await compare({ not: {} })).toBe(0);
});

test('`or` is bounded where all that it offers is, `not` never', () => {
  const [critical, auth] = [{ minSeverity: 'CRITICAL' }, { category: ['AUTH'] }] as const;
  expect(filterBounds({ or: [critical, { severity: ['INFO'] }] })).toEqual({
    severities: ['CRITICAL', 'INFO'],
  });
  expect(filterBounds({ or: [critical, auth] })).toEqual({});
  expect(filterBounds({ and: [critical, auth] })).toEqual({
    severities: ['CRITICAL'],
    categories: ['AUTH'],
  });
  expect(filterBounds({ not: critical })).toEqual({});
  expect(filterBounds({ or: [] })).toEqual({ severities: [], categories: [] });
});

describe('refused with BAD_USER_INPUT by all: a filter', () => {
  const refusal = expect.objectContaining({
    code: 'BAD_USER_INPUT',
    message: expect.stringContaining(`${MAX_CONDITIONS} conditions`),
  }) as Error;
  const deep = (levels: number): EventFilter =>
    levels === 1 ? { code: [] } : { not: deep(levels - 1) };
  const wide = (conditions: number): EventFilter => ({
    or: Array.from({ length: conditions - 1 }, () => ({ code: ['AUTH-001'] })),
  });
  test.each([
    ['deeper than stated', deep(MAX_DEPTH), deep(MAX_DEPTH + 1)],
    ['nested without end', {}, deep(5_000)],
    ['of more conditions than stated', wide(MAX_CONDITIONS), wide(MAX_CONDITIONS + 1)],
  ])('%s', (_name, good, bad) => {
    for (const use of [filterSql, filterTest, settled]) {
      expect(() => use(good, now)).not.toThrow();
      expect(() => use(bad, now)).toThrow(refusal);
    }
  });
});

test('refused with BAD_USER_INPUT by all: more values than a statement may have, a word that is too long', () => {
  const many = (count: number) => Array.from({ length: count }, (_, id) => `STD-${id}`);
  const json = (count: number) => ({ field: 'metadata' as const, path: 'a', in: many(count) });
  for (const [good, bad] of [
    [{ resourceId: many(500) }, { resourceId: many(501) }],
    [
      { username: many(250), or: [{ tagsAny: many(249) }] },
      { username: many(250), or: [{ tagsAny: many(251) }] },
    ],
    [{ json: [json(498)] }, { json: [json(500)] }],
    [{ search: 'é'.repeat(500) }, { search: `a ${'b'.repeat(501)}` }],
  ] as [EventFilter, EventFilter][]) {
    // oxfmt-ignore
    for (const use of [filterSql, filterTest] as const) {
      expect(() => use(good, now)).not.toThrow();
      expect(() => use(bad, now)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
    }
  }
});

test('the longest word of a search is one that PostgreSQL takes', async () => {
  expect(await compare({ search: '😀'.repeat(250) })).toBe(0);
  expect(await compare({ search: '€'.repeat(500) })).toBe(0);
});

test('a range holds its first microsecond and not its last', async () => {
  for (const { timestamp } of stored.slice(0, 40)) {
    const micros = microsOf(timestamp);
    const next = instantOf(micros + 1);
    const ids = stored.filter((event) => microsOf(event.timestamp) === micros).map(({ id }) => id);
    expect(await inSql({ range: { from: timestamp, to: next } })).toEqual(ids);
    expect(inMemory({ range: { from: timestamp, to: next } })).toEqual(ids);
    expect(await compare({ range: { from: next, to: timestamp } })).toBe(0);
    expect(await compare({ range: { from: timestamp, to: timestamp } })).toBe(0);
  }
});

const instantOf = (micros: number): string => {
  const millis = new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1);
  return `${millis}${String(micros % 1000).padStart(3, '0')}Z`;
};

describe('a condition on JSON', () => {
  test.each([...jsonFields])('of each kind tells events apart: %s', async (field) => {
    const found = (condition: Omit<JsonCondition, 'field'>) => compare({ json: [{ field, ...condition }] });
    const path = { metadata: 'a', requestData: 'a.a', responseData: '0.a' }[field];
    for (const asked of [{ exists: true }, { exists: false }, { equals: 1 }, { in: ['a', 1, true] }, { contains: 1 }, { gte: 1 }, { lt: 1e3 }]) {
      const matches = await found({ path, ...asked });
      expect(matches, JSON.stringify(asked)).toBeGreaterThan(0);
      expect(matches).toBeLessThan(EVENTS);
    }
  }); // oxfmt-ignore

  test.each([1e65, 1e100, -1e100, 1.7976931348623157e308, 1e-65, 1e-300, -1e-300, 5e-324])(
    'compares with %d as with any number, though the log stores none such',
    async (bound) => {
      const found = async (asked: Partial<JsonCondition>): Promise<unknown[]> => {
        const filter = { json: [{ field: 'metadata' as const, path: 'a', ...asked }] };
        expect(await inSql(filter)).toEqual(inMemory(filter));
        return matching(filter).map(({ metadata }) => (metadata as { a: unknown }).a);
      };
      const numeric = (await found({ exists: true })).filter((value) => typeof value === 'number');
      const greater = numeric.filter((value) => value > bound);
      const less = numeric.filter((value) => value < bound);
      expect([greater.length + less.length, numeric.length > 0]).toEqual([numeric.length, true]);
      for (const [asked, expected] of [[{ gt: bound }, greater], [{ gte: bound }, greater], [{ lt: bound }, less], [{ lte: bound }, less]] as const)
        expect(await found(asked)).toEqual(expected);
    },
  ); // oxfmt-ignore

  test.each([
    ['without a question', { path: 'a' }],
    ['with nothing but null', { path: 'a', equals: null, gt: null }],
    ['without a path', { path: '', exists: true }],
    ['with dots alone', { path: '..', exists: true }],
    ['with an empty key within', { path: 'a..b', exists: true }],
    ['with an empty key at the head', { path: '.a', exists: true }],
    ['with an empty key at the end', { path: 'a.', exists: true }],
    ['with a backslash before nothing', { path: 'a\\', exists: true }],
    ['of 33 keys', { path: `a${'.a'.repeat(32)}`, exists: true }],
  ])('%s is refused with BAD_USER_INPUT by both', (_name, condition) => {
    const refusal = expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error;
    const json = [{ field: 'metadata' as const, ...condition }];
    expect(() => filterSql({ json }, now)).toThrow(refusal);
    expect(() => filterTest({ json }, now)).toThrow(refusal);
  });

  test('asks for JSON’s null where it says so', async () => {
    const found = async (asked: Partial<JsonCondition>): Promise<unknown[]> => {
      const filter = { json: [{ field: 'metadata' as const, path: 'a', ...asked }] };
      expect(await compare(filter)).toBeGreaterThan(0);
      return matching(filter).map(({ metadata }) => (metadata as { a: unknown }).a);
    };
    expect(new Set(await found({ in: [null] }))).toEqual(new Set([null]));
    const all = await found({ exists: true });
    expect(await found({ exists: true, equals: null, contains: null })).toEqual(all); // nothing is asked with null
  });

  test.each(['-1', '00', '01', '-0', '+0', '+1', ' 0', '\n1', '\v0'])(
    'has %j for a key and for no place in a list',
    async (key) => {
      const json = async (value: unknown): Promise<unknown> => {
        const given = sql`(SELECT ${JSON.stringify(value)}::text::jsonb AS metadata) AS events`;
        const where = filterSql({ json: [{ field: 'metadata', path: `a.${key}.0`, equals: 1 }] }, now);
        const { length } = await execute(await questionPool(database), sql`SELECT FROM ${given} WHERE ${where}`);
        const event = { metadata: value } as Event;
        expect(filterTest({ json: [{ field: 'metadata', path: `a.${key}.0`, equals: 1 }] }, now)(event)).toBe(length > 0);
        return length > 0;
      };
      expect(await json({ a: { [key]: [1] } })).toBe(true);
      expect(await json({ a: [[1], [1], [1]] })).toBe(false);
    },
  ); // oxfmt-ignore

  test.each(["' OR true --", '\\', "\\' OR true --", "a\\''b", '$1 $2', "E'x'", '"}', '𝔘’'])(
    'takes %j for a value and nothing else',
    async (equals) => {
      expect(await compare({ json: [{ field: 'metadata', path: 'a', equals }] })).toBe(0);
      const given = await execute(
        await questionPool(database),
        sql`SELECT ${hasJson(sql`${JSON.stringify({ a: equals })}::text::jsonb`, { a: equals })} AS has`,
      );
      expect(given).toEqual([{ has: true }]);
    },
  );

  test('is planned for the value that is looked for, which says whether an index finds few', async () => {
    const where = filterSql({ json: [{ field: 'metadata', path: 'a.b', equals: 'rare' }] }, now);
    const { sql: text, params } = new PgDialect().sqlToQuery(where!);
    await (
      await questionPool(database)
    ).begin(async (on) => {
      await on`SET LOCAL enable_seqscan = off`;
      await on`SET LOCAL plan_cache_mode = force_generic_plan`; // as the pools have it
      await on.unsafe(`PREPARE asked AS SELECT FROM events WHERE ${text}`);
      const given = params.map((value) => `'${String(value)}'`).join(', ');
      const plan = await on.unsafe(`EXPLAIN EXECUTE asked(${given})`);
      await on`DEALLOCATE asked`;
      expect(JSON.stringify(plan)).toMatch(/Index Cond: \(metadata @> '\{[^}]*rare/);
    });
  });

  test('counts as a condition of the filter', () => {
    const json = Array.from({ length: MAX_CONDITIONS }, () => ({ field: 'metadata' as const, path: 'a', exists: true })); // oxfmt-ignore
    expect(() => filterSql({ json }, now)).toThrow('100 conditions');
  });
});

describe('a search', () => {
  const found = async (search: string): Promise<Event[]> => {
    await compare({ search });
    return matching({ search });
  };
  const saidBy = ({ name, description, errorMessage, resourceName }: Event): string =>
    [name, description, errorMessage, resourceName].join(' ').toLowerCase();

  test('finds the beginnings of words, whatever their case, accents and order, in all four texts', async () => {
    for (const [search, word] of [['RESUME', 'résumé'], ['nil', 'nilai'], ['rizki AHM', 'rizki'], ['matem', 'matematika']] as const) {
      const events = await found(search);
      expect(events.length).toBeGreaterThan(0);
      for (const event of events) expect(saidBy(event)).toContain(word);
    }
  }); // oxfmt-ignore

  test('finds misspelt names of resources, and only there', async () => {
    for (const [search, name] of [['wulandri', 'wulandari'], ['nurhalisa', 'nurhaliza'], ['rizqi', 'rizki']] as const) {
      const events = await found(search);
      const named = stored.filter(({ resourceName }) => wordsOf(resourceName ?? '').includes(name));
      expect(named.length).toBeGreaterThan(0);
      expect(events).toEqual(expect.arrayContaining(named));
      expect(events.filter(({ resourceName }) => resourceName === null)).toEqual([]);
    }
  }); // oxfmt-ignore

  test('finds what is like a word of 4 letters or more, and names of 3 letters or more', async () => {
    const names = async (search: string) => (await found(search)).map(({ resourceName }) => wordsOf(resourceName ?? '')); // oxfmt-ignore
    expect((await names('luhh')).flat()).toContain('luh');
    expect(await names('lhu')).toEqual([]);
    expect(await names('ak')).toEqual([]);
  });

  test.each(["' OR true --", '\\', "\\' OR true --", "a\\''b", '$1 $2', "E'x'", '%s \\x27', '𝔘’'])(
    'takes %j for words and nothing else',
    async (search) => {
      expect(new Set(await found(search))).toEqual(new Set(matching({ search })));
    },
  );

  test('finds the very word where it is in quotation marks', async () => {
    expect((await found('wulan')).length).toBeGreaterThan((await found('"wulan"')).length);
    expect(await found('"rizk"')).toEqual([]);
  });

  test('reads the first 500 characters of a description', async () => {
    const event = stored.find(({ description }) => description?.endsWith(' boundary'))!;
    expect(Array.from(event.description!).indexOf('b')).toBe(501);
    const [before, beyond] = ['12345678', 'boundary'].map((search) => matching({ search }));
    expect(before).toContain(event);
    expect(beyond!.length).toBeLessThan(before!.length);
  });

  test('takes each character alike in SQL and in memory', async () => {
    const points = [...Array(0x590).keys(), 0x2019, 0x2028, 0x3000, 0xfeff, 0x1f600].slice(1);
    const characters = points.map((point) => String.fromCodePoint(point)).filter((each) => each !== '"');
    const rows = await database.read<{ words: string[] }[]>`
      SELECT tsvector_to_array(search_words('x' || character || 'Y', NULL, NULL, NULL)) AS words
      FROM unnest(${characters}::text[]) WITH ORDINALITY AS given (character, place) ORDER BY place`;
    expect(rows.map(({ words }) => words)).toEqual(
      characters.map((character) => [...new Set(wordsOf(`x${character}Y`))].toSorted()),
    );
  }); // oxfmt-ignore

  test('of more words than stated is refused with BAD_USER_INPUT by both', () => {
    const refusal = expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error;
    const search = 'a '.repeat(MAX_WORDS + 1);
    expect(() => filterSql({ search }, now)).toThrow(refusal);
    expect(() => filterTest({ search }, now)).toThrow(refusal);
  });
});

test('no filter, an empty one and one of nulls match everything', async () => {
  for (const filter of [{}, { code: null, range: null, minSeverity: null, tagsAll: null }])
    expect(await compare(filter)).toBe(EVENTS);
  expect(filterSql(undefined, now)).toBeUndefined();
  expect(stored.every(filterTest(null, now))).toBe(true);
});

test.each([
  '10.0.0.0/33',
  '::/129',
  '10.0.0.0/-1',
  'localhost',
  '',
  '10.0.0.256',
  'fe80::1%eth0',
  'fe80::%1/64',
  '10.0.0.1/',
  '10.1',
  '010.0.0.1/8',
])('the address %j is refused with BAD_USER_INPUT by both', (text) => {
  const refusal = expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error;
  expect(() => filterSql({ ipAddress: [text] }, now)).toThrow(refusal);
  expect(() => filterTest({ ipAddress: [text] }, now)).toThrow(refusal);
});

// A hold or a key may have it: refused when it is read again, nobody could read the log, or that key nothing.
test('a length of a block with zeros before it is that length', async () => {
  expect(await compare({ ipAddress: ['10.0.0.0/008'] })).toBe(
    await compare({ ipAddress: ['10.0.0.0/8'] }),
  );
  expect(blocksOf(['10.0.0.0/08']).check('10.9.9.9')).toBe(true);
});

test.each([{}, { last: 'PT1H', from: instants[0] }, { to: instants[0] }])(
  'the range %j is refused with BAD_USER_INPUT by both',
  (range) => {
    const refusal = expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error;
    expect(() => filterSql({ range }, now)).toThrow(refusal);
    expect(() => filterTest({ range }, now)).toThrow(refusal);
  },
);

test.each([
  [{}, 'ordered'],
  [{ category: ['AUTH'], minSeverity: 'INFO', range: { last: 'P1D' } }, 'ordered'],
  [{ code: ['AUTH-002'] }, 'scanned'],
  [{ code: ['AUTH-002'], userId: [7] }, 'ordered'],
  [{ search: 'nilai', userId: [7] }, 'ordered'],
  [{ and: [{ status: ['FAILED'] }, { and: [{ search: 'nilai' }] }] }, 'matched'],
  [{ or: [{ userId: [7] }, { userId: [8] }] }, 'scanned'],
  [{ json: [{ field: 'metadata', path: 'kelas', equals: 'XI' }] }, 'matched'],
  [{ json: [{ field: 'metadata', path: 'login.attempts', gte: 3 }] }, 'scanned'],
  [{ json: [{ field: 'metadata', path: 'daftar.0', equals: 3 }] }, 'scanned'],
] as [EventFilter, string][])('how %j is looked for: %s', (filter, expected) => {
  expect(lookFor(filter)).toBe(expected);
}); // oxfmt-ignore

test('a text that is longer than a column finds what was cut of it, in queries and in subscriptions', async () => {
  const own = await testServer();
  const given = { username: '😀'.repeat(51), resourceId: 'r'.repeat(51), endpoint: `/api/${'x\0'.repeat(100)}`, errorCode: 'E'.repeat(21) }; // oxfmt-ignore
  const event = {
    category: 'SYSTEM',
    type: 'LONG',
    name: 'long',
    ...given,
    tags: ['t'.repeat(101)],
  };
  await own.graphql('mutation($input: LogEventInput!) { logEvent(input: $input) { outcome } }', { input: event }); // oxfmt-ignore
  const filters = [
    ...Object.entries(given).map(([key, text]) => ({ [key]: [text] })),
    { tagsAll: event.tags },
    { not: { tagsAny: ['t'.repeat(100)] }, or: [{ tagsAny: event.tags }] },
  ];
  for (const filter of filters) {
    const { data } = await own.graphql('query($filter: EventFilter) { events(filter: $filter) { totalCount } }', { filter }); // oxfmt-ignore
    expect([filter, data.events.totalCount]).toEqual([filter, 1]);
    await using subscriber = own.subscribe('subscription($filter: EventFilter) { eventLogged(filter: $filter, after: "earliest") { event { type } } }', { filter }); // oxfmt-ignore
    expect((await subscriber.next()).eventLogged.event.type).toBe('LONG');
  }
});
