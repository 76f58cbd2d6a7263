// I6: an event id exists once in the log, whatever its event's severity, partition, time or door. The same id with the same
// content is a DUPLICATE that returns the stored event; with other content it is a CONFLICT, and nothing is overwritten.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { severityNames } from '../../src/events/vocabulary.ts';
import { type TestServer, createTestServer, testServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Result = { outcome: string; rejectionCode: string | null };
type Row = { readonly username: string | null };

let made = 0;
const newId = (): string => `identity-${++made}`;

const LOG_EVENT = `mutation($input: LogEventInput!) { logEvent(input: $input) {
  outcome rejectionCode reason cursor warnings { field } event { id eventId username severity timestamp createdAt metadata } } }`;
const LOG_EVENTS = LOG_EVENT.replace('$input: LogEventInput!', '$input: [LogEventInput!]!')
  .replace('logEvent(', 'logEvents(')
  .replace('{\n  outcome', '{ stored duplicates rejected results {\n  outcome')
  .concat(' }');

const logEvent = async (input: object, on = server) => {
  const { data, errors } = await on.graphql(LOG_EVENT, { input });
  if (errors)
    throw Object.assign(new Error(errors[0].message), { code: errors[0].extensions?.code });
  return data.logEvent;
};
const logEvents = async (input: object[], on = server) => {
  const { data, errors } = await on.graphql(LOG_EVENTS, { input });
  expect(errors).toBeUndefined();
  return data.logEvents;
};
const rowsOf = (eventId: string, on = server): Promise<Row[]> =>
  on.database.sql<Row[]>`SELECT * FROM events WHERE event_id = ${eventId}`.then((rows) => [
    ...rows,
  ]);
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

describe('the same id', () => {
  test('I6: with the same content returns the stored event, its cursor included', async () => {
    const input = {
      code: 'AUTH-001',
      eventId: newId(),
      username: 'guru01',
      metadata: { b: 1, a: [1, { x: null }] },
      tags: ['a'],
    };
    const first = await logEvent(input);
    expect(first.outcome).toBe('STORED');
    const again = await logEvent({ ...input, metadata: { a: [1, { x: null }], b: 1 } });
    expect(again).toEqual({ ...first, outcome: 'DUPLICATE' });
    expect(await rowsOf(input.eventId)).toHaveLength(1);
  });

  test('I6: with other content is the error CONFLICT of logEvent, and nothing is overwritten', async () => {
    const input = {
      code: 'AUTH-001',
      eventId: newId(),
      username: 'guru01',
      userId: 1,
      metadata: { a: 1 },
      tags: ['a'],
      timestamp: ago(1000),
    };
    await logEvent(input);
    const [before] = await rowsOf(input.eventId);
    for (const [field, value] of Object.entries({
      code: 'AUTH-002',
      username: 'guru02',
      userId: 2,
      metadata: { a: 2 },
      tags: ['a', 'b'],
      timestamp: ago(2000),
      severity: 'CRITICAL',
      description: 'said only now',
      ipAddress: '10.0.0.1',
      status: 'FAILED',
    }))
      await expect(logEvent({ ...input, [field]: value })).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining(input.eventId),
      });
    expect(await rowsOf(input.eventId)).toEqual([before]);
  });

  test('I6: with other content is REJECTED inside logEvents and 409 on the REST door', async () => {
    const eventId = newId();
    await logEvent({ code: 'AUTH-001', eventId, username: 'a' });
    const { results, ...counts } = await logEvents([
      { code: 'AUTH-001', eventId, username: 'b' },
      { code: 'AUTH-001', eventId, username: 'a' },
      { code: 'AUTH-001', username: 'c' },
    ]);
    expect(counts).toEqual({ stored: 1, duplicates: 1, rejected: 1 });
    expect(results.map((each: Result) => [each.outcome, each.rejectionCode])).toEqual([
      ['REJECTED', 'CONFLICT'],
      ['DUPLICATE', null],
      ['STORED', null],
    ]);
    expect(await server.rest({ code: 'AUTH-001', event_id: eventId, username: 'b' })).toMatchObject(
      { status: 409, body: { code: 'CONFLICT' } },
    );
  });

  test('I6: is one event across severities, partitions and times', async () => {
    for (const [severity, days] of [
      ['DEBUG', 6],
      ['INFO', 29],
      ['WARNING', 89],
      ['ERROR', 179],
      ['CRITICAL', 364],
    ] as const) {
      const input = {
        code: 'AUTH-006',
        eventId: newId(),
        severity,
        timestamp: ago(days * 86_400_000),
      };
      expect((await logEvent(input)).outcome).not.toBe('REJECTED');
      expect((await logEvent(input)).outcome).toBe('DUPLICATE');
      for (const other of severityNames.filter((name) => name !== severity))
        await expect(
          logEvent({ ...input, severity: other, timestamp: ago(0) }),
        ).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(logEvent({ ...input, timestamp: ago(0) })).rejects.toMatchObject({
        code: 'CONFLICT',
      });
      expect(await rowsOf(input.eventId)).toHaveLength(1);
    }
  });

  test('I6: is one event on both doors', async () => {
    const eventId = newId();
    const [timestamp, metadata] = [ago(1000), { a: [1, 'x'] }];
    const api = { code: 'AUTH-001', eventId, type: 'USER_LOGIN', userId: 15, timestamp, metadata };
    const columns = {
      code: 'AUTH-001',
      event_id: eventId,
      event_type: 'USER_LOGIN',
      user_id: 15,
      timestamp,
      metadata,
    };
    const first = await logEvent(api);
    expect(await server.rest(columns)).toMatchObject({
      status: 200,
      body: { outcome: 'DUPLICATE', id: first.event.id, cursor: first.cursor },
    });
    expect((await logEvent(api)).outcome).toBe('DUPLICATE');
    expect((await server.rest({ ...columns, user_id: 16 })).status).toBe(409);
    expect(await rowsOf(eventId)).toHaveLength(1);
  });

  test('I6: twice within one call is one event, or a conflict', async () => {
    const [eventId, other] = [newId(), newId()];
    const { results } = await logEvents([
      { code: 'AUTH-001', eventId },
      { code: 'AUTH-001', eventId },
      { code: 'AUTH-002', eventId },
      { code: 'AUTH-001', eventId: other, username: 'a' },
      { code: 'AUTH-001', eventId: other, username: 'b' },
    ]);
    expect(results.map((each: Result) => each.outcome)).toEqual([
      'STORED',
      'DUPLICATE',
      'REJECTED',
      'STORED',
      'REJECTED',
    ]);
    expect(results[1].event).toEqual(results[0].event);
    expect(results[1].cursor).toBe(results[0].cursor);
    expect((await rowsOf(other))[0]!.username).toBe('a');
  });

  test('I6: what a caller leaves to the server is no difference', async () => {
    const input = { code: 'AUTH-001', eventId: newId(), username: 'a', description: 'x' };
    await logEvent(input);
    expect((await logEvent({ eventId: input.eventId, code: 'AUTH-001' })).outcome).toBe(
      'DUPLICATE',
    );
  });

  test('I6: JSON is compared as it is stored: -0 is 0, and a literal in the query is as good as a variable', async () => {
    const eventId = newId();
    const mutation = `mutation { logEvent(input: { code: "AUTH-001", eventId: "${eventId}", metadata: { a: { b: [1, { c: 2 }] } } }) { outcome } }`;
    expect((await server.graphql(mutation)).data.logEvent.outcome).toBe('STORED');
    expect((await server.graphql(mutation)).data.logEvent.outcome).toBe('DUPLICATE');
    expect(
      (await logEvent({ code: 'AUTH-001', eventId, metadata: { a: { b: [1, { c: 2 }] } } }))
        .outcome,
    ).toBe('DUPLICATE');

    const negative = `{"code":"AUTH-001","event_id":"${newId()}","user_id":-0,"metadata":{"a":-0,"b":1e21,"c":0.1}}`;
    expect((await server.rest(negative)).status).toBe(201);
    expect(await server.rest(negative)).toMatchObject({
      status: 200,
      body: { outcome: 'DUPLICATE' },
    });
  });

  test('I6: an id is compared to the letter', async () => {
    const eventId = newId();
    for (const each of [
      eventId,
      eventId.toUpperCase(),
      `${eventId} `,
      ` ${eventId}`,
      `${eventId}é`,
      `${eventId}e\u0301`,
    ])
      expect((await logEvent({ code: 'AUTH-001', eventId: each })).outcome).toBe('STORED');
  });
});

describe('a repaired event sent again', () => {
  const repaired: Record<string, Record<string, unknown>> = {
    'P1: with a bad address': { ip_address: '192.168.1.999' },
    'V3: with a future timestamp': { timestamp: new Date(Date.now() + 3_600_000).toISOString() },
    'P4: with a future timestamp without a zone': {
      timestamp: new Date(Date.now() + 7 * 3_600_000).toISOString().slice(0, -1),
    },
    'P4: with a timestamp without a zone': { timestamp: ago(60_000).slice(0, -1) },
    'P7: with text that was cut': { event_name: 'x'.repeat(300), endpoint: '/'.repeat(300) },
    'P15: with NUL': { username: 'a\0b', metadata: { 'k\0': '\0' }, tags: ['\0'] },
    'V2: with an unknown severity': { severity: 'FATAL!!' },
    'V7: with huge numbers': { metadata: { a: 1e308 } },
    'I2: with a prefix for a category': { event_category: 'auth' },
    'I4: with a field nobody knows': { remark: { a: 1 } },
    'P1: with numbers as text': { user_id: '15', processing_time_ms: '1.5' },
    'P1: with metadata that is no object': { metadata: [1], ip_address: '?' },
  };
  for (const [name, said] of Object.entries(repaired))
    test(`${name} is a DUPLICATE, with the same warnings`, async () => {
      const event = { code: 'AUTH-001', event_id: newId(), ...said };
      const first = await server.rest(event);
      expect(first).toMatchObject({ status: 201, body: { outcome: 'REPAIRED' } });
      const again = await server.rest(event);
      expect(again.status).toBe(200);
      expect(again.body).toEqual({ ...first.body, outcome: 'DUPLICATE' });
      expect(await rowsOf(event.event_id)).toHaveLength(1);
    });

  test('I6: is a CONFLICT where it differs only in what is too large to be kept', async () => {
    const list = (first: string) => [{ jawaban: first }, 'x'.repeat(2_500)];
    const object = (kelas: string) => ({ siswa: { kelas, catatan: 'y'.repeat(2_500) } });
    const text = (end: string) => 'z'.repeat(6_000) + end;
    for (const [name, of] of Object.entries({
      jawaban: list,
      description: object,
      user_agent: text,
    })) {
      const send = (what: string) => server.rest({ code: 'AUTH-001', event_id: `large ${name}`, [name]: of(what) }); // oxfmt-ignore
      const outcomes = [];
      for (const what of ['benar', 'benar', 'salah']) outcomes.push((await send(what)).status);
      expect({ [name]: outcomes }).toEqual({ [name]: [201, 200, 409] });
    }
  });

  test('I6: is a CONFLICT where what was sent differs, though the repair makes both alike', async () => {
    for (const [one, other] of [
      [{ ip_address: '192.168.1.999' }, { ip_address: '192.168.1.888' }],
      [{ ip_address: '192.168.1.999' }, { ip_address: '192.168.1.9' }],
      [{ username: 'x'.repeat(60) }, { username: 'x'.repeat(61) }],
      [{ severity: 'FATAL!!' }, { severity: 'MEH' }],
      [{ remark: 1 }, { remark: 2 }],
      [{ user_id: 'x' }, { user_id: 'y' }],
      [{}, { remark: 2 }],
      [{}, { ip_address: '?' }],
    ]) {
      const event = { code: 'AUTH-001', event_id: newId() };
      expect((await server.rest({ ...event, ...one })).status).toBe(201);
      expect([one, (await server.rest({ ...event, ...other })).status]).toEqual([one, 409]);
    }
  });

  test('I6: an event read back from the log and sent again is a DUPLICATE', async () => {
    const eventId = newId();
    const { event } = await logEvent({
      code: 'AUTH-001',
      eventId,
      ipAddress: '192.168.1.999',
      username: 'x'.repeat(80),
    });
    const { username, metadata, severity, timestamp } = event;
    expect(metadata._original).toEqual({ ip_address: '192.168.1.999', username: 'x'.repeat(80) });
    expect(
      (await logEvent({ code: 'AUTH-001', eventId, username, metadata, severity, timestamp }))
        .outcome,
    ).toBe('DUPLICATE');
  });
});

describe('an id that the server made', () => {
  test('I1, I6: sent back is a DUPLICATE with the same content, a CONFLICT with other', async () => {
    const { event, cursor } = await logEvent({ code: 'AUTH-001', username: 'guru01' });
    const back = { code: 'AUTH-001', username: 'guru01', eventId: event.eventId };
    expect(await logEvent(back)).toMatchObject({ outcome: 'DUPLICATE', event, cursor });
    expect((await logEvent(back)).outcome).toBe('DUPLICATE');
    await expect(logEvent({ ...back, username: 'guru02' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await rowsOf(event.eventId)).toHaveLength(1);
  });

  test('I1, I6: that has the server’s form but is a client’s own is stored once', async () => {
    const eventId = 'AUTH-001-20250619-143052-0123456789abcdef';
    const { results } = await logEvents([
      { code: 'AUTH-001', eventId },
      { code: 'AUTH-001', eventId },
    ]);
    expect(results.map((each: Result) => each.outcome)).toEqual(['STORED', 'DUPLICATE']);
    expect((await logEvent({ code: 'AUTH-001', eventId })).outcome).toBe('DUPLICATE');
    expect(await rowsOf(eventId)).toHaveLength(1);
  });
});

describe('at once', () => {
  const tally = (outcomes: string[]): Record<string, number> =>
    outcomes.reduce<Record<string, number>>(
      (counts, each) => ({ ...counts, [each]: (counts[each] ?? 0) + 1 }),
      {},
    );

  test('I6: 50 identical calls store one event and answer 49 DUPLICATE', async () => {
    for (let round = 0; round < 5; round++) {
      const input = { code: 'AUTH-001', eventId: newId(), username: 'guru01' };
      const answers = await Promise.all(Array.from({ length: 50 }, () => logEvent(input)));
      expect(tally(answers.map(({ outcome }) => outcome))).toEqual({ STORED: 1, DUPLICATE: 49 });
      expect(new Set(answers.map(({ event }) => event.id)).size).toBe(1);
      expect(new Set(answers.map(({ cursor }) => cursor)).size).toBe(1);
      expect(await rowsOf(input.eventId)).toHaveLength(1);
    }
  });

  test('I6: 50 calls that differ store one, and the others are conflicts', async () => {
    const eventId = newId();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, userId) =>
        server.rest({ code: 'AUTH-001', event_id: eventId, user_id: userId }),
      ),
    );
    expect(tally(answers.map(({ status }) => String(status)))).toEqual({ 201: 1, 409: 49 });
    expect(await rowsOf(eventId)).toHaveLength(1);
  });

  test('I6: two servers on one database, with the same ids in opposite orders, store each once and never deadlock', async () => {
    const first = await testServer();
    const second = await testServer(first.database);
    const ids = Array.from({ length: 200 }, newId);
    const inputs = ids.map((eventId) => ({ code: 'AUTH-001', eventId }));
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        logEvents(index % 2 ? inputs : inputs.toReversed(), index % 4 < 2 ? first : second),
      ),
    );
    const outcomes = answers.flatMap(({ results }) =>
      results.map(({ outcome }: Result) => outcome),
    );
    expect(tally(outcomes)).toEqual({ STORED: 200, DUPLICATE: 1800 });
    const [{ count }] = await first.database.sql<[{ count: number }]>`SELECT count(*) FROM events`;
    expect(count).toBe(200);
    const numbers = new Map<string, string>();
    for (const { event } of answers.flatMap(({ results }) => results)) {
      expect(numbers.get(event.eventId) ?? event.id).toBe(event.id);
      numbers.set(event.eventId, event.id);
    }
  });

  test('B3: the same HTTP request three times, also to two servers, is one row and one delivery', async () => {
    const first = await testServer();
    const second = await testServer(first.database);
    await using watching = second.subscribe(
      'subscription { eventLogged(after: "earliest") { event { eventId } } }',
    );
    const event = { code: 'AUTH-001', event_id: 'once', username: 'guru01' };
    const answers = await Promise.all([first, second, first].map((each) => each.rest(event)));
    expect(tally(answers.map(({ status }) => String(status)))).toEqual({ 200: 2, 201: 1 });
    expect(new Set(answers.map(({ body }) => `${body.id} ${body.cursor}`)).size).toBe(1);
    expect((await second.rest(event)).status).toBe(200);
    await first.rest({ code: 'AUTH-001', event_id: 'after' });
    const delivered = [await watching.next(), await watching.next()].map(
      ({ eventLogged }) => eventLogged.event.eventId,
    );
    expect(delivered).toEqual(['once', 'after']);
    expect(watching.waiting()).toEqual([]);
    expect(await rowsOf('once', first)).toHaveLength(1);
  });
});
