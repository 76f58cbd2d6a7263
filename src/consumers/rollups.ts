// Keeps the roll-ups: follows the log a little behind its end and counts what comes. It runs beside the writers and waits for
// nobody; where the database is away it goes on when that is back. Any number of servers may run it.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/connection.ts';
import { tiers } from '../database/rollups.ts';
import { type Periods, wholeSince } from '../events/retention.ts';
import { severityNames } from '../events/vocabulary.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { STEP_EVENTS, countNext } from './count.ts';

/** Under load more events are counted together the longer the pause is, which is cheaper; questions read the rest. */
const PAUSE_MS = 500;
const FAILED_PAUSE_MS = 1_000;
const GOODBYE_MS = 2_000;
const PURGE_EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;

export const createRollups = (
  sql: Sql,
  periods: () => Periods,
  clock: () => Date,
  logger: Logger,
  metrics: Metrics,
): AsyncDisposable => {
  const stopping = new AbortController();
  let at: Place = { seq: 0, behind: 0, lagSeconds: 0 };
  metrics.watch('jejak_rollup_position', 'The last batch that the roll-ups hold', () => at.seq);
  metrics.watch('jejak_rollup_behind', 'Batches that they do not hold yet', () => at.behind);
  metrics.watch(
    'jejak_rollup_lag_seconds',
    'How long the first of these has been there',
    () => at.lagSeconds,
  );

  /** Cells that name people go when no question may ask them any more. */
  let purgedAt = 0;
  const purge = async (now: Date): Promise<void> => {
    const before = new Date(wholeSince(periods(), severityNames, now).getTime() - DAY_MS);
    for (const { table } of tiers.filter(({ personal }) => personal))
      await sql`DELETE FROM ${sql(table)} WHERE "timestamp" < ${before.toISOString()}`;
    purgedAt = now.getTime();
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      let pause = PAUSE_MS;
      try {
        at = await look(sql);
        const counted = at.behind > 0 ? await countNext(sql) : 0;
        metrics.rollupEvents.inc(counted);
        if (counted >= STEP_EVENTS) continue;
        if (clock().getTime() - purgedAt > PURGE_EVERY_MS) await purge(clock());
      } catch (error) {
        if (stopping.signal.aborted) return;
        logger.warn({ err: error }, 'The roll-ups cannot be kept now; trying again');
        pause = FAILED_PAUSE_MS;
      }
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const running = run();

  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      // The pool ends what hangs on a connection that is half-open.
      await Promise.race([running, sleep(GOODBYE_MS, undefined, { ref: false })]);
    },
  };
};

type Place = { readonly seq: number; readonly behind: number; readonly lagSeconds: number };

const look = async (sql: Sql): Promise<Place> => {
  const [place] = await sql<[Place]>`
    SELECT at.seq, coalesce((SELECT max(seq) FROM batches), 0) - at.seq AS behind,
           coalesce(extract(epoch FROM clock_timestamp() - (
             SELECT committed_at FROM batches WHERE seq > at.seq ORDER BY seq LIMIT 1)), 0)::float8 AS "lagSeconds"
    FROM rollup_position AS at`;
  return place;
};
