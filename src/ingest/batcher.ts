// Group commit. Calls that arrive while a flush is under way go out together in the next one; a lone call waits for nobody
// else to come. A call's events are always committed together, and the caller is answered after the commit. Owners (API keys)
// take turns call by call.

import { randomUUID } from 'node:crypto';
import type { Prepared } from '../events/complete.ts';
import { isDataError, isLockedOut, unheard } from '../database/failures.ts';
import { isUnavailable } from '../errors.ts';
import type { Appended, Batch } from './append.ts';

/** The part of an appended batch that belongs to one call: `offset` is the place of the call's first event. */
export type Placed = { readonly appended: Appended; readonly offset: number };

type Call = {
  readonly events: readonly Prepared[];
  readonly ownerHash: string;
  readonly since: number;
  readonly resolve: (placed: Placed) => void;
  readonly reject: (reason: unknown) => void;
};

export type BatcherOptions = {
  readonly append: (batch: Batch) => Promise<Appended>;
  /** How many batches may be on their way at once. */
  readonly writers: number;
  /** The most events in a batch of several calls; 1 makes a commit per call. */
  readonly maxBatch?: number;
  /** How long a call may wait before it is on its way. */
  readonly patienceMs?: number;
};

export type Batcher = {
  /** Stores the events of one call; resolves after their commit. Rejects with what `append` threw. The hash of the owner is
   * stored with the ids that callers supplied. */
  readonly add: (
    events: readonly Prepared[],
    owner?: string,
    ownerHash?: string,
  ) => Promise<Placed>;
  /** Gives up what waits and is not on its way yet. */
  readonly abandon: (reason: Error) => void;
  /** Resolves when everything accepted so far has been answered. */
  readonly drained: () => Promise<void>;
};

export const createBatcher = ({
  append,
  writers,
  maxBatch = MAX_BATCH,
  patienceMs = PATIENCE_MS,
}: BatcherOptions): Batcher => {
  // The owner whose turn it is comes first; one that had its turn goes to the end.
  const queues = new Map<string, Call[]>();
  let waiting = 0; // events
  let flushing = 0;
  let begunAt = 0;
  let scheduled = false;
  let late: NodeJS.Timeout | undefined;
  let losingPatience: NodeJS.Timeout | undefined;
  let idle: (() => void)[] = [];
  const worthAnother = Math.min(WORTH_ANOTHER, maxBatch);

  const takeBatch = (): Call[] => {
    const batch: Call[] = [];
    let size = 0;
    for (const [owner, calls] of queues) {
      const call = calls[0]!;
      size += call.events.length;
      if (batch.length > 0 && size > maxBatch) break;
      batch.push(call);
      calls.shift();
      waiting -= call.events.length;
      queues.delete(owner);
      if (calls.length > 0) queues.set(owner, calls); // the loop comes to it again
    }
    return batch;
  };

  const flush = async (): Promise<void> => {
    flushing++;
    begunAt = performance.now();
    await commit(takeBatch());
    flushing--;
    start();
  };

  /** Commits the calls together; where the data of one is at fault, the halves apart, until that one stands alone. */
  const commit = async (calls: readonly Call[]): Promise<void> => {
    try {
      const events = calls.length === 1 ? calls[0]!.events : calls.flatMap((call) => call.events);
      const owners = calls.flatMap((call) => call.events.map(() => call.ownerHash));
      const appended = await append({ key: randomUUID(), events, owners });
      let offset = 0;
      for (const call of calls) {
        call.resolve({ appended, offset });
        offset += call.events.length;
      }
    } catch (error) {
      if (isDataError(error) && calls.length > 1) {
        const middle = calls.length >> 1;
        await commit(calls.slice(0, middle));
        await commit(calls.slice(middle));
        return;
      }
      for (const call of calls) call.reject(error);
      if (isAway(error)) abandon(error as Error);
    }
  };

  const start = (): void => {
    scheduled = false;
    const isWorth = (): boolean =>
      flushing === 0 || waiting >= worthAnother || performance.now() - begunAt > LATE_MS;
    while (queues.size > 0 && flushing < writers && isWorth()) void flush();
    // What is left looks again by itself; a flush that ends looks too.
    if (queues.size > 0 && flushing < writers)
      late ??= setTimeout(lookLate, begunAt + LATE_MS - performance.now()).unref();
    if (queues.size > 0 || flushing > 0) return;
    for (const resolve of idle) resolve();
    idle = [];
  };

  const lookLate = (): void => {
    late = undefined;
    start();
  };

  const losePatience = (): void => {
    losingPatience = undefined;
    const before = performance.now() - patienceMs;
    for (const [owner, calls] of queues) {
      while (calls[0] && calls[0].since < before) {
        waiting -= calls[0].events.length;
        calls.shift()!.reject(unheard());
      }
      if (calls.length === 0) queues.delete(owner);
    }
    awaitPatience();
  };
  const awaitPatience = (): void => {
    if (queues.size > 0) losingPatience ??= setTimeout(losePatience, patienceMs / 8).unref();
  };

  const abandon = (reason: Error): void => {
    for (const call of [...queues.values()].flat()) call.reject(reason);
    queues.clear();
    waiting = 0;
  };

  return {
    abandon,
    add: (events, owner = '', ownerHash = '') => {
      const { promise, resolve, reject } = Promise.withResolvers<Placed>();
      const call = { events, ownerHash, since: performance.now(), resolve, reject };
      waiting += events.length;
      const queue = queues.get(owner);
      if (queue) queue.push(call);
      else queues.set(owner, [call]);
      awaitPatience();
      if (!scheduled) {
        scheduled = true;
        process.nextTick(start); // all that is gone through side by side with it has come by then
      }
      return promise;
    },
    drained: () =>
      queues.size === 0 && flushing === 0
        ? Promise.resolve()
        : new Promise((resolve) => void idle.push(resolve)),
  };
};

/** Larger batches are no quicker to store, and who is in one waits for all of it. */
export const MAX_BATCH = 256;

/** Fewer events do not go out beside a batch that is under way: a commit costs PostgreSQL as much as 20 events. At 64
 * connections with an event each 8 gave 4,600 events a second, 24, 40 and 128 gave 4,900 to 5,000. */
const WORTH_ANOTHER = 24;

/** Nobody waits for longer behind a batch of which nothing is heard. */
const LATE_MS = 250;

/** All batches may be behind one lock, so that nothing goes out. */
const PATIENCE_MS = 8_000;

/** Whether those who wait would only find the same out later: the database is away or has no room. What a batch waited for in
 * vain, as behind a lock, is its own affair. */
const isAway = (error: unknown): boolean =>
  isUnavailable(error) && error.cause !== undefined && !isLockedOut(error.cause);
