// Where the log and the catalog have drifted apart.

import { expect, test } from 'vitest';
import { catalog } from '../../src/events/catalog.ts';
import { testServer } from '../support/server.ts';

const ASK = `query($range: TimeRange) { catalogDrift(range: $range) {
  neverSeen { code } uncatalogued { category type name count latest }
  lowered { definition { code severity } severity count } unknownKeys { definition { code } key count }
} }`;
const KEYS = '{ catalogDrift { unknownKeys { key } } }';

test('what is personal in a name or a key is masked to who may not see it, and keys of the catalog are not', async () => {
  const server = await testServer();
  await server.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', {
    input: [
      { category: 'SYSTEM', type: 'API_REQUEST', name: 'Login budi@sch.id' },
      { code: 'AUTH-002', metadata: { Siti: 1, nama: 'Siti', session_duration: 'x' } },
    ],
  }); // oxfmt-ignore
  const { data } = await server.graphql('mutation { createApiKey(name: "k", scopes: [EVENTS_READ]) { key } }'); // oxfmt-ignore
  const { key } = data.createApiKey;
  const masked = await server.graphql('{ catalogDrift { uncatalogued { name } } }', {}, key);
  expect(masked.data.catalogDrift.uncatalogued[0].name).toMatch(/^Login b\*\*\*i@sch.id$/);
  const { data: keys } = await server.graphql(KEYS, {}, key);
  expect(keys.catalogDrift.unknownKeys.map((each: { key: string }) => each.key).toSorted()).toEqual(['S***i', 'n***a', 'session_duration']); // oxfmt-ignore
  expect(JSON.stringify(await server.graphql(ASK))).toMatch(/budi.*Siti/);
});

test('what the server tells of itself is no drift, and keys as frequent as others are in no order of theirs', async () => {
  const server = await testServer();
  await server.graphql('mutation { setRetention(code: "DATA-004", days: 730) { code } placeHold(name: "h", reason: "r", filter: { userId: [1] }) { id } runRetention { id } }'); // oxfmt-ignore
  expect((await server.graphql(KEYS)).data.catalogDrift.unknownKeys).toEqual([]);
  const keys = Array.from({ length: 12 }, (_, index) => `${'abcdefghijkl'[index]}kunci`);
  await server.graphql('mutation($input: LogEventInput!) { logEvent(input: $input) { outcome } }', { input: { code: 'AUTH-002', metadata: Object.fromEntries(keys.map((key) => [key, 1])) } }); // oxfmt-ignore
  const told = (await server.graphql(KEYS)).data.catalogDrift.unknownKeys.map(
    ({ key }: any) => key,
  );
  expect(told.toSorted()).toEqual(keys);
  expect(told).not.toEqual(keys);
});

test('I4: what is declared and never seen, seen and not declared, or otherwise than declared is told with how often', async () => {
  const server = await testServer();
  const log = (...input: object[]) =>
    server.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', { input }); // oxfmt-ignore
  const drift = async (range?: object) => (await server.graphql(ASK, { range })).data.catalogDrift;
  expect((await drift()).neverSeen).toHaveLength(84);

  const typical = { username: 'guru01', error_reason: 'password' };
  await log(
    { code: 'AUTH-002', metadata: typical },
    { code: 'AUTH-002', severity: 'DEBUG', metadata: { ...typical, colour: 'red' } },
    { code: 'SEC-002', severity: 'CRITICAL', metadata: 'text' },
    { category: 'SYSTEM', type: 'API_REQUEST', name: 'API Request' },
    { category: 'SYSTEM', type: 'API_REQUEST', name: 'API Request' },
    { category: 'DATA', type: 'USER_ACTION', name: 'CREATE STUDENT' },
    { code: 'AUTH-001', timestamp: new Date(Date.now() - 3 * 86_400_000).toISOString() },
  );
  await server.rest([{ code: 'AUTH-002', severity: 'INFO', request_data: { colour: 'red' }, response_data: [1], nonsense: 1 }]); // oxfmt-ignore
  const told = await drift();
  expect(told.neverSeen.map(({ code }: any) => code)).toEqual([...catalog.keys()].filter((code) => code !== 'AUTH-002' && code !== 'SEC-002')); // oxfmt-ignore
  expect(told).toMatchObject({
    uncatalogued: [
      { category: 'SYSTEM', type: 'API_REQUEST', name: 'API Request', count: 2 },
      { category: 'DATA', type: 'USER_ACTION', name: 'CREATE STUDENT', count: 1 },
    ],
    lowered: [
      { definition: { code: 'AUTH-002', severity: 'WARNING' }, severity: 'DEBUG', count: 1 },
      { definition: { code: 'AUTH-002' }, severity: 'INFO', count: 1 },
    ],
    unknownKeys: [{ definition: { code: 'AUTH-002' }, key: 'colour', count: 2 }],
  });
  expect((await drift({ last: 'P7D' })).neverSeen).toHaveLength(81);
  const { errors } = await server.graphql(ASK, { range: { last: 'P32D' } });
  expect(errors?.[0].extensions.code).toBe('TOO_EXPENSIVE');
});
