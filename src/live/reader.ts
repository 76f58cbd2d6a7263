// Follows the log for one process: reads what comes after its position whenever the doorbell rings, and at least every
// quarter of a second, and keeps the latest batches in memory; while nobody follows it rests. Subscribers read from here, or from the table where they
// are further behind; whichever, they see the same batches in the same order.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/connection.ts';
import { isTransient } from '../database/failures.ts';
import type { Logger } from '../logger.ts';
import { type LoggedBatch, readBatches } from './read-batches.ts';

const POLL_MS = 250;
const GOODBYE_MS = 1_000;
const RING_EVENTS = 10_000;
const CHANNEL = 'jejak_log';

export type Reader = {
  /** Has the log followed for somebody, from now at the latest, until the function that is returned is called. */
  readonly join: () => Promise<() => void>;
  /** The last position that has been read. */
  readonly head: () => number;
  /** The batches after a position: from memory, or from the table where memory does not reach back so far. None where that
   * is the head, or where the table could not be read for a moment. */
  readonly after: (seq: number) => Promise<readonly LoggedBatch[]>;
  /** Waits for the head to move. Look at `head` and park in one go, so that nothing falls between. */
  readonly park: () => Parked;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A subscriber at the head; `wake` ends the wait early. */
export type Parked = { readonly moved: Promise<void>; readonly wake: () => void };

export const createReader = (sql: Sql, logger: Logger): Reader => {
  let stopped = false;
  const ring: LoggedBatch[] = [];
  let ringEvents = 0;
  let head = 0;
  let followers = 0;
  let awake = Promise.withResolvers<void>();
  let current: Promise<void> | undefined;
  const parked = new Set<() => void>();
  let bell = Promise.withResolvers<void>();
  const answerBell = (): void => bell.resolve();

  const keep = (batches: readonly LoggedBatch[]): void => {
    for (const batch of batches) {
      if (batch.seq !== head + 1) {
        // Never while the database keeps its history. Subscribers before it hear CURSOR_EXPIRED.
        logger.error({ head, next: batch.seq }, 'The log has a gap');
        ring.length = ringEvents = 0;
      }
      head = batch.seq;
      ring.push(batch);
      ringEvents += batch.events.length;
    }
    while (ringEvents > RING_EVENTS && ring.length > 1) ringEvents -= ring.shift()!.events.length;
    for (const wake of parked) wake();
  };

  /** What was committed while nobody followed is not read for those who begin now. */
  const skipToHead = async (): Promise<void> => {
    head = await readHead(sql);
    ring.length = ringEvents = 0;
    awake.resolve();
  };

  const run = async (): Promise<void> => {
    while (!stopped) {
      if (followers === 0) {
        awake = Promise.withResolvers();
        await awake.promise;
        continue;
      }
      bell = Promise.withResolvers(); // armed before the read: a ring during it is not lost
      const from = head;
      const batches = await readBatches(sql, from).catch((error: unknown) => {
        if (!stopped) logger.warn({ err: error }, 'The log cannot be read now; trying again');
        return [];
      });
      if (head !== from) continue; // all left and others came meanwhile
      if (batches.length > 0) keep(batches);
      else {
        const poll = setTimeout(answerBell, POLL_MS);
        if (!stopped) await bell.promise;
        clearTimeout(poll);
      }
    }
  };

  // Should listening fail, or every notification be lost, the poll carries on.
  sql.listen(CHANNEL, answerBell, answerBell).catch((error: unknown) => {
    if (!stopped) logger.warn({ err: error }, 'No notifications; new events are found by polling');
  });
  const running = run();

  return {
    join: async () => {
      followers++;
      let gone = false;
      const leave = (): void => {
        if (gone) return;
        gone = true;
        if (--followers === 0) current = undefined;
      };
      try {
        await (current ??= skipToHead());
      } catch (error) {
        leave();
        throw error;
      }
      return leave;
    },
    head: () => head,
    after: async (seq) => {
      if (seq >= head) return [];
      const first = ring[0]?.seq ?? head + 1;
      if (seq + 1 >= first) return ring.slice(seq + 1 - first);
      return readBatches(sql, seq).catch(async (error: unknown) => {
        // A subscriber outlasts the connection: it asks again and goes on from where it stands.
        if (stopped || !isTransient(error)) throw error;
        await sleep(POLL_MS);
        return [];
      });
    },
    park: () => {
      const { promise: moved, resolve } = Promise.withResolvers<void>();
      const wake = (): void => {
        parked.delete(wake);
        resolve();
      };
      parked.add(wake);
      return { moved, wake };
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      answerBell();
      awake.resolve();
      // The pool ends what hangs on a connection that is half-open, and the listening one with it.
      await Promise.race([running, sleep(GOODBYE_MS, undefined, { ref: false })]);
    },
  };
};

const readHead = async (sql: Sql): Promise<number> => {
  const [row] = await sql<{ seq: number }[]>`SELECT seq FROM batches ORDER BY seq DESC LIMIT 1`;
  return row?.seq ?? 0;
};

/** Rings the readers of all servers after a commit, in a transaction of its own: inside the batch's it would make
 * commits wait for each other across the whole cluster. Rings while one is on its way become one. */
export const createDoorbell = (sql: Sql): (() => void) => {
  let underWay = false;
  let again = false;
  const ring = (): void => {
    if (underWay) {
      again = true;
      return;
    }
    underWay = true;
    void sql`SELECT pg_notify(${CHANNEL}, '')`
      .catch(() => {}) // the poll finds what a lost ring announced
      .finally(() => {
        underWay = false;
        if (again) ring();
        again = false;
      });
  };
  return ring;
};
