// Brings the database to the shape this code expects. Any number of servers may start at once: the first migrates, the
// others wait for the lock and find nothing left to do. All pending migrations are one transaction, so a crash in the
// middle leaves the old shape.

import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import { JejakError } from '../errors.ts';
import { type DatabaseAddress, connect } from './connection.ts';
import { migration } from './locks.ts';
import { ensurePartitions } from './partitions.ts';

const OLDEST_VERSION = 15;
const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

export const migrate = async (address: DatabaseAddress): Promise<void> => {
  const sql = connect(address, { name: 'migrate', max: 1 });
  try {
    const [{ version }] = await sql<
      [{ version: number }]
    >`SELECT current_setting('server_version_num')::int / 10000 AS version`;
    if (version < OLDEST_VERSION)
      throw new JejakError(
        'UNAVAILABLE',
        `PostgreSQL ${version} is too old: Jejak needs ${OLDEST_VERSION} or newer.`,
      );
    // Session locks on the pool's only connection; drizzle runs on the same one.
    await sql`SELECT pg_advisory_lock(${migration})`;
    await applyMigrations(drizzle(sql), { migrationsFolder });
    await ensurePartitions(sql, new Date());
  } finally {
    await sql.end({ timeout: 5 });
  }
};
