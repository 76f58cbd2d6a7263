// Reads what comes after a position: the batches in their order and the events of each. Replay and live delivery are
// both this one read.

import type { Sql } from '../database/connection.ts';
import { BATCH_SPAN, columnsOf } from '../database/schema.ts';
import { type Event, type FieldName, fieldNames } from '../events/fields.ts';
import { compareInstants } from '../events/time.ts';
import { type Bounds, categoryNames, severityNames } from '../events/vocabulary.ts';

/** One committed batch, its events in the order of their places. */
export type LoggedBatch = {
  readonly seq: number;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly committedAt: number;
  readonly events: readonly Event[];
  /** About how much the events hold. */
  readonly bytes: number;
};

/** The last batch up to which all was read; `seq` 0 stands before everything. */
export type Head = { readonly seq: number; readonly key: string };

/** What was read in one go. */
export type Stretch = {
  readonly batches: readonly LoggedBatch[];
  readonly end: Head;
  /** How many events were committed up to there, wanted or not. */
  readonly passed: number;
  /** Why this is not what comes next: batches that stood between are not kept any more, or the history is another one. */
  readonly broken?: 'expired' | 'replaced' | undefined;
};

/** What a reader needs of what is read. */
export type Need = {
  readonly bounds?: Bounds;
  /** `id` among them. With all 31 a replay brought 35,000 events a second, with eight 58,000. */
  readonly columns?: readonly FieldName[];
  /** So many events are read at a time; a batch that holds more is a page of its own, and read in several goes. */
  readonly atOnce?: number | undefined;
  /** Called after each of these, with the time it began. */
  readonly rest?: ((began: number) => Promise<void>) | undefined;
};

type Whole = { readonly [K in keyof Need]-?: NonNullable<Need[K]> };

type BatchRow = {
  seq: number;
  number: number;
  size: number;
  key: string;
  earliest: string;
  latest: string;
  committed: number;
  wanted: boolean;
  /** Batches and their events, up to this one. */
  looked: number;
  passed: number;
  before: string | null;
};

/** How many events are read at a time where nothing else is said. That takes several turns of the event loop, and under load
 * there are few: where all that two servers could do was write, their subscribers were 15-20 s behind with 256, 0-4 s with 1,000. */
export const PAGE_EVENTS = 1_000;
/** Where some are passed over, so many batches are looked at. */
const LOOK_BATCHES = 5_000;

/** The next batches after a position, dense and in order, no further than `upTo`, which is known to be there; none where
 * there is nothing more. */
export const readBatches = async (
  sql: Sql,
  after: Head,
  { bounds = {}, columns = fieldNames, atOnce = PAGE_EVENTS, rest = async () => {} }: Need = {},
  upTo?: number,
): Promise<Stretch> => {
  const all = bounds.severities === undefined && bounds.categories === undefined;
  const rows = await sql<BatchRow[]>`
    SELECT seq, number, size, key, earliest, latest, committed, wanted, looked, passed,
           (SELECT key FROM batches WHERE seq = ${after.seq}) AS before FROM (
      SELECT *, sum(CASE WHEN wanted THEN size ELSE 0 END) OVER before AS earlier,
             count(*) OVER (ORDER BY seq) AS looked, sum(size) OVER (ORDER BY seq) AS passed, lead(seq) OVER (ORDER BY seq) IS NULL AS last
      FROM (
        SELECT *, severities & ${bitsOf(severityNames, bounds.severities)} <> 0
                  AND categories & ${bitsOf(categoryNames, bounds.categories)} <> 0 AS wanted,
               extract(epoch FROM committed_at)::float8 * 1000 AS committed
        FROM batches WHERE seq > ${after.seq} AND seq <= ${upTo ?? Number.MAX_SAFE_INTEGER} ORDER BY seq LIMIT ${all ? atOnce : LOOK_BATCHES}
      ) AS next
      WINDOW before AS (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ) AS page
    WHERE (coalesce(earlier, 0) = 0 OR earlier + CASE WHEN wanted THEN size ELSE 0 END <= ${atOnce}) AND (wanted OR last)
    ORDER BY seq`;
  const wanted = rows.filter((row) => row.wanted);
  const events =
    wanted.length === 0
      ? undefined
      : await readEvents(sql, wanted, { bounds, columns, atOnce, rest });
  const last = rows.at(-1);
  return {
    batches: wanted.map(({ seq, key, number, committed }) => {
      const logged = events!.get(number) ?? [];
      return { seq, key, committedAt: committed, events: logged, bytes: bytesOf(logged) };
    }),
    end: last ? { seq: last.seq, key: last.key } : after,
    passed: last?.passed ?? 0,
    broken: breakAfter(after, rows, upTo),
  };
};

/** The characters of all texts within, and a little for everything else. */
const bytesOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length;
  let bytes = 8;
  if (typeof value === 'object')
    for (const name in value) bytes += bytesOf((value as Record<string, unknown>)[name]);
  return bytes;
};

/** A key that is not known is empty. */
const breakAfter = (after: Head, rows: readonly BatchRow[], upTo?: number): Stretch['broken'] => {
  const before = rows[0]?.before ?? null;
  const isOther = after.key !== '' && before !== null && before !== after.key;
  const isShorter = rows.length === 0 && upTo !== undefined && after.seq < upTo;
  if (isOther || isShorter) return 'replaced';
  return rows.every(({ seq, looked }) => seq === after.seq + looked) ? undefined : 'expired';
};

/** Each name has its bit, the first the lowest. */
const bitsOf = (names: readonly string[], wanted: readonly string[] = names): number =>
  names.reduce((bits, name, bit) => (wanted.includes(name) ? bits | (1 << bit) : bits), 0);

/** The events of some batches by batch number. Numbers near each other in the order are near each other in value, so one
 * range of ids holds them all; the times, and the severities wanted, prune partitions. */
const readEvents = async (
  sql: Sql,
  batches: readonly BatchRow[],
  { bounds, columns, atOnce, rest }: Whole,
): Promise<Map<number, Event[]>> => {
  const { severities = severityNames, categories = categoryNames } = bounds;
  const numbers = batches.map((batch) => batch.number);
  const byNumber = new Map<number, Event[]>(numbers.map((number) => [number, []]));
  const least = Math.min(...numbers) * BATCH_SPAN;
  const most = (Math.max(...numbers) + 1) * BATCH_SPAN - 1;
  const limit = batches[0]!.size > atOnce ? atOnce : Infinity;
  for (let from = least; ;) {
    const began = performance.now();
    const rows = await sql.unsafe<Event[]>(
      `SELECT ${columnsOf(columns)} FROM events
       WHERE id BETWEEN $1 AND $2 AND "timestamp" BETWEEN $3 AND $4
         AND severity = ANY ($5::text[]) AND event_category = ANY ($6::text[]) ORDER BY id ${limit === Infinity ? '' : `LIMIT ${limit}`}`,
      [
        from,
        most,
        batches.map((batch) => batch.earliest).toSorted(compareInstants)[0]!,
        batches
          .map((batch) => batch.latest)
          .toSorted(compareInstants)
          .at(-1)!,
        severities as string[],
        categories as string[],
      ],
      { prepare: true },
    );
    for (const event of rows) byNumber.get(Math.floor(event.id / BATCH_SPAN))?.push(event);
    await rest(began);
    if (rows.length < limit) return byNumber;
    from = rows.at(-1)!.id + 1;
  }
};
