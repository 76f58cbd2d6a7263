// Follows the log for one process: reads what comes after its position whenever the doorbell rings, and at least every
// quarter of a second, and keeps the latest batches in memory; while nobody follows it rests. Subscribers read from here,
// or from the table where they are further behind; whichever, they see the same batches in the same order.

import { nextTick } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/connection.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { Doorbell } from './doorbell.ts';
import {
  type Head,
  type LoggedBatch,
  type Need,
  type Stretch,
  readBatches,
} from './read-batches.ts';

const POLL_MS = 250;
const CONFIRM_MS = 5_000;
const GOODBYE_MS = 1_000;
const RING_EVENTS = 10_000;
/** How many events are taken from memory at a time. */
const PAGE_EVENTS = 1_000;
const MAX_REST_MS = 50;
const REMEMBERED_EVENTS = 2_000;

export type Reader = AsyncDisposable & {
  /** Has the log followed for somebody, from now at the latest, until the function that is returned is called. */
  readonly join: () => Promise<() => void>;
  /** The last batch that has been read. */
  readonly head: () => Head;
  /** Whether memory reaches back to a position, so that reading from there asks nothing of the database. */
  readonly remembers: (seq: number) => boolean;
  /** What comes after a position, from memory or from the table; no further than the head. */
  readonly after: (at: Head, need?: Need) => Promise<Stretch>;
  /** Resolves when the head has come to a batch that is known to be there. */
  readonly reached: (seq: number) => Promise<void>;
  /** How often the history was replaced by another. */
  readonly replacements: () => number;
  /** Calls back with whatever comes at the head, until the function that is returned is called. */
  readonly watch: (watcher: Watcher) => () => void;
};

export type Watcher = {
  readonly came: (stretch: Stretch) => void;
  /** What was followed is not the history of this database any more, as after a failover that lost its end. */
  readonly replaced: () => void;
};

export const createReader = (
  sql: Sql,
  doorbell: Doorbell,
  logger: Logger,
  metrics: Metrics,
): Reader => {
  let stopped = false;
  const ring: LoggedBatch[] = [];
  let ringEvents = 0;
  let head: Head = { seq: 0, key: '' };
  let followers = 0;
  let awake = false;
  let current: Promise<void> | undefined;
  let confirmedAt = 0;
  let replacements = 0;
  const watchers = new Set<Watcher>();
  let bell = Promise.withResolvers<void>();
  const answerBell = (): void => bell.resolve();
  doorbell.onRing(answerBell);

  const keep = ({ batches, end, dense }: Stretch): void => {
    if (!dense) {
      // Never while the database keeps its history. Subscribers before it hear CURSOR_EXPIRED.
      logger.error({ head, next: end.seq }, 'The log has a gap');
      ring.length = ringEvents = 0;
    }
    head = end;
    for (const batch of batches) ringEvents += batch.events.length;
    ring.push(...batches);
    while (ringEvents > RING_EVENTS && ring.length > 1) ringEvents -= ring.shift()!.events.length;
  };

  /** Hands on what came. Then rests as long as that took, so that under load what comes meanwhile goes out together. */
  const deliver = async (stretch: Stretch): Promise<void> => {
    const begun = performance.now();
    keep(stretch);
    for (const { committedAt } of stretch.batches)
      metrics.lagSeconds.observe(Math.max(0, Date.now() - committedAt) / 1000);
    for (const watcher of watchers) watcher.came(stretch);
    await allDone();
    const took = performance.now() - begun;
    if (took > 1) await sleep(Math.min(took, MAX_REST_MS));
  };

  /** What was committed while nobody followed is read only as far back as those may stand who come again after a break. */
  const wakeUp = async (): Promise<void> => {
    let at: Head = { seq: await beforeLast(sql, REMEMBERED_EVENTS), key: '' };
    const batches: LoggedBatch[] = [];
    for (;;) {
      const stretch = await readBatches(sql, at);
      if (stretch.end === at) break;
      at = stretch.end;
      batches.push(...stretch.batches);
    }
    head = at;
    ring.splice(0, ring.length, ...batches);
    ringEvents = batches.reduce((sum, { events }) => sum + events.length, 0);
    confirmedAt = Date.now();
    awake = followers > 0;
    answerBell();
  };

  const confirm = async (): Promise<void> => {
    confirmedAt = Date.now();
    if (head.seq === 0) return;
    const [row] = await sql<{ key: string }[]>`SELECT key FROM batches WHERE seq = ${head.seq}`;
    if (row?.key === head.key) return;
    logger.error({ head }, 'The history of the database is another than before');
    await wakeUp();
    replacements++;
    for (const watcher of watchers) watcher.replaced();
  };

  const look = async (): Promise<void> => {
    const from = head;
    const stretch = await readBatches(sql, from);
    if (head !== from || !awake) return; // all left, and others may have come meanwhile
    if (stretch.end !== from) return deliver(stretch);
    if (Date.now() - confirmedAt > CONFIRM_MS) await confirm();
    const poll = setTimeout(answerBell, POLL_MS);
    if (!stopped) await bell.promise;
    clearTimeout(poll);
  };

  const run = async (): Promise<void> => {
    while (!stopped) {
      bell = Promise.withResolvers(); // armed before the read: a ring during it is not lost
      if (!awake) {
        await bell.promise;
        continue;
      }
      await look().catch(async (error: unknown) => {
        if (stopped) return;
        logger.warn({ err: error }, 'The log cannot be read now; trying again');
        await sleep(POLL_MS);
      });
    }
  };
  const running = run();

  return {
    join: async () => {
      followers++;
      let gone = false;
      const leave = (): void => {
        if (gone) return;
        gone = true;
        if (--followers > 0) return;
        current = undefined;
        awake = false;
      };
      try {
        await (current ??= wakeUp());
      } catch (error) {
        current = undefined;
        leave();
        throw error;
      }
      return leave;
    },
    head: () => head,
    remembers: (seq) => seq + 1 >= (ring[0]?.seq ?? head.seq + 1),
    after: async (at, need) => {
      if (at.seq >= head.seq) return { batches: [], end: at, dense: true };
      const first = ring[0]?.seq ?? head.seq + 1;
      if (at.seq + 1 < first) {
        const stretch = await readBatches(sql, at, need, head.seq);
        return { ...stretch, dense: stretch.dense && stretch.end !== at }; // there was something, and it is gone
      }
      const batches = atMost(PAGE_EVENTS, ring.slice(at.seq + 1 - first));
      return { batches, end: batches.at(-1)!, dense: true };
    },
    replacements: () => replacements,
    reached: (seq) =>
      new Promise((resolve) => {
        const compare = (): void => {
          if (head.seq < seq) return;
          watchers.delete(watcher);
          resolve();
        };
        const watcher = { came: compare, replaced: compare };
        watchers.add(watcher);
        compare();
      }),
    watch: (watcher) => {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    async [Symbol.asyncDispose]() {
      stopped = true;
      answerBell();
      // The pool ends what hangs on a connection that is half-open.
      await Promise.race([running, sleep(GOODBYE_MS, undefined, { ref: false })]);
    },
  };
};

/** The first batches that hold so many events, or the one that holds more. */
const atMost = (events: number, batches: readonly LoggedBatch[]): readonly LoggedBatch[] => {
  let sum = 0;
  const end = batches.findIndex((batch) => (sum += batch.events.length) >= events);
  return end < 0 ? batches : batches.slice(0, end + 1);
};

/** The position before the last so many events. */
const beforeLast = async (sql: Sql, events: number): Promise<number> => {
  const [row] = await sql<{ seq: number | null }[]>`
    SELECT min(seq) - 1 AS seq FROM (
      SELECT seq, sum(size) OVER (ORDER BY seq DESC) - size AS later
      FROM (SELECT seq, size FROM batches ORDER BY seq DESC LIMIT ${events}) AS newest
    ) AS page WHERE later < ${events}`;
  return row?.seq ?? 0;
};

/** Resolves after what subscribers do at once, before anything else. */
const allDone = (): Promise<void> =>
  new Promise((resolve) => {
    nextTick(resolve);
  });
