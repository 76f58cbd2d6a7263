// Brings the database to the shape this code expects. Any number of servers may start at once: the first migrates, the
// others wait for the lock and find nothing left to do. All pending migrations are one transaction, so a crash in the
// middle leaves the old shape.

import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import { type DatabaseAddress, connect } from './connection.ts';
import { assertFit } from './fitness.ts';
import { migration } from './locks.ts';
import { ensurePartitions } from './partitions.ts';

const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

export const migrate = async (
  address: DatabaseAddress,
  { acceptUnsafe = false } = {},
): Promise<void> => {
  const sql = connect(address, { name: 'migrate', max: 1 });
  try {
    await assertFit(sql, acceptUnsafe);
    // Session locks on the pool's only connection; drizzle runs on the same one.
    await sql`SELECT pg_advisory_lock(${migration})`;
    await applyMigrations(drizzle(sql), { migrationsFolder });
    await ensurePartitions(sql, new Date());
  } finally {
    await sql.end({ timeout: 5 });
  }
};
