// Reads what comes after a position: the batches in their order and the events of each. Replay and live delivery are
// both this one read.

import type { Sql } from '../database/connection.ts';
import { BATCH_SPAN, eventColumns } from '../database/schema.ts';
import type { Event } from '../events/fields.ts';
import { compareInstants } from '../events/time.ts';

/** One committed batch, its events in the order of their places. */
export type LoggedBatch = {
  readonly seq: number;
  readonly key: string;
  readonly events: readonly Event[];
};

type BatchRow = { seq: number; number: number; key: string; earliest: string; latest: string };

/** About this many events are read at a time; the first batch is read whatever its size. */
const PAGE_EVENTS = 2_000;
const PAGE_BATCHES = 500;

/** The next batches after `after`, dense and in order; none where that is the head of the log. */
export const readBatches = async (sql: Sql, after: number): Promise<LoggedBatch[]> => {
  const rows = await sql<BatchRow[]>`
    SELECT seq, number, key, earliest, latest FROM (
      SELECT *, sum(size) OVER (ORDER BY seq) - size AS before
      FROM (SELECT * FROM batches WHERE seq > ${after} ORDER BY seq LIMIT ${PAGE_BATCHES}) AS next
    ) AS page WHERE before < ${PAGE_EVENTS} ORDER BY seq`;
  if (rows.length === 0) return [];
  const events = await readEvents(sql, rows);
  return rows.map(({ seq, key, number }) => ({ seq, key, events: events.get(number) ?? [] }));
};

/** The events of some batches by batch number. Numbers near each other in the order are near each other in value, so one
 * range of ids holds them all; the times prune partitions. */
const readEvents = async (
  sql: Sql,
  batches: readonly BatchRow[],
): Promise<Map<number, Event[]>> => {
  const numbers = batches.map((batch) => batch.number);
  const byNumber = new Map<number, Event[]>(numbers.map((number) => [number, []]));
  const rows = await sql.unsafe<Event[]>(
    `SELECT ${eventColumns} FROM events
     WHERE id BETWEEN $1 AND $2 AND "timestamp" BETWEEN $3 AND $4 ORDER BY id`,
    [
      Math.min(...numbers) * BATCH_SPAN,
      (Math.max(...numbers) + 1) * BATCH_SPAN - 1,
      batches.map((batch) => batch.earliest).toSorted(compareInstants)[0]!,
      batches
        .map((batch) => batch.latest)
        .toSorted(compareInstants)
        .at(-1)!,
    ],
    { prepare: true },
  );
  for (const event of rows) byNumber.get(Math.floor(event.id / BATCH_SPAN))?.push(event);
  return byNumber;
};
