import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connect, openDatabase } from '../../src/database/connection.ts';
import { createPulse } from '../../src/database/pulse.ts';
import { testDatabase } from '../support/database.ts';
import { proxyTo } from '../support/proxy.ts';

test('a process that was too busy to listen does not take the database for silent', async () => {
  const { url } = await testDatabase();
  const sql = connect({ url }, { name: 'pulse', max: 1 });
  using pulse = createPulse(sql, sql.renew);
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

test('a database that refuses is not a silent one: connections are not renewed for it', async () => {
  const { url } = await testDatabase();
  const missing = new URL(url);
  missing.pathname += '_missing';
  const sql = connect({ url: missing.href }, { name: 'pulse', max: 1 });
  let renewed = 0;
  using pulse = createPulse(sql, () => void renewed++);
  await sleep(7_500);
  expect([pulse.beats(), renewed]).toEqual([false, 0]);
  await sql.end();
}, 15_000);

test('connections that went silent for good are left for fresh ones', async () => {
  const network = await proxyTo(await testDatabase());
  await using database = openDatabase({ url: network.url });
  using pulse = createPulse(database.pulse, database.renew);
  const pools = [database.write, database.read, database.follow, database.pulse];
  await Promise.all(pools.map((pool) => pool`SELECT`));
  network.set('moved');
  await expect.poll(pulse.beats, { timeout: 4_000 }).toBe(false);
  await expect.poll(pulse.beats, { timeout: 12_000 }).toBe(true);
  await Promise.all(pools.map((pool) => pool`SELECT`));
}, 60_000);
