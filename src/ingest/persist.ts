// Appends a batch through whatever comes between: a missing partition is made, a lost connection, a deadlock or a lock
// timeout is tried again with the same batch. The batch's key makes that safe: a try that was committed without our
// hearing of it is found by its key and never stored twice. After the deadline the callers hear UNAVAILABLE.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/connection.ts';
import {
  inTime,
  isCommittedKey,
  isMissingPartition,
  isTransient,
  unavailable,
} from '../database/failures.ts';
import { type Partition, makePartitionsFor } from '../database/partitions.ts';
import { BATCH_SPAN } from '../database/schema.ts';
import { type Appended, type Batch, append } from './append.ts';
import { type Names, createNames } from './names.ts';

const GIVE_UP_MS = 1_500;
const PAUSE_MS = 50;
/** Another server, to which other periods count still, may make one beside it first. */
const MOST_TIMES_MADE = 3;

/** `onMissing` hears of partitions that were missing, once they are made. A batch that is given up may be committed yet; with the
 * same eventId nothing is then stored twice. */
export const createPersist = (
  sql: Sql,
  onMissing: (partitions: readonly Partition[]) => void = () => {},
  unheardMs?: number,
): ((batch: Batch) => Promise<Appended>) => {
  const names = createNames(sql);
  return (batch) => inTime(persist(sql, names, batch, onMissing), unheardMs);
};

const persist = async (
  sql: Sql,
  names: Names,
  batch: Batch,
  onMissing: (partitions: readonly Partition[]) => void,
): Promise<Appended> => {
  const deadline = Date.now() + GIVE_UP_MS;
  let timesMade = 0; // partitions
  let doubtful = false; // an earlier try may have been committed
  for (;;) {
    try {
      await names.note(batch.events);
      return (doubtful ? await findCommitted(sql, batch) : undefined) ?? (await append(sql, batch));
    } catch (error) {
      if (isMissingPartition(error) && timesMade++ < MOST_TIMES_MADE) {
        const made = await makePartitionsFor(
          sql,
          batch.events.map(({ draft }) => draft),
        );
        if (made.length > 0) onMissing(made);
      } else if (isCommittedKey(error) || isTransient(error)) {
        if (Date.now() > deadline) throw unavailable(error);
        doubtful = true;
        await sleep(PAUSE_MS);
      } else throw error;
    }
  }
};

const findCommitted = async (sql: Sql, { key, events }: Batch): Promise<Appended | undefined> => {
  const [batch] = await sql<{ seq: number; number: number; earliest: string; latest: string }[]>`
    SELECT seq, number, earliest, latest FROM batches WHERE key = ${key}`;
  if (!batch) return undefined;
  const first = batch.number * BATCH_SPAN;
  const stored = await sql<{ id: number; createdAt: string }[]>`
    SELECT id, created_at AS "createdAt" FROM events
    WHERE id BETWEEN ${first} AND ${first + BATCH_SPAN - 1} AND "timestamp" BETWEEN ${batch.earliest} AND ${batch.latest}`;
  const places = new Set(stored.map((row) => row.id - first));
  return {
    key,
    seq: batch.seq,
    number: batch.number,
    createdAt: stored[0]!.createdAt,
    taken: events.map((_, place) => place).filter((place) => !places.has(place)),
  };
};
