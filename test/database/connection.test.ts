import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connect } from '../../src/database/connection.ts';
import { locked, testDatabase } from '../support/database.ts';

test('a query that fails between two rows leaves no holes in the results after it', async () => {
  const database = await testDatabase();
  const sql = connect({ url: database.url }, { name: 'test', max: 1 });
  await expect(sql`SELECT 1 / (4 - i) FROM generate_series(1, 10) AS i`).rejects.toThrow(
    'division by zero',
  );
  const rows = await sql<{ i: number }[]>`SELECT i FROM generate_series(1, 5) AS i`;
  expect([rows.length, rows.map(({ i }) => i)]).toEqual([5, [1, 2, 3, 4, 5]]);
  expect(rows.count).toBe(5);
  await sql.end();
});

test('a URL may name the directory of a Unix socket, in either way that libpq knows', async () => {
  const { url } = await testDatabase();
  const { username, password, hostname, port, pathname } = new URL(url);
  const host = decodeURIComponent(hostname);
  const byParameter = `postgres://${username}:${password}@/${pathname.slice(1)}?host=${encodeURIComponent(host)}&port=${port}`;
  for (const each of [url, byParameter]) {
    const sql = connect({ url: each }, { name: 'test', max: 1 });
    expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
    await sql.end();
  }
});

test('a quick question does not wait behind a heavy one while another connection is free', async () => {
  const { url } = await testDatabase();
  const sql = connect({ url }, { name: 'test', max: 2 });
  const quick = async (): Promise<void> => void (await sql.unsafe('SELECT $1::int', [1]));
  await Promise.all([quick(), quick()]);
  const heavy = sql.unsafe('SELECT pg_sleep(4)').execute();
  const begun = performance.now();
  await Promise.all(Array.from({ length: 20 }, quick));
  expect(performance.now() - begun).toBeLessThan(2_000);
  await heavy;
  await sql.end();
});

test('lists are lists, whatever was locked or cancelled while it connected', async () => {
  const database = await testDatabase();
  const { release } = await locked(database.sql, 'pg_catalog.pg_type');
  const sql = connect({ url: database.url }, { name: 'test', max: 1, lockTimeoutMs: 300 });
  await sql.unsafe('SELECT 1').catch(() => {});
  await sleep(500);
  await release();
  const texts = ['a', 'b "c"', String.raw`d\e`, '{f,g}', '', 'NULL', ' h ', '🙂\n'];
  const times = ['2026-11-27T02:25:36.000Z', '2026-11-27T02:25:36.123456Z'];
  const [row] = await sql`
    SELECT ${texts}::text[] AS texts, ${[1, -2]}::int[] AS numbers, ${[9_007_199_254_740_991]}::bigint[] AS large, ARRAY[true, false] AS truths,
           ${times}::timestamptz[] AS times, ${[]}::text[] AS none, ${[null, 'x']}::text[] AS some, ARRAY['{"a":[1]}'::jsonb] AS json,
           ${sql.array(texts)} AS told, ${sql.array([1.5, 2], 701)} AS floats, ARRAY[['a','b'],['c','d']] AS nested, ${['::1', '10.0.0.0/8']}::inet[] AS places,
           'a' = ANY (${texts}) AS found`;
  expect(row).toEqual({
    texts, numbers: [1, -2], large: [9_007_199_254_740_991], truths: [true, false], times, none: [], some: [null, 'x'], json: [{ a: [1] }],
    told: texts, floats: [1.5, 2], nested: [['a', 'b'], ['c', 'd']], places: ['::1', '10.0.0.0/8'], found: true,
  }); // oxfmt-ignore
  await sql.end();
});

test('what is asked again is prepared, and what is asked once takes no place of it', async () => {
  const { url } = await testDatabase();
  const sql = connect({ url }, { name: 'test', max: 1, keepsPlans: true });
  for (let once = 0; once < 300; once++) await sql.unsafe(`SELECT ${once} AS once`);
  for (let time = 0; time < 3; time++) await sql.unsafe('SELECT $1::int AS again', [time]);
  expect(await sql`SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%AS once' OR statement LIKE '%AS again'`).toEqual([{ statement: 'SELECT $1::int AS again' }]); // oxfmt-ignore
  await sql.end();
});
