// One subscriber: a position in the log and a filter. It reads from where it stands, waits at the head, and ends when the
// consumer leaves the loop, also while it waits.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/connection.ts';
import { isTransient } from '../database/failures.ts';
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

/** How long a subscription that begins while the connection is lost waits for another. */
const PATIENCE_MS = 1_500;
const PAUSE_MS = 50;

/** Follows the log after a cursor, from the earliest event that is kept, or (without `after`) from now. */
export const createFollow =
  (sql: Sql, reader: Reader): Follow =>
  (wanted, after) => {
    let stopped = false;
    let parked: Parked | undefined;

    async function* run(): AsyncGenerator<Logged, void, void> {
      const leave = await patiently(reader.join);
      try {
        // From now is from what the reader has read: an event may be from a moment before, but none after is missed.
        let { seq, place } =
          typeof after === 'string' ? await locate(sql, after) : { seq: reader.head(), place: -1 };
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
      } finally {
        leave();
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
  const { key, first } = await survey(sql, cursor?.seq ?? 0);
  if (!cursor) return { seq: (first ?? 1) - 1, place: -1 };
  if (key === null && cursor.seq < (first ?? 0)) throw expired();
  if (key === null || fingerprintOf(key) !== cursor.fingerprint)
    throw new JejakError(
      'CURSOR_INVALID',
      'The cursor is not of this log, which may have been restored from a backup; list what was missed with a query, then subscribe anew.',
    );
  return { seq: cursor.seq - 1, place: cursor.place };
};

type Survey = { key: string | null; first: number | null };

/** The key of one batch, and the first that is kept. */
const survey = (sql: Sql, seq: number): Promise<Survey> =>
  patiently(async () => {
    const [row] = await sql<[Survey]>`
      SELECT (SELECT key FROM batches WHERE seq = ${seq}) AS key, (SELECT min(seq) FROM batches) AS first`;
    return row;
  });

/** Tries again where the connection was lost, for a while. */
const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || Date.now() > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
};

const expired = (): JejakError =>
  new JejakError(
    'CURSOR_EXPIRED',
    `What came after the cursor is no longer kept; subscribe anew after "${EARLIEST}" or from now.`,
  );
