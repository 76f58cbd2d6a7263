// One embedded PostgreSQL for the whole run, in a directory of its own, with a migrated database to clone.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { connect } from '../../src/database/connection.ts';
import { startEmbedded } from '../../src/database/embedded.ts';
import { migrate } from '../../src/database/migrate.ts';

export const TEMPLATE = 'jejak_template';

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
  }
}

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'jejak-test-'));
  const embedded = await startEmbedded({ dataDir, log: () => {} });
  const { host, port, user, password, database } = embedded.connection;
  const url = `postgres://${user}:${password}@${encodeURIComponent(host)}:${port}/${database}`;
  const sql = connect(embedded.connection, { name: 'test setup', max: 1 });
  await sql.unsafe(`CREATE DATABASE ${TEMPLATE}`);
  await sql.end();
  await migrate({ ...embedded.connection, database: TEMPLATE });
  project.provide('databaseUrl', url);
  return async () => {
    await embedded[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  };
};
