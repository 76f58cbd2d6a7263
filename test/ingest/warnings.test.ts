// What was found and done before an event was rejected is told with the reason, on both doors.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sent, asColumns, nameOf } from '../hostile/oracle.ts';
import { type TestServer, createTestServer, testServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const LOG_EVENTS = `mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results {
  outcome rejectionCode warnings { field } } } }`;

const secret = { metadata: { password: 'rahasia-123' } };
const bad = 'bukan-alamat';

test.each<[code: string, fields: string[], event: object]>([
  ['MISSING_VALUE', ['metadata', 'ipAddress'], { name: 'Nobody knows', ipAddress: bad, ...secret }],
  ['INVALID_ID', ['metadata'], { code: 'AUTH-001', eventId: '', ...secret }],
  ['EXPIRED', ['ipAddress'], { code: 'AUTH-001', timestamp: '2020-01-01T00:00:00Z', ipAddress: bad }],
  ['TOO_LARGE', ['ipAddress'], { code: 'AUTH-001', requestData: 'x'.repeat(33_000), ipAddress: bad }],
])('of one that is %s', async (code, names, event) => {
  const { data } = await server.graphql(LOG_EVENTS, { input: [event] });
  const warnings = names.map((field) => ({ field }));
  expect(data.logEvents.results).toEqual([{ outcome: 'REJECTED', rejectionCode: code, warnings }]);
  const { body } = await server.rest(asColumns(event as Sent));
  expect(body).toMatchObject({ code });
  expect(body.warnings.map(({ field }: { field: string }) => nameOf(field))).toEqual(names);
}); // oxfmt-ignore

test('of what is no event, from which a secret was taken', async () => {
  const { body } = await server.rest('"password=rahasia-123"');
  expect(body).toMatchObject({ code: 'MISSING_VALUE', warnings: [{ field: 'event' }] });
});

test('of an event that the key may not log', async () => {
  const { data } = await server.graphql('mutation { createApiKey(name: "k", scopes: [EVENTS_WRITE], narrowing: { category: [DATA] }) { key } }'); // oxfmt-ignore
  const { body } = await server.rest({ code: 'AUTH-001', ip_address: bad, ...secret }, data.createApiKey.key); // oxfmt-ignore
  expect(body).toMatchObject({ code: 'FORBIDDEN', warnings: [{ field: 'metadata' }, { field: 'ip_address' }] }); // oxfmt-ignore
});

test('of a conflict, and of one that has expired since it was stored', async () => {
  const event = { code: 'AUTH-001', event_id: 'taken', ip_address: bad, ...secret };
  const warnings = [{ field: 'metadata' }, { field: 'ip_address' }];
  await server.rest({ code: 'AUTH-001', event_id: 'taken' });
  expect((await server.rest(event)).body).toMatchObject({ code: 'CONFLICT', warnings });
  await server.database.sql`UPDATE events SET "timestamp" = "timestamp" - interval '31 days' WHERE event_id = 'taken'`; // oxfmt-ignore
  expect((await server.rest(event)).body).toMatchObject({
    code: 'EXPIRED',
    reason: expect.stringContaining('`event_id` taken'),
    warnings,
  });
});

test('of what the database refuses', async () => {
  const own = await testServer();
  await own.database.sql`ALTER TABLE events ADD CHECK (username <> 'racun')`;
  const { body } = await own.rest([
    { code: 'AUTH-001', username: 'racun', ip_address: bad },
    { code: 'AUTH-001', username: 'guru01' },
  ]);
  expect(body.results).toMatchObject([
    { code: 'UNSTORABLE', warnings: [{ field: 'ip_address' }] },
    { outcome: 'STORED', warnings: [] },
  ]);
});

test('of a page in a browser, what it claimed', async () => {
  const origin = 'https://portal.sekolah.id';
  const { data } = await server.graphql(`mutation { createBrowserKey(name: "portal", origins: ["${origin}"], codes: ["AUTH-001"]) { key } }`); // oxfmt-ignore
  const event = { code: 'AUTH-001', username: 'guru01', timestamp: '2020-01-01T00:00:00Z' };
  const { body } = await server.rest(event, data.createBrowserKey.key, { origin });
  expect(body).toMatchObject({ code: 'EXPIRED', warnings: [{ field: 'username' }] });
});

test('of very many the first hundred', async () => {
  const odd = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`odd ${index}`, 1]));
  expect((await server.rest(odd)).body.warnings).toHaveLength(100);
});
