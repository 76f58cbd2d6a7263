// No server: one process that writes rows straight through postgres.js.

import { type Sql, connect } from '../../src/database/connection.ts';
import { migrate } from '../../src/database/migrate.ts';
import { type Place, serve } from '../support/serve.ts';
import { type Work, sampleRows, work, writers } from '../support/writers.ts';

export type DirectWork = Work & {
  readonly how: keyof typeof writers;
  readonly connections: number;
};

const rows = sampleRows(8_192).map(({ draft }) => draft);
let url = '';

const write = async ({ how, connections, ...load }: DirectWork) => {
  const sql: Sql = connect({ url }, { name: 'direct', max: connections });
  const { eventsPerCall } = load;
  const chunks = Array.from({ length: Math.floor(rows.length / eventsPerCall) }, (_, index) =>
    rows.slice(index * eventsPerCall, (index + 1) * eventsPerCall),
  );
  const worked = await work(load, (index) => writers[how](sql, chunks[index % chunks.length]!));
  await sql.end();
  return worked;
};

serve(
  async ({ databaseUrl }: Place) => {
    await migrate({ url: databaseUrl });
    url = databaseUrl;
    return { url: '', async [Symbol.asyncDispose]() {} };
  },
  { write },
);
