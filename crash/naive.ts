// The negative control: the reader that everybody writes first, which asks for what has a greater id than the last it saw.
// An id is taken before the commit, so a lower one can become visible later; then it is lost.

import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../src/database/connection.ts';
import { BATCH_SPAN } from '../src/database/schema.ts';
import { fields } from '../src/events/fields.ts';
import type { Chain } from './checker.ts';
import type { Cluster } from './cluster.ts';
import { type Met, compared } from './event.ts';

type Row = Met & { readonly id: number; readonly position: number };

export const startNaive = async (chain: Chain, cluster: Cluster): Promise<AsyncDisposable> => {
  const sql = connect({ url: (await cluster.url()).href }, { name: 'naive', max: 1 });
  let stopped = false;
  const run = async (): Promise<void> => {
    for (let last = 0; !stopped; await sleep(1)) {
      const rows = await sql.unsafe<Row[]>(query, [last], { prepare: true });
      for (const { position, id, ...event } of rows) {
        chain.deliver(event, position);
        last = id;
      }
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      await running;
      await sql.end({ timeout: 1 });
    },
  };
};

const query = `
  SELECT id, seq * ${BATCH_SPAN} + id % ${BATCH_SPAN} AS position, metadata,
         ${compared.map((name) => `"${fields[name].column}" AS "${name}"`).join(', ')}
  FROM events JOIN batches ON number = id / ${BATCH_SPAN} WHERE id > $1 ORDER BY id LIMIT 5000`;
