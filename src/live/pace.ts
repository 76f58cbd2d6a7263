// How fast those who are behind read on: a few at a time in the process, and little at a time while others are served live,
// who would notice. But never so little that the log grows away from those who are behind.

import { setTimeout as sleep } from 'node:timers/promises';

const MAX_REPLAYS = 2;
/** Where somebody was served live so lately, replays go on by so little at a time, and rest after each time so many times as
 * long as it took, up to a bound, for what took long waited for its client. Beside 200 commits a second, on two cores that the
 * clients share, the p99 of others was then 1.3 to 1.8 times what it was before (6-9 ms), and one who replays had 1,600
 * events/s; 58,000-65,000 alone. With a rest of 6 it was 1.5 to 1.7 times and 3,500, resting between pages of 1,000 only 1.9 to
 * 6.3 and 6,000. */
const SERVING_MS = 250;
export const BESIDE = { events: 16, rest: 16 };
const MAX_PIECE_MS = 5;
/** Each replay reads about so many events for one that comes, or more. Beside 3,300 commits of one event a second, which is all
 * that two cores can do, a replay that always held back had 300 events/s. */
const AHEAD = 3;

export type Pace = {
  /** Somebody was served what had just come. */
  readonly served: () => void;
  /** So many events came. */
  readonly grew: (events: number) => void;
  /** Whether those who are behind go on by little at a time. */
  readonly holdsBack: () => boolean;
  /** After a piece of work for one who is behind that began then: rests, and lets go first what is on its way to others. */
  readonly rest: (began: number) => Promise<void>;
  /** Reads what is next for one who is behind when it is its turn; `atOnce` is how many events at a time, if that matters. */
  readonly inTurn: <P extends { readonly passed: number }>(
    read: (atOnce: number | undefined) => Promise<P>,
  ) => Promise<P>;
};

/** `underWay` is what is on its way to those who are served live, if anything is. */
export const createPace = (underWay: () => Promise<unknown> | undefined): Pace => {
  let running = 0;
  let resting = 0;
  let servedAt = -Infinity;
  const queue: (() => void)[] = [];
  const [grown, caughtUp] = [createMeter(), createMeter()];

  const holdsBack = (): boolean =>
    performance.now() - servedAt < SERVING_MS &&
    caughtUp.lately() >= AHEAD * Math.max(running + queue.length, resting) * grown.lately();

  const rest = async (began: number): Promise<void> => {
    resting++; // it may be between two pages, and then counts nowhere else
    try {
      if (!holdsBack()) return;
      await sleep(Math.min(performance.now() - began, MAX_PIECE_MS) * BESIDE.rest);
      await underWay();
    } finally {
      resting--;
    }
  };

  return {
    served: () => void (servedAt = performance.now()),
    grew: grown.add,
    holdsBack,
    rest,
    inTurn: async (read) => {
      if (running >= MAX_REPLAYS) await new Promise<void>((resolve) => void queue.push(resolve));
      else running++;
      try {
        if (holdsBack()) await underWay();
        const page = await read(holdsBack() ? BESIDE.events : undefined);
        caughtUp.add(page.passed);
        return page;
      } finally {
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
