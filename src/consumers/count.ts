// Counts what comes next in the log: adds the events of the next batches to the roll-ups and moves their position on, in one
// transaction, so that an event is counted once whatever is killed. Servers take turns by the row of the position.

import type { Sql } from '../database/connection.ts';
import { BATCH_SPAN } from '../database/schema.ts';
import { additionOf } from '../database/rollups.ts';

/** So many events are counted at a time, or a batch more where there are as many. */
export const STEP_EVENTS = 20_000;

// Several statements in one query are one transaction, with nothing to be rolled back by us. What is next is found once, after
// the lock was granted, and kept in the row itself until it is counted.
const step = `
SELECT FROM rollup_position FOR UPDATE;
UPDATE rollup_position AS at SET up_to = (
  SELECT max(seq) FROM (
    SELECT seq, sum(size) OVER (ORDER BY seq) - size AS before
    FROM (SELECT seq, size FROM batches WHERE seq > at.seq ORDER BY seq LIMIT ${STEP_EVENTS}) AS following
  ) AS next WHERE before < ${STEP_EVENTS}
);
${additionOf(
  `id >= (SELECT min(number) FROM next) * ${BATCH_SPAN} AND id < (SELECT max(number) + 1 FROM next) * ${BATCH_SPAN}
  AND "timestamp" >= (SELECT min(earliest) FROM next) AND "timestamp" <= (SELECT max(latest) FROM next)
  AND id / ${BATCH_SPAN} IN (SELECT number FROM next)`,
  'next AS MATERIALIZED (SELECT batches.* FROM batches, rollup_position AS at WHERE batches.seq > at.seq AND batches.seq <= at.up_to)',
)};
UPDATE rollup_position SET seq = up_to WHERE up_to IS NOT NULL`;

/** How many events were counted. */
export const countNext = async (sql: Sql): Promise<number> =>
  countedIn(await sql.unsafe(step).simple());

/** Counts all that is in the log, so that it may be removed. */
export const countAll = async (sql: Sql): Promise<void> => {
  while ((await countNext(sql)) >= STEP_EVENTS);
};

/** The number that the one of several statements gave which counts. */
export const countedIn = (results: readonly unknown[]): number => {
  const rows = results.flat() as { readonly counted?: string }[];
  return Number(rows.find(({ counted }) => counted !== undefined)?.counted);
};
