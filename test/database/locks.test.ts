import { expect, test } from 'vitest';
import * as locks from '../../src/database/locks.ts';
import { testDatabase } from '../support/database.ts';

test('the locks that functions of the database take are those that servers know, each its own', async () => {
  const { sql } = await testDatabase();
  const taken = await sql`
    SELECT proname AS name, substring(prosrc FROM 'advisory_xact_lock\\((\\d+)\\)')::int AS key
    FROM pg_proc WHERE prosrc LIKE '%advisory%' AND pronamespace = 'public'::regnamespace ORDER BY 1`;
  const { partitions, ticket } = locks;
  expect(taken.map(({ name, key }) => [name, key])).toEqual([
    ['create_event_partition', partitions],
    ['take_ticket', ticket],
  ]);
  expect(new Set(Object.values(locks)).size).toBe(Object.keys(locks).length);
});
