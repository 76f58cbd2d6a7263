import { expect, test } from 'vitest';
import { createLogger } from '../../src/logger.ts';
import { testDatabase } from '../support/database.ts';
import { testServer } from '../support/server.ts';

test('a database with few locks is told of in our own log, and one with enough is not', async () => {
  const database = await testDatabase();
  const lines: string[] = [];
  const logger = createLogger('warn', { write: (line) => void lines.push(line) });
  await testServer(database, {}, logger);
  expect(lines).toEqual([]);

  // It is set when PostgreSQL starts, for all tests; so a view says what another PostgreSQL would.
  const { sql } = database;
  await sql`
    CREATE VIEW pg_settings AS
    SELECT name, CASE name WHEN 'max_locks_per_transaction' THEN '64' ELSE setting END AS setting FROM pg_catalog.pg_settings`;
  await sql.unsafe(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET search_path = public, pg_catalog`); // oxfmt-ignore
  await testServer(database, {}, logger);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ max_locks_per_transaction: 64 }]);
});
