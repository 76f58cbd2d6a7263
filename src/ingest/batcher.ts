// Group commit. Calls that arrive while a flush is under way go out together in the next one; there is no timer, so a
// lone call waits for nobody. A call's events are always committed together, and the caller is answered after the commit.

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
  readonly resolve: (placed: Placed) => void;
  readonly reject: (reason: unknown) => void;
};

export type BatcherOptions = {
  readonly append: (batch: Batch) => Promise<Appended>;
  /** How many batches may be on their way at once. */
  readonly writers: number;
  /** How many events may wait; over this a call is refused at once. */
  readonly maxWaiting: number;
  /** The most events in a batch; 1 makes a commit per call. */
  readonly maxBatch?: number;
};

export type Batcher = {
  /** Stores the events of one call; resolves after their commit. Rejects with OVERLOADED, or with what `append` threw. */
  readonly add: (events: readonly Prepared[]) => Promise<Placed>;
  /** Resolves when everything accepted so far has been answered. */
  readonly drained: () => Promise<void>;
};

export const createBatcher = ({
  append,
  writers,
  maxWaiting,
  maxBatch = BATCH_SPAN,
}: BatcherOptions): Batcher => {
  const waiting: Call[] = [];
  let waitingEvents = 0;
  let flushing = 0;
  let scheduled = false;
  let idle: (() => void)[] = [];

  const takeBatch = (): Call[] => {
    let size = 0;
    let count = 0;
    while (
      count < waiting.length &&
      (count === 0 || size + waiting[count]!.events.length <= maxBatch)
    )
      size += waiting[count++]!.events.length;
    waitingEvents -= size;
    return waiting.splice(0, count);
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
      const appended = await append({
        key: randomUUID(),
        events: calls.flatMap((call) => call.events),
      });
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
      // With the database away, those who wait would only find the same out later.
      const refused = isUnavailable(error) ? [...calls, ...waiting.splice(0)] : calls;
      if (isUnavailable(error)) waitingEvents = 0;
      for (const call of refused) call.reject(error);
    }
  };

  const start = (): void => {
    scheduled = false;
    while (waiting.length > 0 && flushing < writers) void flush();
    if (waiting.length === 0 && flushing === 0) {
      for (const resolve of idle) resolve();
      idle = [];
    }
  };

  return {
    add: (events) => {
      if (waitingEvents + events.length > maxWaiting)
        return Promise.reject(
          new JejakError(
            'OVERLOADED',
            'More events are waiting than can be stored now; try again shortly with the same eventId.',
            { details: { retryAfterMs: 250 } },
          ),
        );
      return new Promise((resolve, reject) => {
        waiting.push({ events, resolve, reject });
        waitingEvents += events.length;
        if (scheduled) return;
        scheduled = true;
        queueMicrotask(start);
      });
    },
    drained: () =>
      waiting.length === 0 && flushing === 0
        ? Promise.resolve()
        : new Promise((resolve) => void idle.push(resolve)),
  };
};
