// How fast those who are behind read on: a few at a time in the process, and little at a time while others are served live,
// who would notice. But never so little that the log grows away from those who are behind.

import { setTimeout as sleep } from 'node:timers/promises';

const MAX_REPLAYS = 2;
/** Where somebody was served live so lately, replays read so little at a time, and rest after it so many times as long as it
 * took. Beside 200 commits a second, on two cores that the clients share, one who replays then had 6,000-8,600 events/s, and
 * 66,000 alone; the p99 of others was 1.3 to 2.3 times what it was before. With 256 at a time it was 18,000/s and 3 to 3.6. */
const SERVING_MS = 250;
const BESIDE = { events: 32, rest: 3 };
/** Each replay reads about so many events for one that comes, or more. Beside 3,300 commits of one event a second, which is all
 * that two cores can do, a replay that always held back had 300 events/s. */
const AHEAD = 3;

export type Pace = {
  /** Somebody was served what had just come. */
  readonly served: () => void;
  /** So many events came. */
  readonly grew: (events: number) => void;
  /** Reads what is next for one who is behind when it is its turn; `atOnce` is how many events at a time, if that matters. */
  readonly inTurn: <P extends { readonly passed: number }>(
    read: (atOnce: number | undefined) => Promise<P>,
  ) => Promise<P>;
};

export const createPace = (): Pace => {
  let running = 0;
  let restsUntil = 0;
  let servedAt = -Infinity;
  const queue: (() => void)[] = [];
  const [grown, caughtUp] = [createMeter(), createMeter()];

  const holdsBack = (): boolean =>
    performance.now() - servedAt < SERVING_MS &&
    caughtUp.lately() >= AHEAD * (running + queue.length) * grown.lately();

  return {
    served: () => void (servedAt = performance.now()),
    grew: grown.add,
    inTurn: async (read) => {
      if (running >= MAX_REPLAYS) await new Promise<void>((resolve) => void queue.push(resolve));
      else running++;
      const begun = Math.max(performance.now(), restsUntil);
      if (begun === restsUntil && holdsBack()) await sleep(begun - performance.now());
      try {
        const page = await read(holdsBack() ? BESIDE.events : undefined);
        caughtUp.add(page.passed);
        return page;
      } finally {
        const now = performance.now();
        restsUntil = Math.max(now, restsUntil) + (holdsBack() ? (now - begun) * BESIDE.rest : 0);
        const following = queue.shift();
        if (following) following();
        else running--;
      }
    },
  };
};

/** How much was added in about the last second. */
const createMeter = () => {
  const MEMORY_MS = 1_000;
  let [sum, at] = [0, 0];
  const lately = (): number => {
    const now = performance.now();
    sum *= Math.exp((at - now) / MEMORY_MS);
    at = now;
    return sum;
  };
  return { lately, add: (more: number): void => void (sum = lately() + more) };
};
