// Where the rivals write: the same partitioned table with the same indexes, on the same PostgreSQL. They know neither our
// batch numbers nor our ids, so the columns that we fill have defaults for them.

import { connect } from '../../src/database/connection.ts';
import { migrate } from '../../src/database/migrate.ts';
import { fields, inputNames } from '../../src/events/fields.ts';

/** How many connections the rival may use. */
export const pool = Number(process.env['POOL'] ?? 10);

/** The fields that a caller of a rival supplies: all but the id, which the table makes. */
export const suppliedNames = inputNames.filter((name) => name !== 'eventId');

export const prepare = async (databaseUrl: string): Promise<void> => {
  await migrate({ url: databaseUrl });
  const sql = connect({ url: databaseUrl }, { name: 'bench', max: 1 });
  await sql`ALTER TABLE events ALTER id SET DEFAULT nextval('batch_numbers'), ALTER event_id SET DEFAULT gen_random_uuid()::text`;
  await sql.end();
};

/** `{column}` and so on for each supplied field, in one order everywhere. */
export const columns = suppliedNames.map((name) => `"${fields[name].column}"`).join(', ');
export const INSERT = `INSERT INTO events (${columns}) VALUES (${suppliedNames.map((_, index) => `$${index + 1}`).join(', ')}) RETURNING event_id`;

const graphqlTypes = { integer: 'Int', json: 'JSON', tags: '[String!]' } as const;
/** The GraphQL type of a field, as plain as a rival would have it. */
export const typeOf = (name: (typeof suppliedNames)[number]): string =>
  (graphqlTypes as Record<string, string>)[fields[name].kind] ?? 'String';
