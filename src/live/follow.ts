// One subscriber: a position in the log and what it wants of it. It reads from where it stands, waits at the head with its
// group, and ends when the consumer leaves the loop, also while it waits. Nothing is kept for one that does not read on:
// it goes on from its position, out of memory or out of the table.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/connection.ts';
import { isTransient, refusalOf } from '../database/failures.ts';
import type { Metrics } from '../metrics.ts';
import { cursorAfter, fingerprintOf, parseCursor } from './cursor.ts';
import { type Groups, type Payload, type Stand, type Want, expired, replaced } from './groups.ts';
import { leavable } from './leavable.ts';
import type { Reader } from './reader.ts';

/** What comes at a time, in the order of the log. The same array for all who want the same and stand at the same place, so
 * that what is made of it can be made once. */
export type Payloads = readonly Payload[];

/** Follows the log after a cursor, from the earliest event that is kept, or (without `after`) from now. */
export type Follow = (
  want: Want,
  after?: string | null,
  begin?: (cursor: string) => Payloads,
) => AsyncGenerator<Payloads, void, void>;

/** How long a subscription that begins while the connection is lost waits for another. */
const PATIENCE_MS = 1_500;
const PAUSE_MS = 50;
const AGAIN_MS = 250;

/** `begin` makes what is delivered first, from where the subscriber stands. */
export const createFollow =
  (sql: Sql, reader: Reader, groups: Groups, metrics: Metrics): Follow =>
  (want, after, begin) => {
    let stopped = false;
    let wake: (() => void) | undefined;

    /** The page, or undefined where the consumer left meanwhile. */
    const orStopped = <T>(page: Promise<T>): Promise<T | undefined> =>
      new Promise((resolve, reject) => {
        wake = () => resolve(undefined);
        if (stopped) wake();
        page.then(resolve, reject);
      });

    async function* run(): AsyncGenerator<Payloads, void, void> {
      const leave = await patiently(reader.join);
      const [group, leaveGroup] = groups.enter(want);
      try {
        const replacements = reader.replacements();
        let at =
          typeof after === 'string' ? await locate(sql, after) : { ...reader.head(), place: -1 };
        let replay = typeof after === 'string';
        if (begin) yield begin(after ?? cursorAfter(at));
        await orStopped(reader.reached(at.place < 0 ? at.seq : at.seq + 1));
        while (!stopped) {
          if (replacements !== reader.replacements()) throw replaced();
          replay &&= at.seq < reader.head().seq;
          const page = await orStopped(group.after(at, replay)).catch(afterAWhile);
          if (stopped || page === undefined) continue;
          at = page.end;
          if (page.payloads.length === 0) continue;
          if (!page.parts || !groups.pace.holdsBack()) yield page.payloads;
          else
            for (const part of page.parts) {
              const began = performance.now();
              yield part;
              await orStopped(groups.pace.rest(began));
              if (stopped) break;
            }
        }
      } catch (error) {
        const code = refusalOf(error)?.code;
        if (code?.startsWith('CURSOR')) metrics.cursorErrors.inc({ code });
        throw error;
      } finally {
        leaveGroup();
        leave();
      }
    }

    return leavable(run(), () => {
      stopped = true;
      wake?.();
    });
  };

const locate = async (sql: Sql, text: string): Promise<Stand> => {
  const cursor = parseCursor(text);
  const { key, first } = await survey(sql, cursor?.seq ?? 0);
  if (!cursor) return { seq: (first ?? 1) - 1, key: '', place: -1 };
  if (key === null && cursor.seq < (first ?? 0)) throw expired();
  if (key === null || fingerprintOf(key) !== cursor.fingerprint) throw replaced();
  return { seq: cursor.seq - 1, key: '', place: cursor.place };
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

/** A subscriber outlasts the connection to the database: it asks again and goes on from where it stands. */
const afterAWhile = async (error: unknown): Promise<undefined> => {
  if (!isTransient(error)) throw error;
  await sleep(AGAIN_MS);
};
