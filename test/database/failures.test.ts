// What callers hear of statements that failed.

import { expect, test } from 'vitest';
import { connect } from '../../src/database/connection.ts';
import { refusalOf } from '../../src/database/failures.ts';
import { testDatabase } from '../support/database.ts';

test.each([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'ECONNREFUSED',
  '25006',
  '53300',
  '57P01',
  '08006',
])('B1: %s is a database that cannot be reached now', (code) => {
  const error = Object.assign(new Error(code), { code });
  expect(refusalOf(error)).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 }); // oxfmt-ignore
});

test('PostgreSQL without memory is to be tried again, and says what to raise', () => {
  const error = Object.assign(new Error('out of shared memory'), { code: '53200' });
  expect(refusalOf(error)).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('max_locks_per_transaction'),
    retryAfterMs: 1_000,
  });
});

test('a statement that was cancelled by hand is to be tried again', async () => {
  const { url } = await testDatabase();
  const sql = connect({ url }, { name: 'test', max: 2 });
  const [{ pid }] = await sql<[{ pid: number }]>`SELECT pg_backend_pid() AS pid`;
  const asked = sql`SELECT pg_sleep(20), ${pid}::int`.catch((cause: unknown) => cause);
  await sql`SELECT pg_cancel_backend(pid) FROM pg_stat_activity, pg_sleep(0.5) WHERE query LIKE 'SELECT pg_sleep(20)%' AND datname = current_database()`;
  expect(refusalOf(await asked)).toMatchObject({ code: 'UNAVAILABLE' });
  await sql.end();
});

test('a statement that was stopped after its time is a TIMEOUT that says what to narrow', async () => {
  const { url } = await testDatabase();
  const sql = connect({ url }, { name: 'test', max: 1, statementTimeoutMs: 50 });
  try {
    const error: unknown = await sql`SELECT pg_sleep(5)`.catch((cause: unknown) => cause);
    expect(refusalOf(error)).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('`range`'),
    });
  } finally {
    await sql.end();
  }
});
