// What leaves in bulk: whole, exact, resumable, harmless to spreadsheets, and told in the log.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOOK_AT_CREDENTIALS_MS } from '../../src/access/authenticate.ts';
import { createTestLog } from '../support/log.ts';
import { fieldNames, fields } from '../../src/events/fields.ts';
import { ADMIN_KEY, type TestServer, createTestServer, testServer } from '../support/server.ts';

const EVENTS = 2_345; // more than two pages
let server: TestServer;

beforeAll(async () => {
  server = await createTestServer();
  const begin = Date.now() - 3_600_000;
  const inputs = Array.from({ length: EVENTS }, (_, index) => ({
    eventId: `export-${index}`,
    code: index % 2 === 0 ? 'AUTH-001' : 'DATA-004',
    username: ['budi', '=1+1', '@SUM(A1)', '-2', '+3', '\tsiti'][index % 6],
    description: index % 3 === 0 ? 'Satu,"dua"\r\ntiga' : null,
    responseData: index % 5 === 0 ? { nested: { list: [1, 'dua', null] } } : null,
    tags: index % 7 === 0 ? ['ujian', 'a,b'] : null,
    processingTimeMs: index,
    timestamp: new Date(begin + (index * 7919) % 1_000_000).toISOString().replace('Z', '123Z'), // oxfmt-ignore
  }));
  for (let from = 0; from < EVENTS; from += 500) {
    const { data } = await server.graphql(
      'mutation ($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }',
      { input: inputs.slice(from, from + 500) },
    );
    if (data.logEvents.stored === 0) throw new Error('Nothing was stored');
  }
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

const fetchExport = (parameters: Record<string, string> | string = {}, init: RequestInit = {}) =>
  fetch(`${server.url}/api/export?${new URLSearchParams(parameters)}`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    ...init,
  });
const mine = JSON.stringify({ code: ['AUTH-001', 'DATA-004'] });
const linesOf = (body: string): any[] => body.trimEnd().split('\n').map((line) => JSON.parse(line)); // oxfmt-ignore

const inTable = async (): Promise<any[]> =>
  server.database.sql`SELECT to_jsonb(events) - 'timestamp' AS row, timestamp FROM events
    WHERE code IN ('AUTH-001', 'DATA-004') ORDER BY timestamp, id`;

test('every event that matches leaves once, in the order of time, in each format alike', async () => {
  const lines = linesOf(await (await fetchExport({ filter: mine })).text());
  const table = await inTable();
  expect(lines).toHaveLength(EVENTS);
  expect(lines.map(({ event_id }) => event_id)).toEqual(table.map(({ row }) => row.event_id));
  for (const [index, { cursor, timestamp, created_at, updated_at, ...line }] of lines.entries()) {
    const { created_at: _c, updated_at: _u, ...row } = table[index].row;
    expect(line).toEqual(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))); // oxfmt-ignore
    expect(timestamp).toBe(table[index].timestamp.replace('Z', '+00:00'));
    expect([cursor, created_at, updated_at].every((value) => typeof value === 'string')).toBe(true);
  }

  const buffer = await (await fetchExport({ filter: mine, format: 'parquet' })).arrayBuffer();
  const rows: any[] = await parquetReadObjects({ file: buffer, utf8: true });
  expect(rows).toHaveLength(EVENTS);
  expect(Object.keys(rows[0])).toEqual([...fieldNames.map((name) => fields[name].column), 'cursor']); // oxfmt-ignore
  for (const [index, row] of rows.entries()) {
    const line = lines[index];
    expect(Number(row.id)).toBe(line.id);
    expect(row.username ?? undefined).toBe(line.username);
    expect(row.response_data ?? undefined).toEqual(line.response_data);
    expect(row.tags ?? undefined).toEqual(line.tags);
    expect(row.timestamp.toISOString().slice(0, 23)).toBe(line.timestamp.slice(0, 23));
    expect(row.cursor).toBe(line.cursor);
  }

  const csv = parse(await (await fetchExport({ filter: mine, format: 'csv' })).text(), {
    columns: true,
  }) as Record<string, string>[];
  expect(csv.map(({ cursor }) => cursor)).toEqual(lines.map(({ cursor }) => cursor));
  expect(csv.map(({ description }) => description || undefined)).toEqual(lines.map(({ description }) => description)); // oxfmt-ignore
  expect(csv.map(({ tags }) => (tags ? JSON.parse(tags) : undefined))).toEqual(lines.map(({ tags }) => tags)); // oxfmt-ignore
});

test('S3: no cell of a CSV is a formula', async () => {
  const body = await (await fetchExport({ filter: mine, format: 'csv' })).text();
  const cells = parse<{ username: string }>(body, { columns: true }).map(({ username }) => username); // oxfmt-ignore
  expect(new Set(cells)).toEqual(new Set(['budi', "'=1+1", "'@SUM(A1)", "'-2", "'+3", "'\tsiti"]));
});

test('a CSV is read alike by who ends a row at any line end that is not quoted', async () => {
  const own = await testServer();
  const descriptions = [
    'satu\ndua',
    'satu\rdua',
    'satu\r\ndua',
    '\n',
    '\r',
    '\n"satu"',
    'dua, tiga\r',
    'satu',
  ];
  await own.rest(descriptions.map((description) => ({ code: 'AUTH-001', description })));
  const response = await fetch(`${own.url}/api/export?format=csv&filter=${encodeURIComponent('{"code":["AUTH-001"]}')}`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } }); // oxfmt-ignore
  const body = await response.text();
  const rows = parse<{ event_description: string; cursor: string }>(body, { columns: true, record_delimiter: ['\r\n', '\n', '\r'] }); // oxfmt-ignore
  expect(new Set(rows.map((row) => row.event_description))).toEqual(new Set(descriptions.map((text) => (text.startsWith('\r') ? `'${text}` : text)))); // oxfmt-ignore
  const field = '(?:"(?:[^"]|"")*"|[^",\\r\\n]*)'; // of RFC 4180
  expect(body).toMatch(new RegExp(`^(?:${field}(?:,${field}){${Object.keys(rows[0]!).length - 1}}\\r\\n){${rows.length + 1}}$`)); // oxfmt-ignore
});

test('times are those of the zone that is asked for, to the microsecond, and it is stated', async () => {
  const response = await fetchExport({ filter: mine, timeZone: 'Asia/Jakarta' });
  expect(response.headers.get('jejak-time-zone')).toBe('Asia/Jakarta');
  const [line] = linesOf(await response.text());
  expect(line.timestamp).toMatch(/\.\d{3}123\+07:00$/);
  const [{ timestamp }] = await inTable();
  expect(Date.parse(line.timestamp)).toBe(Date.parse(timestamp));
});

test('an export that was cut goes on after the cursor of the last whole line', async () => {
  const whole = await (await fetchExport({ filter: mine })).text();
  const kept = whole.slice(0, whole.indexOf('\n', whole.length >> 1) + 1);
  const rest = await fetchExport({ filter: mine, after: linesOf(kept).at(-1).cursor });
  expect(kept + (await rest.text())).toBe(whole);
  const rows = linesOf(whole);
  const csv = await (await fetchExport({ filter: mine, format: 'csv', after: rows[1_999].cursor })).text(); // oxfmt-ignore
  expect(parse(csv).map((row) => row.at(-1))).toEqual(rows.slice(2_000).map(({ cursor }) => cursor)); // oxfmt-ignore
});

test.each([
  ['in the address', 'ujian nasional', {}, { purpose: 'ujian nasional' }],
  ['in a header', 'ujian sekolah', { 'jejak-purpose': 'ujian sekolah' }, {}],
] as const)(
  'who exports, what and why (%s) is in the log before the first event leaves, and how it ended after the last',
  async (_, why, header, parameter) => {
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, ...header };
    await (await fetchExport({ filter: JSON.stringify({ code: ['DATA-004'] }), ...parameter }, { headers })).text(); // oxfmt-ignore
    const read = () =>
      server.database
        .sql`SELECT status, resource_id, request_data, response_data, metadata, username FROM events
      WHERE code = 'DATA-012' AND metadata ->> 'purpose' = ${why} ORDER BY id`;
    await expect.poll(async () => (await read()).length).toBe(2);
    const [started, ended] = await read();
    expect(started).toMatchObject({
      status: 'STARTED',
      username: 'administrator',
      request_data: { format: 'ndjson', filter: { code: ['DATA-004'] } },
    });
    expect(ended).toMatchObject({
      status: 'SUCCESS',
      resource_id: started!['resource_id'],
      response_data: { record_count: Math.floor(EVENTS / 2) },
    });
  },
);

test('an export whose client leaves is recorded as failed and holds nothing', async () => {
  for (let time = 0; time < 6; time++) {
    await new Promise<void>((resolve) => {
      const asking = request(
        `${server.url}/api/export?purpose=pergi`,
        { headers: { authorization: `Bearer ${ADMIN_KEY}` } },
        (response) => response.once('data', () => asking.destroy()).on('close', resolve),
      );
      asking.on('error', () => {}).end();
    });
    await expect
      .poll(
        async () =>
          server.database
            .sql`SELECT FROM events WHERE code = 'DATA-012' AND metadata ->> 'purpose' = 'pergi' AND status = 'FAILED'`,
        { timeout: 5_000 },
      )
      .toHaveLength(time + 1);
  }
});

test('a key that is revoked takes nothing more of an export that is under way', async () => {
  const own = await testServer();
  using log = createTestLog(own.database.sql);
  const metadata = { filling: 'x'.repeat(16_000) }; // 48 MB: more than lies in the sockets between
  for (let call = 0; call < 6; call++)
    await log(Array.from({ length: 500 }, () => ({ code: 'AUTH-001', metadata })));
  const { data } = await own.graphql('mutation { createApiKey(name: "k", scopes: [EVENTS_READ, EVENTS_READ_PERSONAL, EVENTS_EXPORT]) { key apiKey { id } } }'); // oxfmt-ignore
  const { key, apiKey } = data.createApiKey;
  const asking = request(`${own.url}/api/export`, { headers: { authorization: `Bearer ${key}` } }).end(); // oxfmt-ignore
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  await own.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { id } }', { id: apiKey.id });
  await sleep(LOOK_AT_CREDENTIALS_MS);
  await expect(response.toArray()).rejects.toThrow('aborted');
  const ended = () => own.database.sql`SELECT FROM events WHERE code = 'DATA-012' AND status = 'FAILED'`; // oxfmt-ignore
  await expect.poll(ended).toHaveLength(1);
}, 60_000);

test('who takes exports slowly keeps nobody else from one', async () => {
  const own = await testServer();
  using log = createTestLog(own.database.sql);
  const metadata = { filling: 'x'.repeat(16_000) }; // 16 MB each, which the sockets between do not hold
  for (let call = 0; call < 2; call++)
    await log(Array.from({ length: 500 }, () => ({ code: 'AUTH-001', metadata })));
  const { data } = await own.graphql('mutation { createApiKey(name: "slow", scopes: [EVENTS_READ, EVENTS_EXPORT]) { key } }'); // oxfmt-ignore
  const ask = async (key = ADMIN_KEY): Promise<IncomingMessage> =>
    (await once(request(`${own.url}/api/export`, { headers: { authorization: `Bearer ${key}` } }).end(), 'response'))[0]; // oxfmt-ignore
  const slow = [await ask(data.createApiKey.key), await ask(data.createApiKey.key)];
  const more = await ask(data.createApiKey.key);
  expect([more.statusCode, more.headers['retry-after']]).toEqual([503, '5']);
  expect(JSON.parse((await more.toArray()).join(''))).toMatchObject({ error: { code: 'OVERLOADED' } }); // oxfmt-ignore
  const others = await ask();
  expect(others.statusCode).toBe(200);
  for (const each of [...slow, others]) each.destroy();
  await expect.poll(async () => (await ask(data.createApiKey.key)).destroy().statusCode, { timeout: 10_000 }).toBe(200); // oxfmt-ignore
}, 60_000);

test.each([
  ['gzip', 'gzip'],
  ['br, gzip;q=0.5', 'gzip'],
  ['br, gzip;q=0', null],
  ['identity, gzip; q=0.0, br', null],
])('is sent to who accepts %j as %j', async (accepted, encoding) => {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'accept-encoding': accepted };
  const response = await fetchExport({ filter: mine }, { headers });
  expect(response.headers.get('content-encoding')).toBe(encoding);
  await response.body!.cancel();
});

test('an estimate comes before the events, exact where they are few', async () => {
  await server.database.sql`ANALYZE events`;
  const estimated = async (filter: string) => {
    const response = await fetchExport({ filter, estimate: 'yes' });
    await response.text();
    return Number(response.headers.get('jejak-estimated-events'));
  };
  expect(await estimated('{"username":["budi"],"code":["AUTH-001"]}')).toBe(Math.ceil(EVENTS / 6));
  const many = await estimated(mine);
  expect(many).toBeGreaterThan(EVENTS / 2);
  expect(many).toBeLessThan(EVENTS * 2);
});

test.each([
  ['format=xlsx', 'BAD_USER_INPUT', 'format'],
  ['filter={"kode":["AUTH-001"]}', 'BAD_USER_INPUT', 'filter'],
  ['filter=5', 'BAD_USER_INPUT', '`filter`: Expected '],
  ['filter={"code":["AUTH-001","x"]}', 'BAD_USER_INPUT', '`filter.code[1]`: "x" is no EventCode: '],
  ['filter={"or":[{"range":{"last":"24h"}}]}', 'BAD_USER_INPUT', '`filter.or[0].range.last`: "24h" is no Duration: '],
  ['filter={"severity":["LOUD"]}', 'BAD_USER_INPUT', '`filter.severity[0]`: Value "LOUD" does not exist'],
  ['filter={', 'BAD_USER_INPUT', '`filter` is not JSON'],
  ['filter={"ipAddress":["300.1.1.1"]}', 'BAD_USER_INPUT', '300.1.1.1'],
  ['timeZone=Mars/Olympus', 'BAD_USER_INPUT', '`timeZone`: "Mars/Olympus" is no TimeZone: '],
  ['after=nowhere', 'CURSOR_INVALID', 'use `cursor` of an edge or a row'],
  ['page=2', 'BAD_USER_INPUT', 'page'],
  ['filter={"or":[{"json":[{"field":"METADATA","path":"password","equals":"hunter2"}]}]}', 'BAD_USER_INPUT', '`password` is not stored as it is'],
  ['format=csv&filter={}&format=ndjson', 'BAD_USER_INPUT', '`format` is given twice'],
])('%s is refused with %s before anything leaves', async (parameters, code, why) => {
  const response = await fetchExport(parameters);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code, message: expect.stringContaining(why) } }); // oxfmt-ignore
}); // oxfmt-ignore

test('only those with the scope events:export may, and only by asking', async () => {
  const { data } = await server.graphql(
    'mutation { createApiKey(name: "pembaca", scopes: [EVENTS_READ]) { key } }',
  );
  const response = await fetchExport({}, { headers: { authorization: `Bearer ${data.createApiKey.key}` } }); // oxfmt-ignore
  expect(response.status).toBe(403);
  expect((await fetchExport({}, { headers: {} })).status).toBe(401);
  expect((await fetchExport({}, { method: 'POST', headers: { authorization: `Bearer ${ADMIN_KEY}` } })).status).toBe(405); // oxfmt-ignore
});

test('while what is large is written out, others are served', async () => {
  const own = await testServer();
  using log = createTestLog(own.database.sql);
  const requestData = { text: '"'.repeat(14_000) };
  for (let call = 0; call < 10; call++)
    await log(Array.from({ length: 100 }, () => ({ code: 'SYS-001', requestData })));
  const { key } = (await own.graphql('mutation { createApiKey(name: "k", scopes: [EVENTS_READ, EVENTS_EXPORT]) { key } }')).data.createApiKey; // oxfmt-ignore
  let done = false;
  const exporting =
    fetch(`${own.url}/api/export?format=csv`, { headers: { authorization: `Bearer ${key}` } }) // oxfmt-ignore
      .then((response) => response.text())
      .finally(() => (done = true));
  let longest = 0;
  while (!done) {
    const begun = performance.now();
    await fetch(`${own.url}/healthz`);
    longest = Math.max(longest, performance.now() - begun);
  }
  expect((await exporting).length).toBeGreaterThan(28_000_000);
  expect(longest).toBeLessThan(1_500);
});
