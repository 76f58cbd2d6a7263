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
import { ensureServiceRole, grantService } from './privileges.ts';

const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

type Options = {
  readonly acceptUnsafe?: boolean;
  /** How the service connects, where that is not how its owner does; what it needs is granted to its role. */
  readonly service?: DatabaseAddress | undefined;
};

export const migrate = async (
  address: DatabaseAddress,
  { acceptUnsafe = false, service }: Options = {},
): Promise<void> => {
  const sql = connect(address, { name: 'migrate', max: 1, maintenance: true });
  try {
    await assertFit(sql, acceptUnsafe);
    // Session locks on the pool's only connection; drizzle runs on the same one.
    await sql`SELECT pg_advisory_lock(${migration})`;
    await applyMigrations(drizzle(sql), { migrationsFolder });
    await ensurePartitions(sql, new Date());
    if (service) {
      if (!('url' in service)) await ensureServiceRole(sql, service);
      await grantService(sql, await roleOf(service, acceptUnsafe));
    }
  } finally {
    await sql.end({ timeout: 5 });
  }
};

/** The role of the service, which may have settings of its own, and what is acknowledged goes over it. */
const roleOf = async (address: DatabaseAddress, acceptUnsafe: boolean): Promise<string> => {
  const sql = connect(address, { name: 'role', max: 1 });
  try {
    await assertFit(sql, acceptUnsafe);
    const [{ role }] = await sql<[{ role: string }]>`SELECT current_user AS role`;
    return role;
  } finally {
    await sql.end({ timeout: 5 });
  }
};
