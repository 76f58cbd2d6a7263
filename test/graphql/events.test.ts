// Reading history: what was answered is what is read later, pages neither skip nor repeat whatever arrives meanwhile, and
// a bad page request is refused by name.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getNamedType, isLeafType, isObjectType } from 'graphql';
import { catalog } from '../../src/events/catalog.ts';
import { categoryNames, severityNames } from '../../src/events/vocabulary.ts';
import { schema } from '../../src/graphql/schema.ts';
import { createRandom, generateEvents } from '../support/generate.ts';
import { type TestServer, createTestServer, testServer } from '../support/server.ts';

type Fields = Readonly<Record<string, unknown>>;
type LoggedResult = { outcome: string; event: Fields; warnings: unknown[] };

const eventType = schema.getType('Event');
/** Every field of an event that has no fields itself. */
const allFields = isObjectType(eventType)
  ? Object.values(eventType.getFields())
      .filter(({ type }) => isLeafType(getNamedType(type)))
      .map(({ name }) => name)
      .join(' ')
  : '';

const logEvents = async (server: TestServer, input: readonly object[]): Promise<LoggedResult[]> => {
  const { data, errors } = await server.graphql(
    `mutation($input: [LogEventInput!]!) { logEvents(input: $input) {
       results { outcome warnings { field message } event { ${allFields} } } } }`,
    { input },
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data.logEvents.results;
};

const findEvent = async (server: TestServer, eventId: unknown): Promise<Fields | null> => {
  const query = `query($eventId: ID!) { event(eventId: $eventId) { ${allFields} } }`;
  return (await server.graphql(query, { eventId })).data.event;
};

type Page = {
  edges: { cursor: string; node: { id: string; eventId: string; timestamp: string } }[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  totalCount: number;
  totalCountIsExact: boolean;
  liveCursor: string;
};

const askPage = (server: TestServer, variables: object) =>
  server.graphql<{ events: Page }>(
    `query($filter: EventFilter, $order: EventOrder, $first: Int, $after: String, $last: Int, $before: String) {
       events(filter: $filter, order: $order, first: $first, after: $after, last: $last, before: $before) {
         edges { cursor node { id eventId timestamp } }
         pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount totalCountIsExact liveCursor } }`,
    variables,
  );

const page = async (server: TestServer, variables: object): Promise<Page> => {
  const { data, errors } = await askPage(server, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return data!.events;
};
const idsOf = ({ edges }: Page): string[] => edges.map(({ node }) => node.eventId);

describe('what logEvent answers is what is read later', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await createTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const minutesAgo = (minutes: number): string =>
    new Date(Math.floor(Date.now() / 60_000 - minutes) * 60_000).toISOString().slice(0, 19);
  const samples: Record<string, readonly object[]> = {
    'every field': [
      {
        eventId: 'every-field-1', category: 'DATA', type: 'USER_ACTION', name: 'Lihat siswa', description: 'Ibu Ñu melihat 😀',
        userId: 2_147_483_647, username: 'siti.rahmawati', userRole: 'GURU', ipAddress: '10.0.0.1', userAgent: 'curl/8',
        sessionId: 's', resourceType: 'STUDENT', resourceId: 'STD-1', resourceName: "Ahmad 'Rizki'", action: 'VIEW',
        status: 'SUCCESS', httpMethod: 'GET', endpoint: '/api/siswa', requestData: { a: 1 }, responseData: [1, 'b'],
        errorMessage: 'baris 1\nbaris 2', errorCode: 'E1', processingTimeMs: 0, timestamp: `${minutesAgo(1)}.123456Z`,
        metadata: 'teks', tags: ['a'], severity: 'WARNING',
      },
    ],
    'the least fields': [{ code: 'SYS-012' }, { code: 'AUTH-006' }],
    'negative and greatest numbers': [
      { code: 'AUTH-001', userId: -2_147_483_648, processingTimeMs: 2_147_483_647 },
    ],
    'times to the microsecond and in every notation': [
      '.123456Z', '.120000Z', '.000001Z', '.1Z', '.999999Z', 'Z', '.5+00:00', '.123456+07:00', ',25Z',
    ].map((end) => ({ code: 'AUTH-001', timestamp: minutesAgo(600) + end })),
    'times of other offsets': [{ code: 'AUTH-001', timestamp: `${minutesAgo(600)}-05:30` }],
    'IPv6 in every notation': [
      '2001:DB8:0:0:0:0:0:1', '::', '::1', '::ffff:1.2.3.4', '::1.2.3.4', '::1:0', '1:0:0:2:0:0:0:3', '1:0:2:3:4:5:6:7',
      '64:ff9b::1.2.3.4', '0:0:0:0:0:ffff:0:0', '::ffff:0:1.2.3.4', '1:2:3:4:5:6:7:0', '0:2:3:4:5:6:7:8', 'FE80::0001',
    ].map((ipAddress) => ({ code: 'AUTH-001', ipAddress })),
    'texts that look like syntax': [
      'NULL', 'null', '', ' ', '"', '\\', '\\"', '{}', '{"a"}', "'", ',', '\n\r\t', '\u0001\u007f', 'é', 'e\u0301', '😀', '\u2028',
      'a\u0000b', '\ud800',
    ].map((text) => ({ code: 'DATA-001', username: text, description: text, tags: [text, 'x', text], metadata: { [text]: text } })),
    'lists of tags': [[], ['a', 'b,c', '{d}', '"e"', 'NULL', ''], ['a', 'a']].map((tags) => ({ code: 'DATA-001', tags })),
    'JSON of every kind': [
      {}, [], 0, '', false, null, [null, [[]], {}], { z: 1, a: { '': 'empty', 'a.b': 2, 'é😀': '\u0001"\\' } }, 0.1, -1.5e-7,
      1e21, 123_456_789_012_345_680_000, 1e64, 9_007_199_254_740_991, JSON.parse('{"__proto__": {"constructor": 1}}'),
    ].map((value) => ({ code: 'DATA-001', requestData: value, responseData: value, metadata: value })),
    'JSON that is text and looks like JSON': ['1', '1e+308', 'true', 'null', '{"a": 1}', '[]', '"x"', ' 1 '].map(
      (value) => ({ code: 'DATA-001', requestData: value, responseData: { value }, metadata: [value] }),
    ),
    'what had to be repaired': [
      { code: 'SEC-002', ipAddress: '192.168.1.999' }, { code: 'AUTH-001', username: 'u'.repeat(60) },
      { code: 'AUTH-001', metadata: [1], ipAddress: 'testclient' }, { code: 'AUTH-001', timestamp: '2999-01-01T00:00:00Z' },
      { code: 'ZZZ-001', category: 'DATA', type: 'T', name: 'N' }, { code: 'AUTH-001', responseData: 1e308 },
    ],
  }; // oxfmt-ignore

  test.each(Object.entries(samples))('%s', async (_, inputs) => {
    for (const { outcome, event } of await logEvents(server, inputs)) {
      expect(outcome).toMatch(/^(STORED|REPAIRED)$/);
      expect(await findEvent(server, event['eventId'])).toEqual(event);
    }
  });

  test('what is sent valid is kept as it is', async () => {
    const [input] = samples['every field']! as [Fields];
    const [result] = await logEvents(server, [{ ...input, eventId: 'every-field-2' }]);
    expect(result).toMatchObject({ outcome: 'STORED', warnings: [] });
    expect(result!.event).toMatchObject({
      ...input,
      eventId: 'every-field-2',
      sessionId: expect.stringMatching(/^h:/), // trap S2
    });
  });

  test('addresses by chance, of many zeros', async () => {
    const random = createRandom(6);
    const group = () => (random.chance(0.6) ? '0' : random.below(0x10000).toString(16));
    const inputs = Array.from({ length: 400 }, () => ({
      code: 'AUTH-001',
      ipAddress: Array.from({ length: 8 }, group).join(':'),
    }));
    const results = await logEvents(server, inputs);
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['STORED']));
    const read = await server.database.sql`
      SELECT id::text, host(ip_address) AS "ipAddress" FROM events
      WHERE id = ANY (${results.map(({ event }) => event['id'] as string)}::bigint[]) ORDER BY id`;
    expect(results.map(({ event: { id, ipAddress } }) => ({ id, ipAddress }))).toEqual([...read]);
  });

  test('generated events, all of them', async () => {
    const events = generateEvents({ seed: 3, count: 400, now: new Date(), spanMs: 3_600_000 });
    const results = await logEvents(server, [...events]);
    const { data } = await server.graphql(
      `query($range: TimeRange) { events(first: 200, order: OLDEST_FIRST, filter: { range: $range }) { edges { node { ${allFields} } } } }`,
      { range: { from: results[0]!.event['timestamp'], to: results[200]!.event['timestamp'] } },
    );
    const read: Fields[] = data.events.edges.map((edge: { node: Fields }) => edge.node);
    const ours = new Set(results.map(({ event }) => event['id']));
    expect(read.filter(({ id }) => ours.has(id))).toEqual(
      results.slice(0, 200).map(({ event }) => event),
    );
  });

  test('an event is found by its eventId and not by its id; where there is none it is null', async () => {
    const [{ event }] = (await logEvents(server, [{ code: 'AUTH-003' }])) as [LoggedResult];
    expect(await findEvent(server, event['eventId'])).toMatchObject({ code: 'AUTH-003' });
    for (const eventId of [event['id'], 'AUTH-003', '', "' OR true --", 'x'.repeat(5000)])
      expect(await findEvent(server, eventId)).toBeNull();
  });

  test('V6: an event carries no updatedAt, and its createdAt is the log’s own', async () => {
    const before = new Date().toISOString();
    const [{ event }] = (await logEvents(server, [{ code: 'AUTH-003' }])) as [LoggedResult];
    expect(event).not.toHaveProperty('updatedAt');
    expect(String(event['createdAt']) >= before).toBe(true);
  });
});

describe('pages', () => {
  const EVENTS = 230;
  let server: TestServer;
  /** Their ids in the order of (timestamp, id): only seven different timestamps. */
  let oldestFirst: string[];
  let liveCursor: string;

  beforeAll(async () => {
    server = await createTestServer();
    const start = Date.now() - 60_000;
    const inputs = Array.from({ length: EVENTS }, (_, place) => ({
      eventId: `page-${place}`,
      code: ['AUTH-001', 'SYS-012', 'AUTH-006'][place % 3], // three severities, so three partitions
      timestamp: new Date(start + ((place * 5) % 7)).toISOString(),
    }));
    const results = [
      ...(await logEvents(server, inputs.slice(0, 100))),
      ...(await logEvents(server, inputs.slice(100))),
    ];
    oldestFirst = results
      .map(({ event }) => event)
      .toSorted(
        (a, b) =>
          Date.parse(String(a['timestamp'])) - Date.parse(String(b['timestamp'])) ||
          Number(a['id']) - Number(b['id']),
      )
      .map(({ eventId }) => String(eventId));
    liveCursor = (await page(server, {})).liveCursor;
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const inOrder = (order: string): string[] =>
    order === 'OLDEST_FIRST' ? oldestFirst : oldestFirst.toReversed();

  /** Every page from one end to the other; `between` runs after each. */
  const walk = async (
    of: TestServer,
    order: string,
    backward: boolean,
    size: number,
    between = async () => {},
  ): Promise<Page[]> => {
    const pages: Page[] = [];
    let cursor: string | null = null;
    for (;;) {
      const window: object = backward
        ? { last: size, before: cursor }
        : { first: size, after: cursor };
      const one = await page(of, { order, ...window });
      pages.push(one);
      if (!(backward ? one.pageInfo.hasPreviousPage : one.pageInfo.hasNextPage)) return pages;
      cursor = backward ? one.pageInfo.startCursor : one.pageInfo.endCursor;
      await between();
    }
  };

  const orders = ['NEWEST_FIRST', 'OLDEST_FIRST'];
  const walks = orders.flatMap((order) =>
    [1, 10, 23, 200].map((size) => [order, size === 1 ? 23 : size, size === 1] as const),
  );

  test.each(walks)('forward, %s, by %i', async (order, size) => {
    const pages = await walk(server, order, false, size);
    expect(pages.flatMap(idsOf)).toEqual(inOrder(order));
    expect(pages.map(({ edges }) => edges.length).slice(0, -1)).toEqual(
      Array.from({ length: Math.ceil(EVENTS / size) - 1 }, () => size),
    );
  });

  test.each(walks)('backward, %s, by %i: each page still in its order', async (order, size) => {
    const pages = await walk(server, order, true, size);
    expect(pages.toReversed().flatMap(idsOf)).toEqual(inOrder(order));
  });

  test.each(
    orders.flatMap(
      (order) =>
        [
          [order, false],
          [order, true],
        ] as const,
    ),
  )('stay where they are while events are inserted: %s, backward %s', async (order, backward) => {
    const own = await testServer();
    const start = Date.now() - 60_000;
    const event = (place: number) => ({
      code: ['AUTH-001', 'SYS-012'][place % 2],
      timestamp: new Date(start + (place % 5)).toISOString(),
    });
    const before = await logEvents(
      own,
      Array.from({ length: 90 }, (_, place) => event(place)),
    );
    const pages = await walk(own, order, backward, 13, async () => {
      await logEvents(own, [0, 1, 2, 3, 4].map(event)); // beside those there are
      await logEvents(own, [{ code: 'AUTH-003' }]); // after them all
    });
    const seen = pages.flatMap(idsOf);
    expect(new Set(seen).size).toBe(seen.length);
    for (const result of before) expect(seen).toContain(result.event['eventId']);
  });

  test('between two cursors, from either end', async () => {
    const all = await page(server, { first: 200 });
    const [after, before] = [all.edges[9]!.cursor, all.edges[20]!.cursor];
    const between = idsOf(all).slice(10, 20);
    expect(idsOf(await page(server, { after, before }))).toEqual(between);
    expect(idsOf(await page(server, { after, before, first: 3 }))).toEqual(between.slice(0, 3));
    expect(idsOf(await page(server, { after, before, last: 3 }))).toEqual(between.slice(-3));
    expect(idsOf(await page(server, { before, first: 3 }))).toEqual(idsOf(all).slice(0, 3));
    expect(idsOf(await page(server, { after: before, before: after }))).toEqual([]);
  });

  test('pageInfo says what is before and after, and an empty page has no cursors', async () => {
    const first = await page(server, { first: 100 });
    expect(first.pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: first.edges[0]!.cursor,
      endCursor: first.edges[99]!.cursor,
    });
    const middle = await page(server, { first: 100, after: first.pageInfo.endCursor });
    expect(middle.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    const last = await page(server, { first: 100, after: middle.pageInfo.endCursor });
    expect(last.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(last.edges).toHaveLength(30);
    const exact = await page(server, { first: 30, after: middle.pageInfo.endCursor });
    expect(exact.pageInfo.hasNextPage).toBe(false);
    const end = { hasNextPage: false, startCursor: null, endCursor: null };
    const beyond = await page(server, { first: 100, after: last.pageInfo.endCursor });
    expect(beyond.pageInfo).toEqual({ ...end, hasPreviousPage: true });
    const none = await page(server, { filter: { username: ['nobody'] } });
    expect(none.pageInfo).toEqual({ ...end, hasPreviousPage: false });
    const back = await page(server, { last: 100, before: last.pageInfo.endCursor });
    expect(back.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    const { startCursor: after, endCursor: before } = middle.pageInfo;
    for (const [args, hasNextPage, hasPreviousPage] of [
      [{ first: 98, after, before }, false, true],
      [{ first: 97, after, before }, true, true],
      [{ last: 98, after, before }, true, false],
      [{ last: 97, after, before }, true, true],
      [{ first: 200, before }, false, false],
      [{ last: 200 }, false, true],
      [{ last: 200, after }, false, false],
      [{ before: first.pageInfo.endCursor }, true, true],
    ] as const)
      expect([args, (await page(server, args)).pageInfo]).toMatchObject([args, { hasNextPage, hasPreviousPage }]); // oxfmt-ignore
  });

  test('totalCount is of all pages, of the filter, whatever the page', async () => {
    expect((await page(server, { first: 1 })).totalCount).toBe(EVENTS);
    const filter = { severity: ['CRITICAL'] };
    const narrow = await page(server, { filter, first: 3 });
    expect(narrow.totalCount).toBe(77);
    expect(narrow.totalCountIsExact).toBe(true);
    expect((await page(server, { filter, after: narrow.pageInfo.endCursor })).totalCount).toBe(77);
    expect((await page(server, { filter: { username: ['nobody'] } })).totalCount).toBe(0);
  });

  test('hold 50 events unless told otherwise, and at most 200', async () => {
    expect((await page(server, {})).edges).toHaveLength(50);
    expect((await page(server, { before: (await page(server, {})).edges[9]!.cursor })).edges).toHaveLength(9); // oxfmt-ignore
    expect((await page(server, { first: 200 })).edges).toHaveLength(200);
    expect((await page(server, { last: 200 })).edges).toHaveLength(200);
    expect((await page(server, { last: 1 })).edges).toHaveLength(1);
  });

  test.each([
    [{ first: 0 }],
    [{ first: 201 }],
    [{ first: -1 }],
    [{ last: 0 }],
    [{ last: 201 }],
    [{ last: -2_147_483_648 }],
    [{ first: 1, last: 1 }],
    [{ first: 1, last: 0 }],
    [{ first: 2_147_483_648 }],
    [{ first: '5' }],
    [{ order: 'RANDOM' }],
  ])('a page of %j is refused', async (variables) => {
    const { data, errors } = await askPage(server, variables);
    expect(data ?? null).toBeNull();
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  const encoded = (text: string): string => Buffer.from(text).toString('base64url');
  const badCursors: Record<string, () => string | Promise<string>> = {
    'no text': () => '',
    'any text': () => 'here',
    'the cursor of the beginning of the log': () => 'earliest',
    'the liveCursor of a page': () => liveCursor,
    'the liveCursor of an empty log': async () => (await page(await testServer(), {})).liveCursor,
    'the cursor of a logged event': async () => {
      const { data } = await (
        await testServer()
      ).graphql('mutation { logEvent(input: { code: "AUTH-003" }) { cursor } }');
      return data.logEvent.cursor;
    },
    'an eventId': () => 'page-1',
    'a time alone': () => encoded('2025-01-01T00:00:00.000Z'),
    'a time that is none': () => encoded('2025-02-30T00:00:00.000Z 1'),
    'a time not in our notation': () => encoded('2025-01-01T00:00:00Z 1'),
    'infinity': () => encoded('infinity 1'),
    'an id that is none': () => encoded('2025-01-01T00:00:00.000Z -1'),
    'an id beyond all': () => encoded('2025-01-01T00:00:00.000Z 99999999999999999999'),
    'an id beyond exact numbers': () => encoded('2025-01-01T00:00:00.000Z 9999999999999999'),
    'SQL': () => encoded("2025-01-01T00:00:00.000Z 1); DROP TABLE events; --"),
    'a cursor with something behind it': async () =>
      `${(await page(server, { first: 1 })).edges[0]!.cursor}!!`,
    'a cursor in another base64': async () =>
      `${(await page(server, { first: 1 })).edges[0]!.cursor}==`,
    'very long': () => 'A'.repeat(50_000),
  }; // oxfmt-ignore

  test.each(Object.entries(badCursors))(
    'a page after a cursor that is %s is refused as CURSOR_INVALID',
    async (_, make) => {
      const cursor = await make();
      for (const variables of [{ after: cursor }, { last: 5, before: cursor }]) {
        const { data, errors } = await askPage(server, variables);
        expect(errors).toMatchObject([{ extensions: { code: 'CURSOR_INVALID' } }]);
        expect(data ?? null).toBeNull();
      }
    },
  );
});

describe('filters by plain columns', () => {
  let server: TestServer;
  let logged: Fields[];
  beforeAll(async () => {
    server = await createTestServer();
    const events = generateEvents({ seed: 4, count: 180, now: new Date(), spanMs: 3_600_000 });
    logged = (await logEvents(server, [...events])).map(({ event }) => event);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each([
    'code',
    'category',
    'severity',
    'status',
    'type',
    'userId',
    'username',
    'userRole',
    'ipAddress',
    'sessionId',
    'resourceType',
    'resourceId',
    'action',
    'endpoint',
    'httpMethod',
    'errorCode',
  ])('%s: one value, two, none, and one that nothing has', async (column) => {
    const values = [...new Set(logged.map((event) => event[column]))].filter((value) => value !== null); // oxfmt-ignore
    const wanted = (some: unknown[]) =>
      logged.filter((event) => some.includes(event[column])).map(({ eventId }) => eventId);
    for (const some of [values.slice(0, 1), values.slice(0, 2), []]) {
      const found = await page(server, {
        filter: { [column]: some },
        order: 'OLDEST_FIRST',
        first: 200,
      });
      expect(idsOf(found)).toEqual(wanted(some));
      expect(found.totalCount).toBe(wanted(some).length);
    }
    expect(wanted(values.slice(0, 1)).length).toBeGreaterThan(0);
    expect(idsOf(await page(server, { filter: { [column]: null }, first: 200 }))).toHaveLength(180);
  });

  test('minSeverity, tags and ranges', async () => {
    const found = async (filter: object) =>
      idsOf(await page(server, { filter, order: 'OLDEST_FIRST', first: 200 }));
    const ids = (matches: (event: Fields) => boolean) =>
      logged.filter(matches).map(({ eventId }) => eventId);
    const tags = (event: Fields) => (event['tags'] ?? []) as string[];
    expect(await found({ minSeverity: 'WARNING' })).toEqual(
      ids(({ severity }) => /^(WARNING|ERROR|CRITICAL)$/.test(String(severity))),
    );
    expect(await found({ tagsAny: ['get', 'predict'] })).toEqual(
      ids((event) => tags(event).some((tag) => tag === 'get' || tag === 'predict')),
    );
    expect(await found({ tagsAll: ['api', 'get'] })).toEqual(
      ids((event) => tags(event).includes('api') && tags(event).includes('get')),
    );
    const [from, to] = [logged[40]!['timestamp'], logged[50]!['timestamp']];
    expect(await found({ range: { from, to } })).toEqual(
      logged.slice(40, 50).map(({ eventId }) => eventId),
    );
    expect(await found({ range: { last: 'PT2H' }, severity: ['CRITICAL'] })).toEqual(
      ids(({ severity }) => severity === 'CRITICAL'),
    );
  });

  test('a range that says both or nothing is refused', async () => {
    const from = '2026-01-01T00:00:00Z';
    for (const range of [{ last: 'PT1H', from }, { to: from }, {}, { last: 'P99999999Y' }]) {
      const { errors } = await askPage(server, { filter: { range } });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    }
  });

  test('Q1: recentCriticalEvents are the critical ones of the range, the latest first, a page at a time', async () => {
    const own = await testServer();
    const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    await logEvents(own, [
      { eventId: 'a', code: 'SYS-012', timestamp: at(30) },
      { eventId: 'b', code: 'AUTH-001', timestamp: at(20) },
      { eventId: 'c', code: 'AUTH-001', severity: 'CRITICAL', timestamp: at(10) },
      { eventId: 'd', code: 'SYS-012', timestamp: at(23 * 60) },
      { eventId: 'e', code: 'SYS-012', timestamp: at(25 * 60) },
    ]);
    const critical = async (args: string) => {
      const fields = 'edges { cursor node { id eventId timestamp } } totalCount liveCursor';
      const { data } = await own.graphql(`{ recentCriticalEvents${args} { ${fields} } }`);
      return data.recentCriticalEvents as Page;
    };
    expect(idsOf(await critical(''))).toEqual(['c', 'a', 'd']);
    expect(idsOf(await critical('(range: { last: "PT2H" })'))).toEqual(['c', 'a']);
    expect(idsOf(await critical('(range: { last: "P2D" })'))).toEqual(['c', 'a', 'd', 'e']);
    const [first] = (await critical('(first: 1)')).edges;
    expect(idsOf(await critical(`(after: "${first!.cursor}", first: 1)`))).toEqual(['a']);
    expect((await critical('(first: 1)')).totalCount).toBe(3);
  });
});

describe('the catalog', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await createTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const codes = async (args: string): Promise<string[]> => {
    const { data } = await server.graphql(`{ eventDefinitions${args} { code } }`);
    return data.eventDefinitions.map(({ code }: { code: string }) => code);
  };

  test('eventDefinitions are all 84, those of a category, or those that mention a text', async () => {
    expect(await codes('')).toEqual([...catalog.keys()]);
    expect(await codes('')).toHaveLength(84);
    expect(await codes('(category: MODEL)')).toHaveLength(10);
    expect(await codes('(search: "")')).toHaveLength(84);
    expect(await codes('(search: "sec-00")')).toHaveLength(9);
    expect(await codes('(search: "BRUTE force")')).toEqual(['SEC-002']);
    expect(await codes('(search: "individual_prediction")')).toContain('PRED-002');
    expect(await codes('(search: "%")')).toEqual([]);
  });

  test('search finds a definition by its description in English and in Indonesian', async () => {
    expect(await codes('(search: "new password replaced")')).toEqual(['AUTH-004']);
    expect(await codes('(search: "KATA SANDI sebuah akun")')).toEqual(['AUTH-004']);
    expect(await codes('(category: DATA, search: "kata sandi sebuah akun")')).toEqual([]);
  });

  test('eventDefinition is one of them whole, or null', async () => {
    const { data } = await server.graphql(
      `{ eventDefinition(code: "AUTH-005") { code category type name severity action status typicalData securityRelevant description descriptionIndonesian }
         none: eventDefinition(code: "AUTH-999") { code } }`,
    );
    const { descriptions, data: typicalData, security, ...rest } = catalog.get('AUTH-005')!;
    expect(data).toEqual({
      eventDefinition: {
        ...rest,
        typicalData,
        securityRelevant: security,
        description: descriptions.en,
        descriptionIndonesian: descriptions.id,
      },
      none: null,
    });
  });

  test('categories and severities are listed in the specification’s order, with what they say', async () => {
    const { data } = await server.graphql(
      `{ categories { code name nameIndonesian prefix definitions { code category } }
         severities { severity responseRequired retentionDays description descriptionIndonesian } }`,
    );
    type Category = { code: string; prefix: string; definitions: { code: string; category: string }[] }; // oxfmt-ignore
    const categories: Category[] = data.categories;
    expect(categories.map(({ code }) => code)).toEqual(categoryNames);
    expect(categories.map(({ prefix }) => prefix).join(' ')).toBe('AUTH DATA PRED MODEL SYS SEC ANLY ADMIN'); // oxfmt-ignore
    expect(categories.flatMap(({ definitions }) => definitions.map(({ code }) => code))).toEqual([
      ...catalog.keys(),
    ]);
    for (const { code, prefix, definitions } of categories)
      for (const definition of definitions) {
        expect(definition.category).toBe(code);
        expect(definition.code.startsWith(`${prefix}-`)).toBe(true);
      }
    expect(data.severities.map((level: Fields) => level['severity'])).toEqual(severityNames);
    expect(data.severities.map((level: Fields) => level['retentionDays'])).toEqual([7, 30, 90, 180, 365]); // oxfmt-ignore
    expect(data.severities.map((level: Fields) => level['responseRequired'])).toEqual(['None', 'None', 'Monitor', 'Investigate', 'Immediate Action']); // oxfmt-ignore
  });

  test('an event leads to its definition, and an uncatalogued one to null', async () => {
    const { data } = await server.graphql(
      `mutation { a: logEvent(input: { code: "SEC-002" }) { event { definition { name } } }
         b: logEvent(input: { category: DATA, type: "T", name: "N", action: "A" }) { event { definition { name } } } }`,
    );
    expect(data.a.event.definition).toEqual({ name: 'Brute Force Attack' });
    expect(data.b.event.definition).toBeNull();
  });
});

test('the null of JSON is asked for among other values', async () => {
  const server = await testServer();
  await server.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', { input: [{ a: null }, { a: 1 }, { a: 2 }, {}].map((metadata) => ({ code: 'AUTH-001', metadata })) }); // oxfmt-ignore
  const { data } = await server.graphql('{ events(filter: { json: [{ field: METADATA, path: "a", in: [null, 1] }] }, order: OLDEST_FIRST) { edges { node { metadata } } } }'); // oxfmt-ignore
  expect(data.events.edges.map(({ node }: any) => node.metadata.a)).toEqual([null, 1]);
});
