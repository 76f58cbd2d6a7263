// What the service's role may do: add to the log and read it, and keep its working state. It may neither change nor remove
// what is in the log; the owner does, for migrations and retention.

import { createHmac } from 'node:crypto';
import type { DatabaseAddress, Sql } from './connection.ts';
import { codeOf } from './failures.ts';

/** The tables that only grow. */
export const appendOnly = ['events', 'batches', 'event_ids', 'hash_key'] as const;

const EMBEDDED_ROLE = 'jejak_service';

type Embedded = Exclude<DatabaseAddress, { url: string }>;

/** The embedded server's address for the service. Its password follows from the owner's, so that all servers agree on it. */
export const serviceAddress = (owner: Embedded): Embedded => ({
  ...owner,
  user: EMBEDDED_ROLE,
  password: createHmac('sha256', owner.password).update(EMBEDDED_ROLE).digest('base64url'),
});

/** Makes the service's role of the embedded server where there is none. */
export const ensureServiceRole = async (sql: Sql, { user, password }: Embedded): Promise<void> => {
  const [known] = await sql`SELECT FROM pg_roles WHERE rolname = ${user}`;
  if (!known) await sql.unsafe(`CREATE ROLE ${user} LOGIN PASSWORD '${password}'`);
};

const TRIES = 5;

/** Gives a role what the service needs, and takes the rest. By the owner, alone; nothing where the role is the owner. */
export const grantService = async (sql: Sql, role: string): Promise<void> => {
  for (let tries = 1; ; tries++)
    try {
      return await sql.begin((within) => grant(within as unknown as Sql, role));
    } catch (error) {
      // Retention of another server drops partitions and renames them meanwhile.
      const isMoving = /^(42P01|XX000)$/.test(codeOf(error));
      if (!isMoving || tries === TRIES) throw error;
    }
};

const grant = async (sql: Sql, role: string): Promise<void> => {
  const [{ own, schema }] = await sql<[{ own: boolean; schema: string }]>`
    SELECT current_user = ${role} AS own, quote_ident(current_schema()) AS schema`;
  if (own) return;
  const tables = await sql<{ name: string; grows: boolean; leaf: boolean }[]>`
    SELECT oid::regclass::text AS name, relname = ANY (${[...appendOnly]}) AS grows,
           relispartition OR relname LIKE 'events\\_%' OR relkind = 'v' AS leaf
    FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')`;
  const rights = ({ grows, leaf }: (typeof tables)[number]): string =>
    leaf ? 'SELECT' : grows ? 'SELECT, INSERT' : 'SELECT, INSERT, UPDATE, DELETE';
  const to = `"${role.replaceAll('"', '""')}"`;
  const makesPartitions = 'FUNCTION create_event_partition(text, timestamptz, timestamptz)';
  await sql.unsafe(
    [
      `GRANT USAGE ON SCHEMA ${schema} TO ${to}`,
      `REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM ${to}`,
      ...tables.map((table) => `GRANT ${rights(table)} ON ${table.name} TO ${to}`),
      `ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT SELECT ON TABLES TO ${to}`, // partitions that come later
      `GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${to}`,
      // A valid event has a home even where retention stands still.
      `ALTER ${makesPartitions} SECURITY DEFINER SET search_path = ${schema}, pg_temp`,
      `REVOKE ALL ON ${makesPartitions} FROM PUBLIC`,
      `GRANT EXECUTE ON ${makesPartitions} TO ${to}`,
    ].join(';\n'),
  );
};
