// Group commit. Calls that arrive while a flush is under way go out together in the next one; there is no timer, so a
// lone call waits for nobody. A call's events are always committed together, and the caller is answered after the commit.
//
// What waits is bounded, by events and by bytes, and shared fairly: owners (API keys) take turns call by call, and each may
// use one share more than there are owners waiting, so that there is always room for one who comes.

import { randomUUID } from 'node:crypto';
import type { Prepared } from '../events/complete.ts';
import { BATCH_SPAN } from '../database/schema.ts';
import { isDataError } from '../database/failures.ts';
import { JejakError, isUnavailable } from '../errors.ts';
import type { Appended, Batch } from './append.ts';

/** The part of an appended batch that belongs to one call: `offset` is the place of the call's first event. */
export type Placed = { readonly appended: Appended; readonly offset: number };

type Call = {
  readonly events: readonly Prepared[];
  /** The part of the bound that it takes, 0 to 1. */
  readonly load: number;
  readonly resolve: (placed: Placed) => void;
  readonly reject: (reason: unknown) => void;
};

export type BatcherOptions = {
  readonly append: (batch: Batch) => Promise<Appended>;
  /** How many batches may be on their way at once. */
  readonly writers: number;
  /** How many events, and how many bytes of them, may wait; over either a call is refused at once. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes?: number;
  /** The most events in a batch; 1 makes a commit per call. */
  readonly maxBatch?: number;
};

export type Batcher = {
  /** Stores the events of one call; resolves after their commit. Rejects with OVERLOADED, or with what `append` threw. */
  readonly add: (events: readonly Prepared[], owner?: number) => Promise<Placed>;
  /** Gives up what waits and is not on its way yet. */
  readonly abandon: (reason: Error) => void;
  /** Resolves when everything accepted so far has been answered. */
  readonly drained: () => Promise<void>;
};

export const createBatcher = ({
  append,
  writers,
  maxWaiting,
  maxWaitingBytes = Infinity,
  maxBatch = BATCH_SPAN,
}: BatcherOptions): Batcher => {
  // The owner whose turn it is comes first; one that had its turn goes to the end.
  const queues = new Map<number, { readonly calls: Call[]; load: number }>();
  let load = 0;
  let waiting = 0;
  let flushing = 0;
  let scheduled = false;
  let idle: (() => void)[] = [];
  const worthAnother = Math.min(WORTH_ANOTHER, maxBatch);

  const takeBatch = (): Call[] => {
    const batch: Call[] = [];
    let size = 0;
    for (const [owner, queue] of queues) {
      const call = queue.calls[0]!;
      size += call.events.length;
      if (batch.length > 0 && size > maxBatch) break;
      batch.push(call);
      queue.calls.shift();
      queue.load -= call.load;
      load -= call.load;
      waiting -= call.events.length;
      queues.delete(owner);
      if (queue.calls.length > 0) queues.set(owner, queue); // the loop comes to it again
    }
    if (queues.size === 0) load = 0; // no rounding is carried on
    return batch;
  };

  const flush = async (): Promise<void> => {
    flushing++;
    await commit(takeBatch());
    flushing--;
    start();
  };

  /** Commits the calls together; where the data of one is at fault, the halves apart, until that one stands alone. */
  const commit = async (calls: readonly Call[]): Promise<void> => {
    try {
      const events = calls.length === 1 ? calls[0]!.events : calls.flatMap((call) => call.events);
      const appended = await append({ key: randomUUID(), events });
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
    while (queues.size > 0 && flushing < writers && (flushing === 0 || waiting >= worthAnother))
      void flush();
    if (queues.size > 0 || flushing > 0) return;
    for (const resolve of idle) resolve();
    idle = [];
  };

  const abandon = (reason: Error): void => {
    for (const { calls } of queues.values()) for (const call of calls) call.reject(reason);
    queues.clear();
    load = waiting = 0;
  };

  return {
    abandon,
    add: (events, owner = 0) => {
      const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
      const added = Math.max(events.length / maxWaiting, bytes / maxWaitingBytes);
      const queue = queues.get(owner) ?? { calls: [], load: 0 };
      const owners = queues.size + (queue.calls.length === 0 ? 1 : 0);
      if (load + added > 1 || queue.load + added > 1 / (owners + 1))
        return Promise.reject(overloaded());
      return new Promise((resolve, reject) => {
        queue.calls.push({ events, load: added, resolve, reject });
        queue.load += added;
        load += added;
        waiting += events.length;
        queues.set(owner, queue);
        if (scheduled) return;
        scheduled = true;
        queueMicrotask(start);
      });
    },
    drained: () =>
      queues.size === 0 && flushing === 0
        ? Promise.resolve()
        : new Promise((resolve) => void idle.push(resolve)),
  };
};

/** Fewer events do not go out beside a batch that is under way: a commit costs PostgreSQL as much as 20 events. At 64
 * connections with an event each 24 gave 5,600 events a second, 8 gave 3,900 and 128 gave 4,800. */
const WORTH_ANOTHER = 24;

const RETRY_AFTER_MS = 250;

const overloaded = (): JejakError =>
  new JejakError(
    'OVERLOADED',
    'More events are waiting than can be stored now; try again shortly with the same eventId.',
    { details: { retryAfterMs: RETRY_AFTER_MS } },
  );
