// Group commit. Calls that arrive while a flush is under way go out together in the next one; a lone call waits for nobody
// else to come. A call's events are always committed together, and the caller is answered after the commit.
//
// What is under way is bounded, by work and by bytes, and shared fairly: owners (API keys) take turns call by call, and the
// room is divided by one more than there are owners, so that there is always some for one who comes. A call that finds room
// is taken whatever its size; one that finds none is refused at once, best before it has been parsed.

import { randomUUID } from 'node:crypto';
import type { Prepared } from '../events/complete.ts';
import { isDataError } from '../database/failures.ts';
import { JejakError, isUnavailable } from '../errors.ts';
import type { Appended, Batch } from './append.ts';

/** The part of an appended batch that belongs to one call: `offset` is the place of the call's first event. */
export type Placed = { readonly appended: Appended; readonly offset: number };

type Call = {
  readonly events: readonly Prepared[];
  readonly owner: string;
  readonly ownerHash: string;
  readonly work: number;
  readonly bytes: number;
  readonly resolve: (placed: Placed) => void;
  readonly reject: (reason: unknown) => void;
};

export type BatcherOptions = {
  readonly append: (batch: Batch) => Promise<Appended>;
  /** How many batches may be on their way at once. */
  readonly writers: number;
  /** How much work may be under way, an event counting 1 and a call 2 more but at most 62, and how many bytes of events. */
  readonly maxWork: number;
  readonly maxBytes?: number;
  /** The most events in a batch of several calls; 1 makes a commit per call. */
  readonly maxBatch?: number;
};

export type Batcher = {
  /** Stores the events of one call; resolves after their commit. Rejects with OVERLOADED, or with what `append` threw. The hash
   * of the owner is stored with the ids that callers supplied. */
  readonly add: (
    events: readonly Prepared[],
    owner?: string,
    ownerHash?: string,
  ) => Promise<Placed>;
  /** Throws OVERLOADED where a call of this owner would be refused now. */
  readonly assertRoom: (owner: string) => void;
  /** How much is under way, as `maxWork` counts it. */
  readonly work: () => number;
  /** Gives up what waits and is not on its way yet. */
  readonly abandon: (reason: Error) => void;
  /** Resolves when everything accepted so far has been answered. */
  readonly drained: () => Promise<void>;
};

export const createBatcher = ({
  append,
  writers,
  maxWork,
  maxBytes = Infinity,
  maxBatch = MAX_BATCH,
}: BatcherOptions): Batcher => {
  // The owner whose turn it is comes first; one that had its turn goes to the end.
  const queues = new Map<string, Call[]>();
  const workOf = new Map<string, number>(); // of each owner, with what is on its way
  let work = 0;
  let bytes = 0;
  let waiting = 0; // events
  let flushing = 0;
  let begunAt = 0;
  let scheduled = false;
  let late: NodeJS.Timeout | undefined;
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
    const calls = takeBatch();
    await commit(calls);
    calls.forEach(release);
    flushing--;
    start();
  };

  const take = (call: Call, sign: 1 | -1): void => {
    work += sign * call.work;
    bytes += sign * call.bytes;
    const owned = (workOf.get(call.owner) ?? 0) + sign * call.work;
    if (owned === 0) workOf.delete(call.owner);
    else workOf.set(call.owner, owned);
  };
  const release = (call: Call): void => take(call, -1);

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
      // With the database away, those who wait would only find the same out later.
      if (isUnavailable(error)) abandon(error as Error);
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

  const abandon = (reason: Error): void => {
    for (const call of [...queues.values()].flat()) {
      call.reject(reason);
      release(call);
    }
    queues.clear();
    waiting = 0;
  };

  const assertRoom = (owner: string): void => {
    const owned = workOf.get(owner) ?? 0;
    const owners = workOf.size + (owned === 0 ? 1 : 0);
    if (work >= maxWork || owned >= maxWork / (owners + 1)) throw overloaded;
  };

  return {
    abandon,
    assertRoom,
    work: () => work,
    add: async (events, owner = '', ownerHash = '') => {
      assertRoom(owner);
      const size = events.reduce((sum, event) => sum + event.bytes, 0);
      if (bytes > 0 && bytes + size > maxBytes) throw overloaded;
      const { promise, resolve, reject } = Promise.withResolvers<Placed>();
      const call = {
        events,
        owner,
        ownerHash,
        work: CALL_WORK + Math.min(events.length, MAX_CALL_WORK),
        bytes: size,
        resolve,
        reject,
      };
      take(call, 1);
      waiting += events.length;
      const queue = queues.get(owner);
      if (queue) queue.push(call);
      else queues.set(owner, [call]);
      if (!scheduled) {
        scheduled = true;
        queueMicrotask(start);
      }
      return promise;
    },
    drained: () =>
      queues.size === 0 && flushing === 0
        ? Promise.resolve()
        : new Promise((resolve) => void idle.push(resolve)),
  };
};

/** A call costs about as much as two events, whatever it carries. One of very many counts as one of 60: it was gathered so as
 * to cost less, and others need not wait for it, because owners take turns. */
const CALL_WORK = 2;
const MAX_CALL_WORK = 60;

/** Larger batches are no quicker to store, and who is in one waits for all of it. */
export const MAX_BATCH = 256;

/** Fewer events do not go out beside a batch that is under way: a commit costs PostgreSQL as much as 20 events. At 64
 * connections with an event each 24 gave 5,600 events a second, 8 gave 3,900 and 128 gave 4,800. */
const WORTH_ANOTHER = 24;

/** Nobody waits for longer behind a batch of which nothing is heard. */
const LATE_MS = 250;

const RETRY_AFTER_MS = 100;

/** Made once: under a flood its stack, which nobody reads, took 12 % of the server's time. */
const overloaded = new JejakError(
  'OVERLOADED',
  'More events are waiting than can be stored now; try again shortly with the same eventId.',
  { details: { retryAfterMs: RETRY_AFTER_MS } },
);
