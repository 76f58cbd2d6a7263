// One subscriber: a position in the log and a filter. It reads from where it stands, waits at the head, and ends when the
// consumer leaves the loop, also while it waits.

import type { Sql } from '../database/connection.ts';
import { BATCH_SPAN } from '../database/schema.ts';
import { JejakError } from '../errors.ts';
import type { Event } from '../events/fields.ts';
import { EARLIEST, fingerprintOf, formatCursor, parseCursor } from './cursor.ts';
import type { Parked, Reader } from './reader.ts';

export type Logged = { readonly event: Event; readonly cursor: string };
export type Follow = (
  wanted: (event: Event) => boolean,
  after?: string | null,
) => AsyncGenerator<Logged, void, void>;

/** Follows the log after a cursor, from the earliest event that is kept, or (without `after`) from now. */
export const createFollow =
  (sql: Sql, reader: Reader): Follow =>
  (wanted, after) => {
    let stopped = false;
    let parked: Parked | undefined;

    async function* run(): AsyncGenerator<Logged, void, void> {
      let { seq, place } = after ? await locate(sql, after) : { seq: reader.head(), place: -1 };
      while (!stopped) {
        if (reader.head() <= seq) {
          parked = reader.park();
          await parked.moved;
          continue;
        }
        for (const batch of await reader.after(seq)) {
          if (batch.seq !== seq + 1) throw expired();
          for (const event of batch.events) {
            if (stopped) return;
            const at = { seq: batch.seq, place: event.id % BATCH_SPAN, key: batch.key };
            if (at.place > place && wanted(event)) yield { event, cursor: formatCursor(at) };
          }
          seq = batch.seq;
          place = -1;
        }
      }
    }

    const events = run();
    const stop = events.return.bind(events);
    events.return = (value) => {
      stopped = true;
      parked?.wake();
      return stop(value);
    };
    return events;
  };

/** What a reader has had: every batch up to `seq`, and of the next one the events up to `place`. */
type Had = { readonly seq: number; readonly place: number };

const locate = async (sql: Sql, text: string): Promise<Had> => {
  const cursor = parseCursor(text);
  const [row] = await sql<[{ key: string | null; first: number | null; last: number | null }]>`
    SELECT (SELECT key FROM batches WHERE seq = ${cursor?.seq ?? 0}) AS key,
           (SELECT min(seq) FROM batches) AS first, (SELECT max(seq) FROM batches) AS last`;
  if (!cursor) return { seq: (row.first ?? 1) - 1, place: -1 };
  if (row.key === null && cursor.seq < (row.first ?? 0)) throw expired();
  if (row.key === null || fingerprintOf(row.key) !== cursor.fingerprint)
    throw new JejakError(
      'CURSOR_INVALID',
      'The cursor is not of this log, which may have been restored from a backup; list what was missed with a query, then subscribe anew.',
    );
  return { seq: cursor.seq - 1, place: cursor.place };
};

const expired = (): JejakError =>
  new JejakError(
    'CURSOR_EXPIRED',
    `What came after the cursor is no longer kept; subscribe anew after "${EARLIEST}" or from now.`,
  );
