// HTTP at its edges. Every answer has a code, what is slow is cut, and others are served meanwhile.

import { request } from 'node:http';
import { Readable } from 'node:stream';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, type TestServer, createTestServer } from '../support/server.ts';
import { knownCode, send } from './doors.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const MEGABYTE = 1024 * 1024;
const LOG = 'mutation { logEvent(input: { code: "AUTH-001", username: "intruder" }) { outcome } }';
const doors = {
  '/graphql': JSON.stringify({ query: '{ __typename }' }),
  '/api/events': JSON.stringify({ code: 'AUTH-001' }),
} as const;
type Path = keyof typeof doors;
const paths = Object.keys(doors) as Path[];

const codeOf = (body: any): string =>
  knownCode(body.error?.code ?? body.errors?.[0]?.extensions?.code);
const refusal = async (path: Path, body: string | Uint8Array<ArrayBuffer>, headers = {}) => {
  const answer = await send(server, path, body, headers);
  return [answer.status, codeOf(answer.body)];
};
const bytes = (buffer: Buffer): Uint8Array<ArrayBuffer> => Uint8Array.from(buffer);
const alive = async () => {
  const answer = await send(server, '/api/events', doors['/api/events']);
  expect(answer).toMatchObject({ status: 201 });
};

/** Writes the parts one after another, and gives what came back until the server closed, or for `ms`. */
const raw = async (parts: readonly (string | number)[], ms = 1_500): Promise<string> => {
  const socket = await open();
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  const closed = new Promise((resolve) => void socket.once('close', resolve));
  for (const part of parts) {
    if (typeof part === 'number') await sleep(part);
    else if (socket.writable) socket.write(part, 'latin1');
  }
  await Promise.race([closed, sleep(ms)]);
  socket.destroy();
  return received;
};
const open = async (): Promise<Socket> => {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
};
const head = (path: string, headers: string[] = []): string =>
  [`POST ${path} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${ADMIN_KEY}`, 'Content-Type: application/json', ...headers, '', ''].join('\r\n'); // oxfmt-ignore
const statuses = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

/** Posts without saying how long the body is; undefined where the connection ended before the answer was read. */
const chunked = (
  path: string,
  text: string,
): Promise<{ status: number; body: unknown } | undefined> =>
  new Promise((resolve) => {
    const posted = request(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    });
    posted.on('error', () => resolve(undefined)); // the rest is not read, so writing it may fail
    posted.on('response', (response) => {
      let answer = '';
      response.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(answer) }));
      response.on('error', () => resolve(undefined));
    });
    Readable.from([text.slice(0, 1000), text.slice(1000)]).pipe(posted);
  });

describe('bodies', () => {
  test.each(paths)(
    'only JSON is taken by %s: a form of another site logs nothing',
    async (path) => {
      const form = new URLSearchParams({ query: LOG, code: 'AUTH-001', username: 'intruder' });
      const parts = `--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${JSON.stringify({ query: LOG })}\r\n--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--x--\r\n`;
      const query = JSON.stringify({ query: LOG, code: 'AUTH-001', username: 'intruder' });
      for (const [type, body] of [
        ['application/x-www-form-urlencoded', form.toString()],
        ['multipart/form-data; boundary=x', parts],
        ['text/plain', query],
        ['application/graphql', LOG],
        ['application/graphql+json', query],
        ['application/json, text/plain', query],
        ['text/plain; application/json', query],
        ['application/jsonx', query],
        ['', query],
      ] as const)
        expect([type, await refusal(path, body, { 'content-type': type })]).toEqual([
          type,
          [415, 'BAD_USER_INPUT'],
        ]);
      const untyped = await fetch(server.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
        body: bytes(Buffer.from(query)),
      });
      expect([untyped.status, codeOf(await untyped.json())]).toEqual([415, 'BAD_USER_INPUT']);
      const rows = await server.database.sql`SELECT FROM events WHERE username = 'intruder'`;
      expect(rows).toHaveLength(0);
    },
  );

  test.each(paths)(
    'a gzip bomb, truncated gzip, no gzip and other encodings are refused by %s',
    async (path) => {
      const body = doors[path];
      const zipped = gzipSync(body);
      const damaged = Buffer.from(zipped);
      damaged[damaged.length - 5]! ^= 255; // the checksum
      const gzip = { 'content-encoding': 'gzip' };
      expect(
        await refusal(path, bytes(gzipSync(' '.repeat(50 * MEGABYTE).concat(body))), gzip),
      ).toEqual([413, 'BAD_USER_INPUT']);
      expect(await refusal(path, bytes(gzipSync(body.padEnd(MEGABYTE + 1))), gzip)).toEqual([
        413,
        'BAD_USER_INPUT',
      ]);
      for (const [name, sent, encoding] of [
        ['truncated', zipped.subarray(0, -9), 'gzip'],
        ['empty', Buffer.from(''), 'gzip'],
        ['not zipped', Buffer.from(body), 'gzip'],
        ['damaged', damaged, 'gzip'],
        ['zipped twice', gzipSync(zipped), 'gzip'],
      ] as const)
        expect([name, await refusal(path, bytes(sent), { 'content-encoding': encoding })]).toEqual([
          name,
          [400, 'BAD_USER_INPUT'],
        ]);
      for (const encoding of ['br', 'deflate', 'zstd', 'gzip, gzip', 'x'])
        expect([
          encoding,
          await refusal(path, bytes(zipped), { 'content-encoding': encoding }),
        ]).toEqual([encoding, [415, 'BAD_USER_INPUT']]);
      expect(
        (await send(server, path, bytes(gzipSync(body.padEnd(MEGABYTE))), gzip)).status,
      ).toBeLessThan(300);
    },
  );

  test.each(paths)(
    'a megabyte is read by %s, with and without a length; a byte more is refused',
    async (path) => {
      const fits = doors[path].padEnd(MEGABYTE);
      expect((await send(server, path, fits)).status).toBeLessThan(300);
      expect(await refusal(path, `${fits} `)).toEqual([413, 'BAD_USER_INPUT']);
      for (const [length, expected] of [
        [fits.length, true],
        [fits.length + 1, false],
        [20 * MEGABYTE, false],
      ] as const) {
        const answer = await chunked(path, doors[path].padEnd(length));
        if (expected) expect(answer?.status).toBeLessThan(300);
        else if (answer)
          expect([answer.status, codeOf(answer.body)]).toEqual([413, 'BAD_USER_INPUT']);
      }
      // A length that is only claimed.
      expect(
        statuses(
          await raw([head(path, [`Content-Length: ${8 * MEGABYTE}`]), 'x'.repeat(2 * MEGABYTE)]),
        ),
      ).toEqual([413]);
      await alive();
    },
  );

  test('a client that goes away in the middle of its body leaves nothing behind', async () => {
    const username = 'gone';
    const body = JSON.stringify({ code: 'AUTH-001', username });
    for (const path of paths)
      await raw([head(path, [`Content-Length: ${body.length}`]), body.slice(0, -1)], 50);
    await alive();
    expect(await server.database.sql`SELECT FROM events WHERE username = ${username}`).toHaveLength(
      0,
    );
  });
});

describe('requests', () => {
  test('methods that a door does not know are 405 with a code; HEAD has none to carry', async () => {
    for (const path of paths)
      for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'PROPFIND']) {
        const response = await fetch(server.url + path, { method });
        const text = await response.text();
        expect([path, method, response.status]).toEqual([path, method, 405]);
        if (method !== 'HEAD') expect(codeOf(JSON.parse(text))).toBe('BAD_USER_INPUT');
      }
  });

  test('no other site is let in: no answer carries CORS headers, a preflight least of all', async () => {
    for (const path of paths)
      for (const method of ['OPTIONS', 'POST', 'GET']) {
        const response = await fetch(server.url + path, {
          method,
          headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
        });
        await response.body?.cancel();
        expect(
          [...response.headers.keys()].filter((name) => name.startsWith('access-control')),
        ).toEqual([]);
      }
  });

  test('a mutation in the address is refused, and a question there whose JSON is broken', async () => {
    const ask = async (search: Record<string, string>) => {
      const response = await fetch(
        `${server.url}/graphql?${new URLSearchParams(search).toString()}`,
        {
          headers: { authorization: `Bearer ${ADMIN_KEY}` },
        },
      );
      const body = (await response.json()) as { data?: unknown };
      return [response.status, body.data ?? codeOf(body)];
    };
    expect(await ask({ query: LOG })).toEqual([405, 'BAD_USER_INPUT']);
    expect(
      await ask({
        query: 'query A($a: Boolean!) { __typename @include(if: $a) }',
        variables: '{"a":true}',
      }),
    ).toEqual([200, { __typename: 'Query' }]);
    for (const search of [
      { variables: 'x' },
      { variables: '[' },
      { extensions: '{' },
      { variables: '"x"' },
      { variables: '[1]' },
    ])
      expect(await ask({ query: '{ __typename }', ...search })).toEqual([400, 'BAD_USER_INPUT']);
    const rows = await server.database.sql`SELECT FROM events WHERE username = 'intruder'`;
    expect(rows).toHaveLength(0);
  });

  test('what is not UTF-8 in an address is refused, and a lone % is itself', async () => {
    const get = async (path: string) => {
      const response = await fetch(server.url + path, {
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
      });
      return [response.status, await response.text()];
    };
    const query = (id: string) => `/graphql?query={event(eventId:"${id}"){eventId}}`;
    for (const path of [query('%FF'), query('%ED%A0%80'), '/api/export?purpose=audit%FFx'])
      expect(await get(path)).toEqual([400, expect.stringMatching(/not UTF-8.*BAD_USER_INPUT|BAD_USER_INPUT.*not UTF-8/)]); // oxfmt-ignore
    for (const path of [query('%C3%A9'), query('100%'), '/api/export?purpose=100%'])
      expect((await get(path))[0]).toBe(200);
  });

  test('a mutation whose answer the client would not take is not executed', async () => {
    for (const accept of [
      'text/html',
      'image/png',
      'application/xml;q=0.9',
      'application/jsonp',
      '',
    ])
      expect([
        accept,
        await refusal('/graphql', JSON.stringify({ query: LOG }), { accept }),
      ]).toEqual([accept, [406, 'BAD_USER_INPUT']]);
    expect(await server.database.sql`SELECT FROM events WHERE username = 'intruder'`).toHaveLength(
      0,
    );
  });

  test('absurd addresses are 404 with a code', async () => {
    for (const path of [
      '//',
      '//evil/graphql',
      '/graphql/',
      '/graphql%00',
      '/%',
      '/%2567raphql',
      '/../../etc/passwd',
      '/GRAPHQL',
      '/graphql;a=b',
      '/api//events',
      '*',
      '/constructor',
      '/__proto__',
      `/${'a'.repeat(8_000)}`,
      '/\xff\xfe',
      '/a:b@c',
      'http://[/graphql',
    ]) {
      const received = await raw([`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`]);
      expect([path, statuses(received)[0]]).toEqual([
        path,
        received.includes('400 Bad Request') ? 400 : 404,
      ]);
      if (!received.includes('400 Bad Request')) expect(received).toContain('BAD_USER_INPUT');
    }
    // The form that proxies use.
    const absolute = await raw([
      `GET http://elsewhere/graphql?query=%7B__typename%7D HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    ]);
    expect(absolute).toContain('{"data":{"__typename":"Query"}}');
  });

  test('what is no HTTP is cut with a status, and headers have a bound', async () => {
    const body = doors['/api/events'];
    for (const [expected, ...parts] of [
      [[400], 'nonsense\r\n\r\n'],
      [[400], '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'], // TLS
      [[400], head('/api/events', ['Transfer-Encoding: chunked']), 'zz\r\n{}\r\n0\r\n\r\n'],
      [
        [400],
        head('/api/events', ['Transfer-Encoding: chunked', 'Content-Length: 2']),
        '2\r\n{}\r\n0\r\n\r\n',
      ],
      [[400], head('/api/events', ['Content-Length: 2', 'Content-Length: 3']), '{}'],
      [[400], head('/api/events', ['Content-Length: -1']), '{}'],
      [[400], head('/api/events', ['Bad Header : x']), ''],
      [[431], head('/api/events', [`X-Large: ${'x'.repeat(100_000)}`]), ''],
      [
        [431],
        head(
          '/api/events',
          Array.from({ length: 5_000 }, (_, index) => `X-${index}: x`),
        ),
        '',
      ],
      [[417], head('/api/events', ['Expect: miracles', `Content-Length: ${body.length}`]), body],
      [
        [100, 201],
        head('/api/events', [
          'Expect: 100-continue',
          `Content-Length: ${body.length}`,
          'Connection: close',
        ]),
        body,
      ],
    ] as const)
      expect([parts[0].slice(0, 400), statuses(await raw(parts))]).toEqual([
        parts[0].slice(0, 400),
        expected,
      ]);
    await alive();
  });

  test('of a header that comes twice, the key counts once', async () => {
    const body = doors['/api/events'];
    const twice = (first: string, second: string) =>
      raw([
        [
          'POST /api/events HTTP/1.1',
          'Host: x',
          `Authorization: ${first}`,
          `Authorization: ${second}`,
          'Content-Type: application/json',
          'Content-Type: text/plain',
          `Content-Length: ${body.length}`,
          'Connection: close',
          '',
          body,
        ].join('\r\n'),
      ]);
    expect(statuses(await twice(`Bearer ${ADMIN_KEY}`, 'Bearer wrong'))).toEqual([201]);
    expect(statuses(await twice('Bearer wrong', `Bearer ${ADMIN_KEY}`))).toEqual([401]);
  });

  test('pipelined requests are answered each, in their order', async () => {
    const requests = Array.from({ length: 30 }, (_, index) => {
      const body =
        index % 3 === 0 ? '{' : JSON.stringify({ code: 'AUTH-001', event_id: `pipe-${index}` });
      return head('/api/events', [`Content-Length: ${body.length}`]) + body;
    });
    const received = await raw(requests, 3_000);
    expect(statuses(received)).toEqual(requests.map((_, index) => (index % 3 === 0 ? 400 : 201)));
    expect(
      [...received.matchAll(/"event_id":"pipe-(\d+)"/g)].map(([, index]) => Number(index)),
    ).toEqual(requests.flatMap((_, index) => (index % 3 === 0 ? [] : [index])));
  });
});

describe('B8', () => {
  test(
    'slow headers and slow bodies are cut with 408, and others are served meanwhile',
    { timeout: 60_000 },
    async () => {
      const slow = async (
        start: string,
        drop: string,
      ): Promise<{ seconds: number; status: number | undefined }> => {
        const socket = await open();
        const since = Date.now();
        let received = '';
        socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
        socket.write(start);
        const drip = setInterval(() => socket.write(drop), 250);
        await new Promise((resolve) => void socket.once('close', resolve));
        clearInterval(drip);
        return { seconds: (Date.now() - since) / 1000, status: statuses(received)[0] };
      };
      const slowHeaders = Array.from({ length: 100 }, () =>
        slow('POST /api/events HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n'),
      );
      const slowBodies = paths.flatMap((path) =>
        Array.from({ length: 50 }, () => slow(head(path, ['Content-Length: 1000000']), ' ')),
      );
      let worst = 0;
      const others = setInterval(() => {
        const since = Date.now();
        void alive().then(() => (worst = Math.max(worst, Date.now() - since)));
      }, 500);
      for (const { seconds, status } of await Promise.all(slowHeaders)) {
        expect(status).toBe(408);
        expect(seconds).toBeLessThan(10);
      }
      for (const { seconds, status } of await Promise.all(slowBodies)) {
        expect(status).toBe(408);
        expect(seconds).toBeLessThan(26);
      }
      clearInterval(others);
      expect(worst).toBeGreaterThan(0);
      expect(worst).toBeLessThan(2_000);
    },
  );
});
