// No server: the batcher and what it writes with, called from within the process, beside rows written straight.

import { randomUUID } from 'node:crypto';
import { type Database, WRITERS, openDatabase } from '../../src/database/connection.ts';
import { migrate } from '../../src/database/migrate.ts';
import { append } from '../../src/ingest/append.ts';
import { MAX_BATCH, createBatcher } from '../../src/ingest/batcher.ts';
import { createPersist } from '../../src/ingest/persist.ts';
import { type Place, serve } from '../support/serve.ts';
import { type Work, type Worked, sampleRows, work, writers } from '../support/writers.ts';

export type Way = keyof typeof ways;

const rows = sampleRows(8_192);
let database: Database;

const ways = {
  /** Single events, each of its caller. */
  batcher: (): ((index: number) => Promise<unknown>) => {
    const batcher = createBatcher({
      append: createPersist(database.write),
      writers: WRITERS,
    });
    return (index) => batcher.add([rows[index % rows.length]!]);
  },
  /** The batcher's statement for one event, with nothing before it. */
  statement: () => (index: number) =>
    append(database.write, {
      key: randomUUID(),
      events: [rows[index % rows.length]!],
      owners: [],
    }),
  /** Rows in one INSERT, as many as a batch of single events has at most; a call is a batch. */
  rows: () => (index: number) => {
    const first = (index * MAX_BATCH) % rows.length;
    const batch = rows.slice(first, first + MAX_BATCH).map(({ draft }) => draft);
    return writers.arrays(database.write, batch);
  },
};

serve(
  async ({ databaseUrl }: Place) => {
    await migrate({ url: databaseUrl });
    database = openDatabase({ url: databaseUrl });
    return { url: '', [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
  },
  { run: ({ way, ...load }: Work & { way: Way }): Promise<Worked> => work(load, ways[way]()) },
);
