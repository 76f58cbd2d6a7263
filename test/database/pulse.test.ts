import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connect } from '../../src/database/connection.ts';
import { createPulse } from '../../src/database/pulse.ts';
import { testDatabase } from '../support/database.ts';

test('a process that was too busy to listen does not take the database for silent', async () => {
  const { url } = await testDatabase();
  const sql = connect({ url }, { name: 'pulse', max: 1 });
  using pulse = createPulse(sql);
  await sleep(600);
  const answer = pulse.guard(async () => sql`SELECT 1 AS one`);
  const until = Date.now() + 2_500;
  while (Date.now() < until); // nothing else runs meanwhile
  expect(pulse.beats()).toBe(true);
  expect(await answer).toEqual([{ one: 1 }]);
  await sleep(600);
  expect(pulse.beats()).toBe(true);
  await sql.end();
});
