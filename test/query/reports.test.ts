// The six monitoring reports against the document's own SQL, run to the letter on the same 50,000 events, and what the
// reports do that the SQL cannot.

import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { definitionOf } from '../../src/events/catalog.ts';
import type { Event, EventInput } from '../../src/events/fields.ts';
import { instantFromPostgres, microsOf } from '../../src/events/time.ts';
import { generateEvents, inCalls } from '../support/generate.ts';
import { type TestServer, createTestServer, testServer } from '../support/server.ts';
import { monitoringQueries } from '../support/specification.ts';

const [MINUTE, HOUR] = [60_000, 3_600_000];
/** NOW() moves on while the queries run, so nothing is generated this near to where their ranges begin. */
const CLEARANCE = 5 * MINUTE;
const now = new Date();

type Logged = Pick<
  Event,
  | 'code'
  | 'severity'
  | 'status'
  | 'name'
  | 'endpoint'
  | 'timestamp'
  | 'username'
  | 'userId'
  | 'processingTimeMs'
>;

/** Logs events, every one of which must be stored. */
const logAll = async (of: TestServer, events: Iterable<EventInput>): Promise<Logged[]> => {
  const logged: Logged[] = [];
  for (const input of inCalls(events, 1000)) {
    const { data, errors } = await of.graphql<{
      logEvents: { results: { event: Logged | null }[] };
    }>(
      `mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { event {
         code severity status name endpoint timestamp username userId processingTimeMs } } } }`,
      { input },
    );
    if (errors) throw new Error(JSON.stringify(errors));
    logged.push(...data!.logEvents.results.map(({ event }) => event!));
  }
  return logged;
};

function* clearOfBoundaries(events: Iterable<EventInput>): Generator<EventInput> {
  for (const event of events) {
    const age = now.getTime() - Date.parse(event.timestamp!);
    if ([HOUR, 24 * HOUR].every((edge) => Math.abs(age - edge) > CLEARANCE)) yield event;
  }
}

let server: TestServer;
let logged: Logged[];

beforeAll(async () => {
  server = await createTestServer();
  const events = generateEvents({ seed: 2025, count: 50_000, now, spanMs: 26 * HOUR });
  logged = await logAll(server, clearOfBoundaries(events));
  await server.database.sql`ANALYZE events`;
});
afterAll(() => server[Symbol.asyncDispose]());

const since = (ms: number): Logged[] =>
  logged.filter(({ timestamp }) => Date.parse(timestamp) >= now.getTime() - ms);

const groupsOf = <T, K>(items: readonly T[], key: (item: T) => K): [K, T[]][] => [
  ...Map.groupBy(items, key),
];

type Row = Readonly<Record<string, unknown>>;

/** What the API answers to a report, or fails with its errors. */
const report = async (query: string, of = server): Promise<Row[]> => {
  const { data, errors } = await of.graphql<Record<string, Row[]>>(`{ ${query} }`);
  if (errors) throw new Error(JSON.stringify(errors));
  return Object.values(data!)[0]!;
};

type CriticalPage = {
  recentCriticalEvents: {
    edges: { node: Row }[];
    pageInfo: { hasNextPage: boolean; endCursor: string };
  };
};

/** Report 1 in full, a page after the other. */
const criticalEvents = async (pageSize: number): Promise<{ pages: number; rows: Row[] }> => {
  const rows: Row[] = [];
  let after: string | null = null;
  for (let pages = 1; ; pages++) {
    const answer: { data?: CriticalPage } = await server.graphql<CriticalPage>(
      `query($first: Int, $after: String) { recentCriticalEvents(first: $first, after: $after) {
         edges { node { name description username timestamp } } pageInfo { hasNextPage endCursor } } }`,
      { first: pageSize, after },
    );
    const { edges, pageInfo } = answer.data!.recentCriticalEvents;
    rows.push(...edges.map((edge) => edge.node));
    if (!pageInfo.hasNextPage) return { pages, rows };
    after = pageInfo.endCursor;
  }
};

describe('the generated events', () => {
  test('are of all 84 codes and of none, of every severity and status, and the same for a seed', () => {
    const values = (of: (event: Logged) => unknown) => new Set(logged.map(of)).size;
    expect(values((event) => event.code)).toBe(85);
    expect(values((event) => event.severity)).toBe(5);
    expect(values((event) => event.status)).toBe(7);
    const three = () => [...generateEvents({ seed: 7, count: 3, now, spanMs: HOUR })];
    expect(three()).toEqual(three());
  });
});

// The document's SQL names its columns in its own way; the reports, under those names.

type Comparison = {
  readonly sql: string;
  readonly rows: () => Promise<Row[]>;
  readonly key: string;
  readonly order: string;
  /** What the API leaves out or adds by intent. */
  readonly expected?: (rows: Row[]) => Row[];
};

const userActivity = (args: string) => async () =>
  (await report(`userActivity${args} { username eventCount lastActivity }`)).map((row) => ({
    username: row['username'],
    event_count: row['eventCount'],
    last_activity: row['lastActivity'],
  }));

const comparisons: Record<string, Comparison> = {
  '1 recentCriticalEvents': {
    sql: monitoringQueries.recentCriticalEvents,
    key: 'timestamp',
    order: 'timestamp',
    rows: async () =>
      (await criticalEvents(200)).rows.map(({ name, description, ...row }) => ({
        event_name: name,
        event_description: description,
        ...row,
      })),
  },
  '2 userActivity, Q2: without those of no username': {
    sql: monitoringQueries.userActivity,
    key: 'username',
    order: 'event_count',
    rows: userActivity(''),
    expected: (rows) => rows.filter((row) => row['username'] !== null),
  },
  '2 userActivity, Q2: with those of no username': {
    sql: monitoringQueries.userActivity,
    key: 'username',
    order: 'event_count',
    rows: userActivity('(includeAnonymous: true)'),
  },
  '3 endpointErrorRates': {
    sql: monitoringQueries.errorRateByEndpoint,
    key: 'endpoint',
    order: 'error_rate',
    rows: async () =>
      (await report('endpointErrorRates { endpoint totalRequests errorCount errorRate }')).map(
        (row) => ({
          endpoint: row['endpoint'],
          total_requests: row['totalRequests'],
          error_count: row['errorCount'],
          error_rate: row['errorRate'],
        }),
      ),
  },
  '4 securitySummary, Q4: its codes taken together': {
    sql: monitoringQueries.securityEvents,
    key: 'event_type',
    order: 'count',
    rows: async () => {
      const rows = await report('securitySummary { type code count latest }');
      return groupsOf(rows, (row) => row['type'])
        .map(([event_type, codes]) => ({
          event_type,
          count: codes.reduce((sum, row) => sum + Number(row['count']), 0),
          latest: codes.map((row) => String(row['latest'])).reduce(later),
        }))
        .toSorted((a, b) => b.count - a.count);
    },
  },
  '5 modelPerformance, Q5: without the empty hours': {
    sql: monitoringQueries.modelPerformance,
    key: 'hour',
    order: 'hour',
    rows: async () =>
      (await report('modelPerformance { hour averageConfidence predictionCount }'))
        .filter((row) => row['predictionCount'] !== 0)
        .map((row) => ({
          hour: row['hour'],
          avg_confidence: row['averageConfidence'],
          prediction_count: row['predictionCount'],
        })),
  },
  '6 systemPerformance': {
    sql: monitoringQueries.systemPerformance,
    key: 'event_name',
    order: 'avg_response_time',
    rows: async () =>
      (await report('systemPerformance { name averageMs maxMs requestCount }')).map((row) => ({
        event_name: row['name'],
        avg_response_time: row['averageMs'],
        max_response_time: row['maxMs'],
        request_count: row['requestCount'],
      })),
  },
};

const later = (a: string, b: string): string => (microsOf(a) > microsOf(b) ? a : b);

/** A figure of SQL as the API gives it: both clients print numeric as text, and psql prints everything so. */
const figure = (column: string, value: unknown): unknown => {
  if (value === null || texts.has(column)) return value;
  if (typeof value !== 'string' || !instants.has(column)) return Number(value);
  return value.includes('T') ? value : instantFromPostgres(value);
};
const texts = new Set(['event_name', 'event_description', 'username', 'endpoint', 'event_type']);
const instants = new Set(['timestamp', 'last_activity', 'latest', 'hour']);
const figures = (rows: readonly Row[]): Row[] =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([column, value]) => [column, figure(column, value)]),
    ),
  );

const [COLUMN, RECORD, NULL] = ['\x1f', '\x1e', '\x1d'];

/** Runs a text through psql, as the document's readers do. */
const psql = (text: string): Row[] => {
  const { status, stdout, stderr } = spawnSync(
    'psql',
    ['-X', '-q', '-A', '-F', COLUMN, '-R', RECORD, '-P', `null=${NULL}`, '-P', 'footer=off', server.database.url],
    { input: text, encoding: 'utf8', env: { ...process.env, PGTZ: 'UTC' } },
  ); // oxfmt-ignore
  if (status !== 0) throw new Error(stderr);
  const [names = [], ...rows] = stdout
    .trimEnd()
    .split(RECORD)
    .map((line) => line.split(COLUMN));
  return rows.map((row) =>
    Object.fromEntries(
      row.map((value, column) => [names[column]!, value === NULL ? null : value] as const),
    ),
  );
};
const hasPsql = spawnSync('psql', ['--version']).status === 0;

const near = (value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? expect.closeTo(value, 9) : value;
const nearRow = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).map(([column, value]) => [column, near(value)]));
const byKey = (rows: readonly Row[], key: string): Row[] => {
  const name = (row: Row): string => `${String(row[key])} ${String(row['event_name'])}`;
  return rows.toSorted((a, b) => (name(a) < name(b) ? -1 : 1));
};

/** What the API says and what it should say by the figures of the SQL: the rows, and in which order. */
const compare = async ({ rows, expected, key, order }: Comparison, ofSql: Row[]) => {
  const wanted = figures(expected?.(ofSql) ?? ofSql);
  const actual = await rows();
  return {
    size: wanted.length,
    actual: { rows: byKey(actual, key), order: actual.map((row) => row[order]) },
    wanted: { rows: byKey(wanted, key).map(nearRow), order: wanted.map((row) => near(row[order])) },
  };
};

describe('Q0: with default arguments the figures are those of the document’s SQL', () => {
  test.each(Object.entries(comparisons))('through postgres.js: report %s', async (_, of) => {
    const rows = await server.database.sql.unsafe<Row[]>(of.sql).simple();
    const { actual, wanted, size } = await compare(of, rows);
    expect(size).toBeGreaterThan(5);
    expect(actual).toEqual(wanted);
  });

  test.runIf(hasPsql).each(Object.entries(comparisons))(
    'through psql: report %s',
    async (_, of) => {
      const { actual, wanted, size } = await compare(of, psql(of.sql));
      expect(size).toBeGreaterThan(5);
      expect(actual).toEqual(wanted);
    },
  );
});

describe('report 1, recentCriticalEvents', () => {
  test('Q1: comes in pages that together are every critical event of a day, once', async () => {
    const wanted = since(24 * HOUR).filter(({ severity }) => severity === 'CRITICAL');
    const { pages, rows } = await criticalEvents(37);
    expect(pages).toBe(Math.ceil(wanted.length / 37));
    expect(rows).toHaveLength(wanted.length);
    expect(byKey(rows, 'timestamp').map((row) => row['timestamp'])).toEqual(
      wanted.map(({ timestamp }) => timestamp).toSorted(),
    );
  });

  test('Q1: is 50 events where nothing is said, and covers the range that is said', async () => {
    const page = await server.graphql('{ recentCriticalEvents { totalCount edges { cursor } } }');
    const { edges, totalCount } = page.data.recentCriticalEvents;
    expect(edges).toHaveLength(50);
    expect(totalCount).toBeGreaterThan(400);
    const { data } = await server.graphql(
      '{ recentCriticalEvents(range: { last: "PT1H" }) { totalCount } }',
    );
    const wanted = since(HOUR).filter(({ severity }) => severity === 'CRITICAL');
    expect(data.recentCriticalEvents.totalCount).toBe(wanted.length);
  });
});

test('report 2, Q2: a row names the user’s number', async () => {
  const rows = await report('userActivity { username userId }');
  const numbers = new Map(logged.map(({ username, userId }) => [username, userId]));
  expect(rows.length).toBeGreaterThan(50);
  for (const { username, userId } of rows) expect(userId).toBe(numbers.get(username as string));
});

test('report 2: of users with as many events the latest is first, whatever their names are', async () => {
  const own = await testServer();
  const seen = (username: string, userId: number, minutes: number): EventInput => ({
    code: 'AUTH-001',
    username,
    userId,
    timestamp: new Date(now.getTime() - minutes * MINUTE).toISOString(),
  });
  await logAll(own, [
    seen('a', 3, 20), seen('d', 2, 20), seen('c', 9, 10), seen('b', 8, 30), seen('e', 7, 40), seen('e', 7, 50),
  ]); // oxfmt-ignore
  const rows = await report('userActivity { username }', own);
  expect(rows.map(({ username }) => username)).toEqual(['e', 'c', 'd', 'a', 'b']);
});

test('report 3, Q3: failureRate counts FAILED, ERROR, DENIED and BLOCKED beside errorRate', async () => {
  const rows = await report(
    'endpointErrorRates(moreThan: 0) { endpoint totalRequests errorRate failureRate }',
  );
  const percent = (part: Logged[], whole: Logged[]) =>
    Math.round((part.length / whole.length) * 10_000) / 100;
  const wanted = groupsOf(
    since(HOUR).filter(({ endpoint }) => endpoint !== null),
    ({ endpoint }) => endpoint,
  ).map(([endpoint, events]) => ({
    endpoint,
    totalRequests: events.length,
    errorRate: percent(
      events.filter(({ status }) => status === 'ERROR'),
      events,
    ),
    failureRate: percent(
      events.filter(({ status }) => /^(FAILED|ERROR|DENIED|BLOCKED)$/.test(status)),
      events,
    ),
  }));
  expect(byKey(rows, 'endpoint')).toEqual(byKey(wanted, 'endpoint').map(nearRow));
  expect(wanted.some((row) => row.failureRate > row.errorRate)).toBe(true);
});

test('report 3, Q3: six failed logins of twelve are 0 % errors and 50 % failures', async () => {
  const own = await testServer();
  const login = { code: 'AUTH-001', endpoint: '/api/auth/login' };
  const failed = { ...login, code: 'AUTH-002' };
  await logAll(
    own,
    Array.from({ length: 12 }, (_, place) => (place % 2 === 0 ? login : failed)),
  );
  expect(await report('endpointErrorRates { totalRequests errorRate failureRate }', own)).toEqual([
    { totalRequests: 12, errorRate: 0, failureRate: 50 },
  ]);
  expect(await report('endpointErrorRates(moreThan: 12) { endpoint }', own)).toEqual([]);
});

test('report 4, Q4: attacks are told apart by code, and includeRelated shows account lockouts', async () => {
  const rows = await report('securitySummary { type code count }');
  const attacks = rows.filter((row) => row['type'] === 'ATTACK_DETECTION');
  expect(attacks.length).toBeGreaterThan(1);
  expect(rows.map((row) => row['code'])).not.toContain('AUTH-005');
  const related = await report('securitySummary(includeRelated: true) { type code count }');
  const lockouts = since(24 * HOUR).filter(({ code }) => code === 'AUTH-005').length;
  expect(related).toEqual(expect.arrayContaining(rows));
  expect(related).toContainEqual({ type: 'ACCOUNT_LOCKOUT', code: 'AUTH-005', count: lockouts });
});

type Hour = { hour: string; averageConfidence: number | null; predictionCount: number };

const modelPerformance = async (args: string, of: TestServer): Promise<Hour[]> =>
  (await report(
    `modelPerformance${args} { hour averageConfidence predictionCount }`,
    of,
  )) as unknown as Hour[];

/** A prediction of any time within a year: CRITICAL events are kept that long. */
const predicted = (at: number, confidence?: unknown): EventInput => ({
  code: 'PRED-002',
  severity: 'CRITICAL',
  timestamp: new Date(at).toISOString(),
  responseData: confidence === undefined ? {} : { confidence },
});

describe('report 5, modelPerformance', () => {
  // A server that knows only what these tests log, each on a day of its own.
  let quiet: TestServer;
  beforeAll(async () => {
    quiet = await createTestServer();
  });
  afterAll(() => quiet[Symbol.asyncDispose]());

  const daysAgo = (days: number): number => Math.floor(now.getTime() / HOUR - days * 24) * HOUR;
  const text = (at: number): string => new Date(at).toISOString();
  const range = (from: number, to: number): string =>
    `range: { from: "${text(from)}", to: "${text(to)}" }`;

  // What a producer may send as a confidence, and the number it is read as.
  const confidences: readonly (readonly [name: string, sent: unknown, read?: number])[] = [
    ['a decimal comma', '87,5'],
    ['not a number', 'NaN'],
    ['infinity', 'Infinity'],
    ['a number beyond all', '1e999'],
    ['four hundred digits', '9'.repeat(400)],
    ['a number whose square is beyond all', `${'9'.repeat(60)}e99`],
    ['four hundred zeros behind the point', `0.${'0'.repeat(400)}1`],
    ['an object', { value: 87.5 }],
    ['a list', [87.5]],
    ['a boolean', true],
    ['null', null],
    ['nothing', undefined],
    ['no text', ''],
    ['a blank', ' '],
    ['a sign', '-'],
    ['words', 'tinggi'],
    ['a percent sign', '87.5%'],
    ['digits of another script', '٨٧'],
    ['wide digits', '８７'],
    ['a number before a wide space', '87.5\u3000'],
    ['a number on one of two lines', '87.5\nx'],
    ['a hexadecimal number', '0x57'],
    ['a number', 80, 80],
    ['a whole number as text', '90', 90],
    ['a share in many digits, as text', '0.8765432109876543', 0.8765432109876543],
    ['a share in as many digits as a telephone number, as text', '0.87654321', 0.87654321],
    ['a percentage in many digits, as text', '95.12345678901', 95.12345678901],
    ['a number with an exponent, as text', ' +8.5e1 ', 85],
    ['a number without a whole part', '.5', 0.5],
    ['a negative number', -1, -1],
    ['a tiny number', 1e-60, 1e-60],
  ];

  test.each(confidences.map(([name, ...rest], place) => [name, place, ...rest] as const))(
    'V8: a confidence that is %s counts, and breaks nothing',
    async (_, place, sent, read) => {
      const hour = daysAgo(20) + place * HOUR;
      await logAll(
        quiet,
        [sent, 60, 70].map((each) => predicted(hour, each)),
      );
      const mean = read === undefined ? 65 : (60 + 70 + read) / 3;
      expect(await modelPerformance(`(${range(hour, hour + HOUR)})`, quiet)).toEqual([
        { hour: text(hour), averageConfidence: expect.closeTo(mean, 9), predictionCount: 3 },
      ]);
    },
  );

  test('V8: an hour may have predictions and no average, and responseData that is no object', async () => {
    const hour = daysAgo(10);
    const events = [87.5, 'confidence', ['confidence'], null].map((responseData) => ({
      ...predicted(hour),
      responseData,
    }));
    await logAll(quiet, events);
    expect(await modelPerformance(`(${range(hour, hour + HOUR)})`, quiet)).toEqual([
      { hour: text(hour), averageConfidence: null, predictionCount: 4 },
    ]);
  });

  test('V8: it breaks the document’s own SQL', async () => {
    await logAll(quiet, [predicted(now.getTime(), '87,5')]);
    const run = quiet.database.sql.unsafe(monitoringQueries.modelPerformance).simple();
    await expect(run).rejects.toThrow('invalid input syntax for type double precision: "87,5"');
  });

  test('Q5: a day is every hour of it, the latest first, whether anything was predicted or not', async () => {
    const before = Date.now();
    const hours = (await modelPerformance('', server)).map(({ hour }) => Date.parse(hour));
    const first = Math.floor(before / HOUR) * HOUR;
    expect(hours.length).toBe(25);
    expect([first, first + HOUR]).toContain(hours[0]);
    expect(hours).toEqual(hours.map((_, place) => hours[0]! - place * HOUR));
  });

  /** The latest instant at which the clocks of a zone went on (1) or back (-1). */
  const latestChange = (timeZone: string, direction: 1 | -1): number => {
    const clock = new Intl.DateTimeFormat('sv', {
      timeZone,
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const ahead = (at: number): number => Date.parse(`${clock.format(at)}Z`) - at;
    let at = daysAgo(1);
    while (Math.sign(ahead(at) - ahead(at - HOUR)) !== direction) at -= HOUR;
    return at;
  };

  test.each([
    ['Asia/Jakarta, seven hours ahead', 'Asia/Jakarta', daysAgo(3)],
    ['Asia/Kolkata, half an hour beside UTC', 'Asia/Kolkata', daysAgo(4) + 30 * MINUTE],
    ['Asia/Kathmandu, three quarters beside UTC', 'Asia/Kathmandu', daysAgo(5) + 15 * MINUTE],
    [
      'Berlin, as 01:59 becomes 03:00',
      'Europe/Berlin',
      latestChange('Europe/Berlin', 1) - 2 * HOUR,
    ],
    [
      'Berlin, as 02:59 becomes 02:00',
      'Europe/Berlin',
      latestChange('Europe/Berlin', -1) - 2 * HOUR,
    ],
  ])(
    'Q5: hours begin as the clocks say in %s, and empty ones are there',
    async (_, timeZone, start) => {
      const hours = [0, 1, 2, 3].map((place) => start + place * HOUR);
      const [, second = 0, third = 0, last = 0] = hours;
      await logAll(quiet, [predicted(second, 80), predicted(third - 1, 90), predicted(third, 70)]);
      const rows = await modelPerformance(
        `(${range(start + 10 * MINUTE, last + 10 * MINUTE)}, timeZone: "${timeZone}")`,
        quiet,
      );
      expect(rows).toEqual(
        [
          { averageConfidence: null, predictionCount: 0 },
          { averageConfidence: 85, predictionCount: 2 },
          { averageConfidence: 70, predictionCount: 1 },
          { averageConfidence: null, predictionCount: 0 },
        ]
          .map((row, place) => ({ hour: text(hours[place]!), ...row }))
          .toReversed(),
      );
    },
  );

  test.each([
    ['ends on the hour: that hour is not in it', '10:00:00Z', '12:00:00Z', ['11', '10']],
    ['ends a microsecond later: it is', '10:00:00Z', '12:00:00.000001Z', ['12', '11', '10']],
    ['begins at the end of an hour', '10:59:59.999999Z', '11:00:01Z', ['11', '10']],
    ['is empty', '10:00:00Z', '10:00:00Z', []],
    ['is upside down', '10:00:00Z', '09:00:00Z', []],
  ])('Q5: a range that %s', async (_, from, to, hours) => {
    const rows = await modelPerformance(
      `(range: { from: "2026-01-05T${from}", to: "2026-01-05T${to}" })`,
      server,
    );
    expect(rows.map(({ hour }) => hour.slice(11, 13))).toEqual(hours);
  });

  test('Q5: covers 400 days and refuses more', async () => {
    expect(await modelPerformance('(range: { last: "P400D" })', server)).toHaveLength(9601);
    const { errors } = await server.graphql(
      '{ modelPerformance(range: { last: "P401D" }) { hour } }',
    );
    expect(errors).toMatchObject([{ extensions: { code: 'TOO_EXPENSIVE' } }]);
    expect(errors![0].message).toContain('400 days');
  });

  test.each(['Mars/Olympus', '+05:30', ''])('Q5: "%s" is no time zone', async (timeZone) => {
    const { errors } = await server.graphql(
      'query($zone: TimeZone) { modelPerformance(timeZone: $zone) { hour } }',
      { zone: timeZone },
    );
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

test('report 6, Q6: percentiles are those of a direct computation', async () => {
  const timed = since(HOUR).filter(({ processingTimeMs }) => processingTimeMs !== null);
  const wanted = groupsOf(timed, ({ name }) => name).map(([name, events]) => {
    const sorted = events.map((event) => event.processingTimeMs!).toSorted((a, b) => a - b);
    const percentile = (part: number): number => {
      const place = part * (sorted.length - 1);
      const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
      return low + (high - low) * (place % 1);
    };
    return {
      name,
      p50Ms: percentile(0.5),
      p95Ms: percentile(0.95),
      p99Ms: percentile(0.99),
      maxMs: sorted.at(-1),
      requestCount: sorted.length,
    };
  });
  const rows = await report('systemPerformance { name p50Ms p95Ms p99Ms maxMs requestCount }');
  expect(rows.length).toBeGreaterThan(50);
  expect(byKey(rows, 'name')).toEqual(byKey(wanted, 'name').map(nearRow));
});

test('R1: every report counts what is kept, and nothing that only roll-ups still tell', async () => {
  const own = await testServer();
  const old = (event: object) => ({ ...event, timestamp: new Date(now.getTime() - 10 * 24 * HOUR).toISOString() }); // oxfmt-ignore
  await own.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', {
    input: [
      old({ code: 'SEC-004', username: 'andi', endpoint: '/api/x', processingTimeMs: 5 }),
      old({ code: 'PRED-002', responseData: { confidence: 80 } }),
      { code: 'SEC-001' },
      { code: 'PRED-002', responseData: { confidence: 90 } },
    ],
  });
  await expect
    .poll(
      async () =>
        (await own.database.sql`SELECT sum(count)::int AS counted FROM rollup_hours`)[0]![
          'counted'
        ],
    ) // oxfmt-ignore
    .toBeGreaterThanOrEqual(4);
  for (const code of ['SEC-004', 'PRED-002']) await own.graphql(`mutation { setRetention(code: "${code}", days: 3) { days } }`); // oxfmt-ignore
  const REPORTS = `{
    securitySummary(range: { last: "P20D" }) { code count }
    modelPerformance(range: { last: "P20D" }) { predictionCount }
    userActivity(range: { last: "P20D" }) { username }
    endpointErrorRates(range: { last: "P20D" }, moreThan: 0) { endpoint }
    systemPerformance(range: { last: "P20D" }) { name }
  }`;
  for (const run of [false, true]) {
    if (run) expect((await own.graphql('mutation { runRetention { error } }')).errors).toBeUndefined(); // oxfmt-ignore
    const { data } = await own.graphql(REPORTS);
    expect(data.securitySummary).toEqual([{ code: 'SEC-001', count: 1 }]);
    expect(data.endpointErrorRates).toEqual([]);
    expect(data.modelPerformance.reduce((sum: number, hour: any) => sum + hour.predictionCount, 0)).toBe(1); // oxfmt-ignore
    expect(data.userActivity).not.toContainEqual({ username: 'andi' });
    expect(data.systemPerformance).not.toContainEqual({ name: definitionOf('SEC-004')!.name });
  }
});

test('Q2: those without a name are nobody in particular, whatever numbers they came with', async () => {
  const own = await testServer();
  for (const [username, userId] of [
    [null, 15],
    [null, null],
    ['siti', 7],
    ['siti', 9],
  ])
    // oxfmt-ignore
    await own.rest({ code: 'AUTH-001', username, user_id: userId });
  const { data } = await own.graphql('{ userActivity(includeAnonymous: true) { username userId eventCount } }'); // oxfmt-ignore
  expect(data.userActivity).toEqual([
    { username: 'siti', userId: 9, eventCount: 2 }, // the latest
    { username: null, userId: null, eventCount: 2 },
  ]);
});
