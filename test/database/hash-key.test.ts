// All servers of a database hash sessions with one key, and another is refused.

import { expect, test } from 'vitest';
import { agreeOnHashKey } from '../../src/database/hash-key.ts';
import { createLogger } from '../../src/logger.ts';
import { startService } from '../../src/service.ts';
import { testDatabase } from '../support/database.ts';
import { testConfig, testServer } from '../support/server.ts';

const GIVEN = 'a key that the operator keeps';

test('S2: a key is made once, whichever of several servers comes first, and kept', async () => {
  const { sql } = await testDatabase();
  const keys = await Promise.all(Array.from({ length: 5 }, () => agreeOnHashKey(sql, undefined)));
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
  expect(keys[0]).toHaveLength(32);
  await expect(agreeOnHashKey(sql, GIVEN)).rejects.toThrow('leave it out, the key is in the database'); // oxfmt-ignore
});

test('S2: the key of an operator is not in the database, and no other is taken', async () => {
  const { url, sql } = await testDatabase();
  expect(await agreeOnHashKey(sql, GIVEN)).toEqual(Buffer.from(GIVEN));
  expect(await agreeOnHashKey(sql, GIVEN)).toEqual(Buffer.from(GIVEN));
  expect(await sql`SELECT key FROM hash_key`).toEqual([{ key: null }]);
  for (const other of [undefined, 'another key of sixteen'])
    await expect(
      startService(
        testConfig({ DATABASE_URL: url, JEJAK_HASH_KEY: other }),
        createLogger('silent'),
      ),
    ).rejects.toThrow('set ');
});

test('S2: a session is found by what was sent and by what is stored, in queries and in subscriptions', async () => {
  const server = await testServer();
  await using live = server.subscribe(
    'subscription { eventLogged(filter: {sessionId: ["raw session 1"]}) { event { name sessionId } } }',
  );
  await expect
    .poll(async () => {
      await server.rest({ code: 'AUTH-003', session_id: 'raw session 1' });
      return live.waiting().length;
    })
    .toBeGreaterThan(0);
  const { event } = (await live.next()).eventLogged;
  await server.rest({ code: 'AUTH-001', session_id: event.sessionId }); // not the session whose hash it is
  const QUERY = 'query($s: [String!]) { events(filter: {not: {not: {sessionId: $s}}}) { edges { node { name } } } }'; // oxfmt-ignore
  for (const session of ['raw session 1', event.sessionId]) {
    const { data } = await server.graphql(QUERY, { s: [session] });
    const names = data.events.edges.map(({ node }: any) => node.name);
    expect(new Set(names)).toContain('User Logout');
    expect(names.includes('User Login Success')).toBe(session !== 'raw session 1');
  }
});
