// A migrated database of its own for each test file, cloned in a moment from the template and dropped at the end.

import { randomBytes } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { type Sql, connect } from '../../src/database/connection.ts';
import { TEMPLATE } from './global-setup.ts';

export type TestDatabase = AsyncDisposable & { readonly url: string; readonly sql: Sql };

export const createTestDatabase = async (): Promise<TestDatabase> => {
  const server = inject('databaseUrl');
  const name = `jejak_${randomBytes(6).toString('hex')}`;
  const admin = connect({ url: server }, { name: 'test admin', max: 1 });
  await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  const url = server.replace(/\/[^/]*$/, `/${name}`);
  const sql = connect({ url }, { name: 'test', max: 4, maintenance: true });
  return {
    url,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 5 });
      await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
};

/** Locks a table until it is released. */
export const locked = async (
  sql: Sql,
  table: string,
  mode = 'ACCESS EXCLUSIVE',
): Promise<{ release: () => Promise<void> }> => {
  const holding = await sql.reserve();
  await holding`BEGIN`;
  await holding.unsafe(`LOCK TABLE ${table} IN ${mode} MODE`);
  const release = async (): Promise<void> => {
    await holding`ROLLBACK`;
    holding.release();
  };
  return { release };
};

/** Whether a statement with this in it waits for a lock, in this database. */
export const isWaiting = async (sql: Sql, statement = ''): Promise<boolean> => {
  const waiting = await sql`
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE ${`%${statement}%`}`;
  return waiting.length > 0;
};

/** A database that lives as long as the test that asks for it. */
export const testDatabase = async (): Promise<TestDatabase> => {
  const database = await createTestDatabase();
  onTestFinished(() => database[Symbol.asyncDispose]());
  return database;
};
