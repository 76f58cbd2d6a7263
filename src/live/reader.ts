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
  PAGE_EVENTS,
  type Stretch,
  readBatches,
} from './read-batches.ts';

const POLL_MS = 250;
const CONFIRM_MS = 5_000;
const GOODBYE_MS = 1_000;
/** What is kept in memory: the last batches of at most so many events and bytes. */
const RING = { events: 10_000, bytes: 32 * 2 ** 20 };
/** What is taken at a time, from there or from the table. */
const PAGE = { events: PAGE_EVENTS, bytes: 4 * 2 ** 20 };
const MAX_REST_MS = 50;
const REMEMBERED_EVENTS = 2_000;

export type Reader = AsyncDisposable & {
  /** Has the log followed for somebody, from now at the latest, until the function that is returned is called. What was read
   * before is then still the history of the database. */
  readonly join: () => Promise<() => void>;
  /** The last batch that has been read. */
  readonly head: () => Head;
  /** Whether memory reaches back to a position, so that reading from there asks nothing of the database. */
  readonly remembers: (seq: number) => boolean;
  /** What comes after a position, from memory or from the table; no further than the head. */
  readonly after: (at: Head, need?: Need) => Promise<Stretch>;
  /** Resolves when the head has come to a batch that is known to be there, or the history was replaced. */
  readonly reached: (seq: number) => Promise<void>;
  /** Another number after the history was replaced by another. */
  readonly replacements: () => number;
  /** Calls back with whatever comes at the head, until the function that is returned is called. */
  readonly watch: (watcher: Watcher) => () => void;
  /** Resolves when the look that is under way has ended, and what it found is handed on; undefined where none is. */
  readonly underWay: () => Promise<unknown> | undefined;
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
  const held = { events: 0, bytes: 0 };
  let head: Head = { seq: 0, key: '' };
  let followers = 0;
  let awake = false;
  let current: Promise<void> | undefined;
  let looking: Promise<number | undefined> | undefined;
  let confirmedAt = 0;
  let replacements = 0;
  const watchers = new Set<Watcher>();
  let bell = Promise.withResolvers<void>();
  const answerBell = (): void => bell.resolve();
  doorbell.onRing(answerBell);

  const hold = (batches: readonly LoggedBatch[]): void => {
    const count = ({ events, bytes }: LoggedBatch, sign: 1 | -1): void => {
      held.events += sign * events.length;
      held.bytes += sign * bytes;
    };
    for (const batch of batches) count(batch, 1);
    ring.push(...batches);
    while ((held.events > RING.events || held.bytes > RING.bytes) && ring.length > 1)
      count(ring.shift()!, -1);
  };
  const forget = (): void => void (ring.length = held.events = held.bytes = 0);

  let bytesPerEvent = 0; // of those that were read last
  const read = async (at: Head, need: Need = {}, upTo?: number): Promise<Stretch> => {
    const { atOnce = PAGE.events } = need;
    // A power of two: each number is a statement of its own, which stays prepared.
    const fitting = 2 ** Math.floor(Math.log2(PAGE.bytes / bytesPerEvent));
    const most = Math.max(1, Math.min(atOnce, fitting));
    const stretch = await readBatches(sql, at, { ...need, atOnce: most }, upTo);
    const { events, bytes } = amountOf(stretch.batches);
    if (events > 0) bytesPerEvent = bytes / events;
    return stretch;
  };

  const keep = ({ batches, end, broken }: Stretch): void => {
    if (broken) {
      // Never while the database keeps its history. Subscribers before it hear CURSOR_EXPIRED.
      logger.error({ head, next: end.seq }, 'The log has a gap');
      forget();
    }
    head = end;
    hold(batches);
  };

  /** Hands on what came, and says how long that took. */
  const deliver = async (stretch: Stretch): Promise<number> => {
    const begun = performance.now();
    keep(stretch);
    for (const { committedAt } of stretch.batches)
      metrics.lagSeconds.observe(Math.max(0, Date.now() - committedAt) / 1000);
    for (const watcher of watchers) watcher.came(stretch);
    await allDone();
    return performance.now() - begun;
  };

  /** What was committed while nobody followed is read only as far back as those may stand who come again after a break. */
  const wakeUp = async (): Promise<void> => {
    const { before, last } = await newest(sql, REMEMBERED_EVENTS);
    let at: Head = { seq: before, key: '' };
    const batches: LoggedBatch[] = [];
    // Not to the end: where others write without a pause there is none.
    while (at.seq < last) {
      const stretch = await read(at, {}, last);
      if (stretch.end === at) break;
      if (stretch.broken) batches.length = 0;
      at = stretch.end;
      batches.push(...stretch.batches);
    }
    replacements++;
    head = at;
    forget();
    hold(batches);
    confirmedAt = Date.now();
    awake = followers > 0;
    answerBell();
  };

  let confirming: Promise<void> | undefined;
  /** Asks whether the database still has what was read last; those who ask at the same time ask together. */
  const confirm = (): Promise<void> =>
    (confirming ??= compareKeys().finally(() => (confirming = undefined)));

  const compareKeys = async (): Promise<void> => {
    confirmedAt = Date.now();
    const at = head;
    if (at.seq === 0) return;
    const [row] = await sql<{ key: string }[]>`SELECT key FROM batches WHERE seq = ${at.seq}`;
    if (head === at && row?.key !== at.key) await beginAnew();
  };

  const beginAnew = async (): Promise<void> => {
    logger.error({ head }, 'The history of the database is another than before');
    await wakeUp();
    for (const watcher of watchers) watcher.replaced();
  };

  /** Hands on what has come, if anything has, and says how long that took. */
  const look = async (): Promise<number | undefined> => {
    const from = head;
    const stretch = await read(from);
    if (head !== from || !awake) return 0; // all left, and others may have come meanwhile
    if (stretch.broken !== 'replaced') return stretch.end === from ? undefined : deliver(stretch);
    await beginAnew();
    return 0;
  };

  /** Looks once. Then rests as long as it took to hand on what came, so that under load what comes meanwhile goes out together;
   * where nothing came it waits for the bell. */
  const follow = async (): Promise<void> => {
    looking = look();
    const took = await looking.finally(() => (looking = undefined));
    if (took !== undefined) {
      if (took > 1) await sleep(Math.min(took, MAX_REST_MS));
      return;
    }
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
      await follow().catch(async (error: unknown) => {
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
      const isFirst = current === undefined;
      const waking = (current ??= wakeUp());
      try {
        await waking;
        if (!isFirst) await confirm();
      } catch (error) {
        if (!awake && current === waking) current = undefined;
        leave();
        throw error;
      }
      return leave;
    },
    head: () => head,
    remembers: (seq) => seq + 1 >= (ring[0]?.seq ?? head.seq + 1),
    after: async (at, need) => {
      if (at.seq >= head.seq) return { batches: [], end: at, passed: 0 };
      const first = ring[0]?.seq ?? head.seq + 1;
      if (at.seq + 1 < first) return read(at, need, head.seq);
      const batches = firstOf(ring.slice(at.seq + 1 - first));
      const { seq, key } = batches.at(-1)!;
      return { batches, end: { seq, key }, passed: amountOf(batches).events };
    },
    replacements: () => replacements,
    reached: (seq) =>
      new Promise((resolve) => {
        const done = (): void => {
          watchers.delete(watcher);
          resolve();
        };
        const compare = (): void => void (head.seq >= seq && done());
        const watcher = { came: compare, replaced: done };
        watchers.add(watcher);
        compare();
      }),
    watch: (watcher) => {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    underWay: () => looking?.catch(() => undefined),
    async [Symbol.asyncDispose]() {
      stopped = true;
      answerBell();
      // The pool ends what hangs on a connection that is half-open.
      await Promise.race([running, sleep(GOODBYE_MS, undefined, { ref: false })]);
    },
  };
};

const amountOf = (batches: readonly LoggedBatch[]): { events: number; bytes: number } => {
  const amount = { events: 0, bytes: 0 };
  for (const batch of batches) {
    amount.events += batch.events.length;
    amount.bytes += batch.bytes;
  }
  return amount;
};

/** The first batches that make a page, or the one that holds more. */
const firstOf = (batches: readonly LoggedBatch[]): readonly LoggedBatch[] => {
  let [events, bytes] = [0, 0];
  const end = batches.findIndex((batch) => {
    events += batch.events.length;
    bytes += batch.bytes;
    return events >= PAGE.events || bytes >= PAGE.bytes;
  });
  return end < 0 ? batches : batches.slice(0, end + 1);
};

/** The last batch, and the one before those that hold the last so many events; 0 where there is none. */
const newest = async (sql: Sql, events: number): Promise<{ before: number; last: number }> => {
  const [row] = await sql<[{ before: number; last: number }]>`
    SELECT coalesce(min(seq) - 1, 0) AS before, coalesce(max(seq), 0) AS last FROM (
      SELECT seq, sum(size) OVER (ORDER BY seq DESC) - size AS later
      FROM (SELECT seq, size FROM batches ORDER BY seq DESC LIMIT ${events}) AS newest
    ) AS page WHERE later < ${events}`;
  return row;
};

/** Resolves after what subscribers do at once, before anything else. */
const allDone = (): Promise<void> =>
  new Promise((resolve) => {
    nextTick(resolve);
  });
