// Whether the database answers at all. A question may take its time, but where the database itself is silent nobody should
// wait for it: what is guarded then fails with UNAVAILABLE, within two seconds of the silence.

import type { Sql } from './connection.ts';
import { unavailable, unheard } from './failures.ts';

const BEAT_MS = 250;
const SILENT_AFTER_MS = 1_500;
/** So long after it was last heard, be it to refuse, and again, what connects to it may be at fault. */
const RENEW_MS = 5_000;

export type Pulse = Disposable & {
  /** Whether it answered lately. */
  readonly beats: () => boolean;
  /** And whether it did when it was last asked: where connections are refused there is no silence to wait for. */
  readonly ready: () => boolean;
  /** Has whatever is guarded fail with UNAVAILABLE. */
  readonly giveUp: () => void;
  /** Calls back whenever it has been silent for too long. */
  readonly onSilence: (listener: () => void) => void;
  /** The result of some work, or UNAVAILABLE where the database falls or is silent meanwhile. */
  readonly guard: <T>(work: () => T | PromiseLike<T>) => Promise<T>;
};

/** `renew` has what comes next go over fresh connections. */
export const createPulse = (sql: Sql, renew: () => void): Pulse => {
  const guarded = new Set<(reason: Error) => void>();
  const listeners: (() => void)[] = [];
  // Time in which this process was too busy to listen is not the database's silence: what counts is from beat to beat.
  let last = Date.now();
  let heard = last;
  const beats = (): boolean => last - heard <= SILENT_AFTER_MS;
  let renewedAt = 0;
  let refusedAt = 0;
  let asking = false;
  let failed = false;

  const giveUp = (reason: Error): void => {
    for (const reject of guarded) reject(reason);
  };

  const beat = setInterval(() => {
    const now = Date.now();
    heard += Math.max(0, now - last - 2 * BEAT_MS);
    last = now;
    if (!beats()) {
      giveUp(unavailable());
      for (const listener of listeners) listener();
      if (now - Math.max(heard, refusedAt, renewedAt) > RENEW_MS) {
        renewedAt = now;
        renew();
      }
    }
    if (asking) return;
    asking = true;
    sql`SELECT`
      .then(() => {
        heard = Date.now();
        failed = false;
        return undefined;
      })
      .catch((error: { severity?: string }) => {
        failed = true;
        if (error.severity !== undefined) refusedAt = Date.now(); // only the database says one
      })
      .finally(() => void (asking = false));
  }, BEAT_MS);

  return {
    onSilence: (listener) => void listeners.push(listener),
    giveUp: () => giveUp(unheard()),
    beats,
    ready: () => beats() && !failed,
    guard: (work) =>
      new Promise((resolve, reject) => {
        if (!beats()) return reject(unavailable());
        const end =
          <R>(settle: (result: R) => void) =>
          (result: R): void => {
            guarded.delete(reject);
            settle(result);
          };
        Promise.resolve(work()).then(end(resolve), end(reject));
        guarded.add(reject);
      }),
    [Symbol.dispose]: () => clearInterval(beat),
  };
};
