// The specification's own door, as its own clients use it. Names begin with the row of the traps that they hold.

import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fields, inputNames } from '../../src/events/fields.ts';
import { ADMIN_KEY, type TestServer, createTestServer } from '../support/server.ts';
import {
  type Payload,
  middlewareRequest,
  predictionAction,
  pythonLogged,
  pythonUsage,
  samples,
  securityEvent,
  userAction,
} from '../support/specification.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Result = { outcome: string; code?: string; id: string | null; warnings: { field: string }[] };
type Answer = Result & { results: Result[]; error: { code: string; message: string } };
type Row = Record<string, unknown> & {
  timestamp: string;
  metadata: { _original: Record<string, unknown> };
};

let made = 0;
const newId = (): string => `rest-${++made}`;

const post = async (body: BodyInit, headers: Record<string, string> = {}) => {
  const response = await fetch(`${server.url}/api/events`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${ADMIN_KEY}`,
      ...headers,
    },
    body,
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer,
  };
};
const rowOf = async (eventId: string): Promise<Row> => {
  const rows = await server.database.sql<Row[]>`SELECT * FROM events WHERE event_id = ${eventId}`;
  expect(rows).toHaveLength(1);
  return rows[0]!;
};
const keyWith = async (scope: string): Promise<string> => {
  const { data } = await server.graphql(
    'mutation($s: [Scope!]!) { createApiKey(name: "test", scopes: $s) { key } }',
    { s: [scope] },
  );
  return data.createApiKey.key;
};
/** What is stored of a session. */
const HASH = /^h:[\w-]{22}$/;
const warned = ({ warnings }: Result): string[] => warnings.map(({ field }) => field).toSorted();

describe('what the specification sends', () => {
  const defects: Partial<Record<keyof typeof samples, string[]>> = { 'SEC-002': ['ip_address'] };

  for (const [code, sample] of Object.entries(samples) as [keyof typeof samples, Payload][])
    test(`P1, I1, V9: its ${code} sample is stored as it was sent, but for what cannot be`, async () => {
      const before = Date.now();
      const { status, body } = await server.rest(sample);
      expect(status).toBe(201);
      expect(warned(body)).toEqual(defects[code] ?? []);
      expect(body).toMatchObject({
        outcome: defects[code] ? 'REPAIRED' : 'STORED',
        event_id: sample['event_id'],
      });
      const row = await rowOf(sample['event_id'] as string);
      expect(row).toMatchObject({
        ...sample,
        code,
        ...('session_id' in sample && { session_id: expect.stringMatching(HASH) }),
        ...(code === 'SEC-002' && {
          ip_address: null,
          metadata: {
            ...(sample['metadata'] as object),
            _original: { ip_address: '192.168.1.999' },
          },
        }),
      });
      const said = new Set([...Object.keys(sample), 'code', 'timestamp']);
      const unsaid = inputNames
        .map((name) => fields[name].column)
        .filter((each) => !said.has(each));
      expect(unsaid.filter((column) => row[column] !== null)).toEqual([]);
      expect(String(row.id)).toBe(body.id);
      // No sample carries a timestamp: it is the server's.
      expect(Date.parse(row.timestamp)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(row.timestamp)).toBeLessThanOrEqual(Date.now());

      const again = await server.rest(sample);
      expect(again).toMatchObject({
        status: 200,
        body: { outcome: 'DUPLICATE', id: body.id, cursor: body.cursor },
      });
    });

  test('P2: its JavaScript user action is stored; the status it lacks is assumed, with a warning', async () => {
    const { status, body } = await server.rest(userAction(new Date().toISOString()));
    expect(status).toBe(201);
    expect(warned(body)).toEqual(['status']);
    expect(body.event_id).toMatch(/^DATA-\d{8}-\d{6}-[0-9a-z]{16}$/);
    expect(await rowOf(body.event_id)).toMatchObject({
      code: null,
      action: 'CREATE',
      status: 'SUCCESS',
      username: 'guru01',
    });
  });

  test('P2: its JavaScript security event is stored; action and status are assumed, with warnings', async () => {
    const { status, body } = await server.rest(securityEvent);
    expect(status).toBe(201);
    expect(warned(body)).toEqual(['action', 'status']);
    expect(await rowOf(body.event_id)).toMatchObject({
      code: null,
      action: 'RECORD',
      status: 'ALERT',
      severity: 'WARNING',
      metadata: securityEvent.metadata,
    });
  });

  test('P3, P4: its Python event is the catalogued login, its naive time read as UTC with a warning', async () => {
    const naive = new Date().toISOString().replace('Z', '456');
    const { status, body } = await server.rest(pythonLogged(naive));
    expect(status).toBe(201);
    expect(warned(body)).toEqual(['timestamp']);
    const row = await rowOf('AUTH-20250619-143052-1a2b3c4d');
    expect(row).toMatchObject({ ...pythonUsage, code: 'AUTH-001', timestamp: `${naive}Z` });
    expect(row.metadata._original).toEqual({ timestamp: naive });
  });

  test('P4: a time without seconds is that of the minute, on both doors and in filters', async () => {
    const minute = new Date(Date.now() - 3_600_000).toISOString().slice(0, 16);
    const [columns, api] = [newId(), newId()];
    const timestamp = `${minute}+00:00`;
    expect(await server.rest({ code: 'AUTH-001', event_id: columns, timestamp })).toMatchObject({
      status: 201,
      body: { outcome: 'STORED', warnings: [] },
    });
    const { data } = await server.graphql(
      `mutation($t: DateTime) { logEvent(input: { code: "AUTH-001", eventId: "${api}", timestamp: $t }) { outcome } }`,
      { t: timestamp },
    );
    expect(data.logEvent).toEqual({ outcome: 'STORED' });
    const found = await server.graphql(
      'query($t: DateTime) { events(filter: { range: { from: $t }, code: ["AUTH-001"] }) { edges { node { eventId timestamp } } } }',
      { t: timestamp },
    );
    const nodes = found.data.events.edges.map(({ node }: { node: object }) => node);
    for (const eventId of [columns, api])
      expect(nodes).toContainEqual({ eventId, timestamp: `${minute}:00.000Z` });
  });

  test('P4: its Python clock in WIB does not store the event 7 h in the future', async () => {
    const naive = new Date(Date.now() + 7 * 3_600_000).toISOString().replace('Z', '456');
    const { body } = await server.rest(pythonLogged(naive, newId()));
    const row = await rowOf(body.event_id);
    expect(Math.abs(Date.parse(row.timestamp) - Date.now())).toBeLessThan(60_000);
    expect(row.metadata._original).toEqual({ timestamp: naive });
  });

  test('P7: its middleware event is stored; over-long name, route and method are cut with warnings', async () => {
    expect(await server.rest(middlewareRequest)).toMatchObject({
      status: 201,
      body: { outcome: 'STORED', warnings: [] },
    });
    const path = `/api/siswa/${'x'.repeat(300)}`;
    const { status, body } = await server.rest({
      ...middlewareRequest,
      event_id: newId(),
      event_name: `PROPPATCHES ${path}`,
      endpoint: path,
      http_method: 'PROPPATCHES',
    });
    expect(status).toBe(201);
    expect(warned(body)).toEqual(['endpoint', 'event_name', 'http_method']);
    expect(await rowOf(body.event_id)).toMatchObject({
      endpoint: `${path.slice(0, 199)}…`,
      http_method: 'PROPPATCH…',
      metadata: { status_code: 200, _original: { endpoint: path, http_method: 'PROPPATCHES' } },
    });
  });

  test('P8: an address that is a name or a list of proxies never costs the event', async () => {
    for (const ip_address of ['testclient', '203.0.113.7, 10.0.0.1', null]) {
      const { status, body } = await server.rest({
        ...middlewareRequest,
        ip_address,
        event_id: newId(),
      });
      expect([status, warned(body)]).toEqual([201, ip_address === null ? [] : ['ip_address']]);
      expect((await rowOf(body.event_id)).ip_address).toBeNull();
    }
  });

  test('P14: its prediction action never counts as a prediction; PRED-002 does', async () => {
    const counted = async (): Promise<number> => {
      const [row] = await server.database.sql<[{ count: number }]>`
        SELECT count(*) FROM events WHERE event_category = 'PRED' AND event_type = 'INDIVIDUAL_PREDICTION' AND status = 'SUCCESS'`;
      return row.count;
    };
    const before = await counted();
    expect((await server.rest(predictionAction(new Date().toISOString()))).status).toBe(201);
    expect(await counted()).toBe(before);
    expect(
      (await server.rest({ code: 'PRED-002', response_data: { confidence: 87.5 } })).status,
    ).toBe(201);
    expect(await counted()).toBe(before + 1);
  });

  test('P15, S3: what attackers put into payloads is stored, NUL and lone surrogates apart, to the letter', async () => {
    const payload = `' OR 1=1 --\\ "\u202e <script>alert(1)</script> {}[],NULL \\u0000`;
    const { status, body } = await server.rest(
      `{"code":"SEC-003","event_id":"${newId()}","event_description":${JSON.stringify(payload)},"tags":["a,b","{}","NULL","\\\\","\\""],` +
        String.raw`"request_data":{"payload":"a\u0000b\ud800c","k\u0000":${JSON.stringify(payload)}}}`,
    );
    expect([status, warned(body)]).toEqual([201, ['request_data']]);
    expect(await rowOf(body.event_id)).toMatchObject({
      event_description: payload,
      tags: ['a,b', '{}', 'NULL', '\\', '"'],
      request_data: { payload: 'a\uFFFDb\uFFFDc', 'k\uFFFD': payload },
    });
  });

  test('P8: addresses of every shape are stored as they were answered', async () => {
    const addresses = [
      '::',
      '::1',
      '::1.2.3.4',
      '::ffff:1.2.3.4',
      '1::',
      '1:0:0:2::',
      '0:1:0:1:0:1:0:1',
      'fe80::1:0:0:1',
      '255.255.255.255',
      '64:ff9b::102:304',
      '::ffff:0:0',
      '1:2:3:4:5:6:0:0',
    ];
    for (const ip_address of addresses) {
      const eventId = newId();
      const { body } = await server.rest({ code: 'AUTH-001', event_id: eventId, ip_address });
      expect([ip_address, body.outcome]).toEqual([ip_address, 'STORED']);
      // Had PostgreSQL printed it in another way than we did, the same event would now be another.
      const again = await server.rest({ code: 'AUTH-001', event_id: eventId, ip_address });
      expect([ip_address, again.body.outcome]).toEqual([ip_address, 'DUPLICATE']);
    }
  });
});

test('a value under a name and another under its column are both kept', async () => {
  const event = { event_category: 'SECURITY', event_type: 'ATTACK_DETECTION', type: 'sqli', event_name: 'x', action: 'BLOCK' }; // oxfmt-ignore
  const { body } = await server.rest(event);
  expect(body.outcome).toBe('REPAIRED');
  const { data } = await server.graphql('query($id: ID!) { event(eventId: $id) { type metadata } }', { id: body.event_id }); // oxfmt-ignore
  expect(data.event).toEqual({ type: 'ATTACK_DETECTION', metadata: { _original: { '(type)': 'sqli' } } }); // oxfmt-ignore
});

test('V4, V5, V6: what was stored equals what was sent, read back by GraphQL and by SQL', async () => {
  const sent = {
    event_id: newId(),
    code: 'DATA-005',
    event_category: 'DATA',
    event_type: 'ACADEMIC_SCORE',
    event_name: 'Academic Score Updated',
    event_description: 'Nilai diperbarui: “87,5” 😀',
    user_id: -2147483648,
    username: 'guru01',
    user_role: 'GURU',
    ip_address: '2001:db8::1',
    user_agent: 'curl/8',
    session_id: 'sess_1',
    resource_type: 'STUDENT',
    resource_id: 'STD-1',
    resource_name: 'Ahmad "Rizki" \\ {x}',
    action: 'UPDATE',
    status: 'DENIED',
    http_method: 'PUT',
    endpoint: '/api/nilai/{id}',
    request_data: { a: [1, 2.5, null, true, 'x', { b: {} }], '': 'empty', __proto: 1 },
    response_data: [],
    error_message: 'no',
    error_code: 'E1',
    processing_time_ms: 0,
    timestamp: new Date(Date.now() - 1000).toISOString().replace('Z', '456Z'),
    metadata: false,
    tags: ['a', '', '😀'],
    severity: 'ERROR',
  };
  const { status, body } = await server.rest(sent);
  expect(status).toBe(201);
  expect(body).toEqual({
    outcome: 'STORED',
    event_id: sent.event_id,
    id: expect.stringMatching(/^\d+$/),
    cursor: expect.any(String),
    warnings: [],
  });
  const { id, created_at, updated_at, ...row } = await rowOf(sent.event_id);
  const stored = { ...sent, session_id: expect.stringMatching(HASH) };
  expect(row).toEqual(stored);
  expect(String(id)).toBe(body.id);
  expect(updated_at).toBe(created_at);
  expect(Math.abs(Date.parse(String(created_at)) - Date.now())).toBeLessThan(60_000);

  const names = inputNames.join(' ');
  const { data, errors } = await server.graphql(
    `query($id: ID!) { event(eventId: $id) { id createdAt ${names} } }`,
    { id: sent.event_id },
  );
  expect(errors).toBeUndefined();
  expect(data.event).toEqual({
    id: body.id,
    createdAt: created_at,
    ...Object.fromEntries(inputNames.map((name) => [name, stored[fields[name].column]])),
  });
});

describe('an array', () => {
  test('I7: has an outcome for each event, in order, whatever becomes of the others', async () => {
    const [a, b] = [newId(), newId()];
    await server.rest({ code: 'AUTH-001', event_id: a, username: 'x' });
    const { status, body } = await server.rest([
      { code: 'AUTH-001', event_id: b },
      { event_name: 'nothing else' },
      { code: 'AUTH-001', event_id: a, username: 'x' },
      { code: 'AUTH-001', event_id: a, username: 'y' },
      { code: 'SEC-002', ip_address: '192.168.1.999' },
      null,
      { code: 'AUTH-001', timestamp: '2020-01-01T00:00:00Z' },
      { code: 'AUTH-001', event_id: 'x'.repeat(51) },
      { code: 'AUTH-001', metadata: 'x'.repeat(40_000) },
    ]);
    expect(status).toBe(207);
    expect(body.results.map((each: Result) => [each.outcome, each.code])).toEqual([
      ['STORED', undefined],
      ['REJECTED', 'MISSING_VALUE'],
      ['DUPLICATE', undefined],
      ['REJECTED', 'CONFLICT'],
      ['REPAIRED', undefined],
      ['REJECTED', 'MISSING_VALUE'],
      ['REJECTED', 'EXPIRED'],
      ['REJECTED', 'INVALID_ID'],
      ['REJECTED', 'TOO_LARGE'],
    ]);
    for (const { outcome, reason, event_id } of body.results) {
      expect(typeof reason === 'string').toBe(outcome === 'REJECTED');
      expect(event_id === null).toBe(outcome === 'REJECTED');
    }
    expect((await rowOf(b)).event_name).toBe('User Login Success');
    expect((await rowOf(a)).username).toBe('x');
  });

  test('says with its status whether all, or only some, are in the log', async () => {
    const known = { code: 'AUTH-001', event_id: newId() };
    const fresh = () => ({ code: 'AUTH-001', event_id: newId() });
    const statusOf = async (...events: unknown[]) => (await server.rest(events)).status;
    expect(await statusOf()).toBe(200);
    expect(await statusOf(known, fresh())).toBe(201);
    expect(await statusOf(known, fresh())).toBe(200);
    expect(await statusOf(known, known)).toBe(200);
    expect(await statusOf(known, {})).toBe(207);
    expect(await statusOf({}, {})).toBe(422);
    expect(await statusOf({ ...known, username: 'x' })).toBe(409);
    expect(await statusOf({ ...known, username: 'x' }, {})).toBe(207);
    expect((await server.rest([])).body).toEqual({ results: [] });
  });

  test('holds 1,000 events and no more', async () => {
    const events = Array.from({ length: 1001 }, () => ({ code: 'AUTH-001' }));
    const whole = await server.rest(events.slice(1));
    expect(whole.status).toBe(201);
    expect(new Set(whole.body.results.map(({ id }: Result) => id)).size).toBe(1000);
    expect(await server.rest(events)).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_USER_INPUT', message: expect.stringContaining('at most 1000') } },
    });
  });
});

describe('refusals', () => {
  test('I7: an event that cannot be stored is 422, and the reason names the fields of this door', async () => {
    for (const [event, code, reason] of [
      [{}, 'MISSING_VALUE', '`event_category`'],
      [{ event_category: 'AUTH', event_name: 'N' }, 'MISSING_VALUE', '`event_type`'],
      [
        { ...pythonUsage, event_category: 'UNK', event_name: 'N' },
        'MISSING_VALUE',
        '`event_category`',
      ],
      [{ code: 'AUTH-001', event_id: '' }, 'INVALID_ID', '`event_id`'],
      [{ code: 'AUTH-001', request_data: 'x'.repeat(33_000) }, 'TOO_LARGE', '`request_data`'],
      [{ code: 'AUTH-001', timestamp: '2020-01-01T00:00:00Z' }, 'EXPIRED', '30 days'],
    ] as const) {
      const answer = await server.rest(event);
      expect(answer).toMatchObject({
        status: 422,
        body: { outcome: 'REJECTED', code, event_id: null, id: null },
      });
      expect(answer.body.reason).toContain(reason);
    }
    for (const body of ['null', '"text"', '5', 'true'])
      expect(await server.rest(body)).toMatchObject({
        status: 422,
        body: { code: 'MISSING_VALUE' },
      });
  });

  test('I6: an id that belongs to another event is 409', async () => {
    const event = { code: 'AUTH-001', event_id: newId(), event_type: 'USER_LOGIN' };
    expect((await server.rest(event)).status).toBe(201);
    const answer = await server.rest({ ...event, event_type: 'OTHER' });
    expect(answer).toMatchObject({ status: 409, body: { outcome: 'REJECTED', code: 'CONFLICT' } });
    expect(answer.body.reason).toContain('`event_type`');
    expect(answer.body.reason).toMatch(/^`event_id` .* Use a new `event_id` for a new event\.$/);
    expect((await rowOf(event.event_id)).event_type).toBe('USER_LOGIN');
  });

  test('what is not JSON in UTF-8 is 400 or 415, and nothing is stored', async () => {
    for (const body of [
      '',
      '{',
      '{"code":"AUTH-001"',
      "{'code':'AUTH-001'}",
      '{"code":"AUTH-001"}{}',
      'undefined',
      '[1,]',
    ])
      expect(await post(body)).toMatchObject({
        status: 400,
        body: { error: { code: 'BAD_USER_INPUT' } },
      });
    const invalid = Buffer.from('{"code":"AUTH-001","username":"x"}').map((byte) =>
      byte === 120 ? 0xff : byte,
    );
    expect(await post(invalid)).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_USER_INPUT', message: expect.stringContaining('UTF-8') } },
    });
    const event = '{"code":"AUTH-001"}';
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonp',
      'multipart/form-data; boundary=x',
    ])
      expect(await post(event, { 'content-type': type })).toMatchObject({
        status: 415,
        body: { error: { code: 'BAD_USER_INPUT' } },
      });
    for (const type of [
      'application/json; charset=utf-8',
      'APPLICATION/JSON',
      'application/json ;x=y',
    ])
      expect((await post(event, { 'content-type': type })).status).toBe(201);
  });

  test('V7: a gzipped body is read; one that is none, of another encoding, or too large when inflated is refused', async () => {
    const event = '{"code":"AUTH-001"}';
    const gzip = { 'content-encoding': 'gzip' };
    expect((await post(gzipSync(event), gzip)).status).toBe(201);
    expect((await post(gzipSync(event), { 'content-encoding': 'GZIP' })).status).toBe(201);
    expect((await post(gzipSync(event.padEnd(1024 * 1024)), gzip)).status).toBe(201);
    for (const [body, encoding, status] of [
      [event, 'gzip', 400],
      [gzipSync(event).subarray(0, -4), 'gzip', 400],
      [gzipSync(event), 'identity', 400],
      [gzipSync(event), 'br', 415],
      [gzipSync(event.padEnd(1024 * 1024 + 1)), 'gzip', 413],
      [gzipSync(event.padEnd(200 * 1024 * 1024)), 'gzip', 413],
    ] as const)
      expect(await post(body, { 'content-encoding': encoding })).toMatchObject({
        status,
        body: { error: { code: 'BAD_USER_INPUT' } },
      });
  });

  test('lines of NDJSON are as good as an array; one that is no JSON does not take the others along', async () => {
    const ndjson = { 'content-type': 'application/x-ndjson' };
    const [a, b] = [newId(), newId()];
    const lines = [{ event_id: a }, { event_id: b }].map((said) =>
      JSON.stringify({ code: 'AUTH-001', ...said }),
    );
    const one = await post(`${lines[0]}\n`, ndjson);
    expect([one.status, one.body.results.map(({ outcome }) => outcome)]).toEqual([201, ['STORED']]);
    const all = await post(`${lines[0]}\r\n\n{broken\n${lines[1]}`, ndjson);
    expect(all.status).toBe(207);
    expect(all.body.results.map(({ outcome, code }) => code ?? outcome)).toEqual([
      'DUPLICATE',
      'MISSING_VALUE',
      'STORED',
    ]);
    const many = await post('{}\n'.repeat(1001), ndjson);
    expect([many.status, many.body.error.code]).toEqual([400, 'BAD_USER_INPUT']);
  });

  test('V7: a body of a megabyte is read, a byte more is 413', async () => {
    const event = '{"code":"AUTH-001"}';
    expect((await post(event.padEnd(1024 * 1024))).status).toBe(201);
    expect(await post(event.padEnd(1024 * 1024 + 1))).toMatchObject({
      status: 413,
      body: { error: { code: 'BAD_USER_INPUT', message: expect.stringContaining('1048576') } },
    });
    expect((await server.rest({ code: 'AUTH-001' })).status).toBe(201);
  });

  test('any method but POST is 405, any other path 404', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
      const response = await fetch(`${server.url}/api/events`, { method });
      expect([method, response.status, response.headers.get('allow')]).toEqual([
        method,
        405,
        'POST',
      ]);
      await response.body?.cancel();
    }
    for (const path of [
      '/api/event',
      '/api/events/',
      '/api/events/1',
      '/API/EVENTS',
      '/__proto__',
      '/constructor',
    ]) {
      const response = await fetch(server.url + path, { method: 'POST' });
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.json()).toMatchObject({ error: { code: 'BAD_USER_INPUT' } });
    }
  });

  test('P12: without a good key it is 401, and nothing is stored', async () => {
    const event_id = newId();
    const event = JSON.stringify({ code: 'AUTH-001', event_id });
    for (const authorization of [
      '',
      'Bearer',
      'Bearer unknown',
      `Basic ${ADMIN_KEY}`,
      ADMIN_KEY,
      `Bearer ${ADMIN_KEY}x`,
      `Bearer jejak_${'x'.repeat(49)}`,
    ])
      expect(await post(event, { authorization })).toMatchObject({
        status: 401,
        body: { error: { code: 'UNAUTHENTICATED' } },
      });
    expect((await server.rest(event, null)).status).toBe(401);
    expect(await server.database.sql`SELECT FROM events WHERE event_id = ${event_id}`).toHaveLength(
      0,
    );
  });

  test('S4: a key that may only read is 403; one that may write is enough', async () => {
    const event = { code: 'AUTH-001', event_id: newId() };
    expect(await server.rest(event, await keyWith('EVENTS_READ'))).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN', message: expect.stringContaining('write') } },
    });
    expect((await server.rest(event, await keyWith('EVENTS_WRITE'))).status).toBe(201);
  });
});

describe('names', () => {
  test('P1: unknown ones are kept in metadata._original, with a warning each, whatever they are', async () => {
    const event_id = newId();
    const { status, body } = await server.rest(
      `{"code":"AUTH-001","event_id":"${event_id}","remark":"x","id":7,"created_at":"then","constructor":1,"__proto__":{"a":1},"a\\u0000b":"c","nothing":null}`,
    );
    expect(status).toBe(201);
    expect(warned(body)).toEqual([
      '__proto__',
      'a\uFFFDb',
      'constructor',
      'created_at',
      'id',
      'remark',
    ]);
    const { metadata } = await rowOf(event_id);
    expect(JSON.parse(JSON.stringify(metadata._original))).toEqual(
      JSON.parse(
        '{"remark":"x","id":7,"created_at":"then","constructor":1,"__proto__":{"a":1},"a\uFFFDb":"c"}',
      ),
    );
  });

  test('those of GraphQL are understood too', async () => {
    const eventId = newId();
    const { status, body } = await server.rest({
      code: 'AUTH-001',
      eventId,
      userId: 5,
      name: 'Ours',
    });
    expect(status).toBe(201);
    expect(warned(body)).toEqual([]);
    expect(await rowOf(eventId)).toMatchObject({ user_id: 5, event_name: 'Ours' });
  });

  test('P3: a null is as good as no value', async () => {
    const nulls = Object.fromEntries(inputNames.map((name) => [fields[name].column, null]));
    expect(await server.rest({ ...nulls, code: 'AUTH-001' })).toMatchObject({
      status: 201,
      body: { outcome: 'STORED', warnings: [] },
    });
  });
});
