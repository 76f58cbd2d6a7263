// How fast those who are behind read on while others are served live, by a clock that no other work of the machine delays.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPace } from '../../src/live/pace.ts';

vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => void setTimeout(resolve, ms)),
}));
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => vi.useRealTimers());

/** Until what grew lately is known, and then how long it is measured. */
const WARM_UP_MS = 1_500;
const SECONDS = 1;
const READ_MS = 4;
/** In which a page is given to its reader, each followed by a rest. */
const PARTS = 8;

/** How many events a second each of some replays reads, while a log grows and somebody is served what comes. */
const readBeside = async (grownPerSecond: number, replays: number): Promise<number[]> => {
  const pace = createPace(() => undefined);
  const begins = performance.now() + WARM_UP_MS;
  const ends = begins + SECONDS * 1000;
  const read = async (atOnce = 1_000) => {
    const began = performance.now();
    await sleep(READ_MS);
    await pace.rest(began);
    return { passed: atOnce };
  };
  const replay = async (): Promise<number> => {
    let events = 0;
    while (performance.now() < ends) {
      const { passed } = await pace.inTurn(read);
      for (let part = 0; part < PARTS; part++) {
        const began = performance.now();
        await sleep(1);
        await pace.rest(began);
      }
      if (performance.now() > begins) events += passed;
    }
    return events / SECONDS;
  };
  const growing = setInterval(() => {
    pace.grew(grownPerSecond / 100);
    pace.served();
  }, 10);
  const rates = Promise.all(Array.from({ length: replays }, replay));
  await vi.advanceTimersByTimeAsync(WARM_UP_MS + SECONDS * 1000);
  clearInterval(growing);
  await vi.runAllTimersAsync();
  return rates;
};

test.each([1, 4])('beside a log that grows slowly %i replays hold back', async (replays) => {
  const rates = await readBeside(100, replays);
  expect(Math.max(...rates)).toBeLessThan(5_000);
});

test.each([1, 3])('a log never grows faster than %i replays read it', async (replays) => {
  const rates = await readBeside(8_000, replays);
  expect(Math.min(...rates)).toBeGreaterThan(1.25 * 8_000);
});

test('what is on its way to those who are served live goes before those who are behind', async () => {
  let underWay: Promise<void> | undefined;
  const pace = createPace(() => underWay);
  const done: string[] = [];
  pace.served();
  underWay = sleep(100).then(() => void done.push('live'));
  const both = Promise.all([
    pace.inTurn(async () => ({ passed: done.push('page') })),
    pace.rest(performance.now()).then(() => done.push('part')),
  ]);
  await vi.runAllTimersAsync();
  await both;
  expect(done[0]).toBe('live');
  expect(done.toSorted()).toEqual(['live', 'page', 'part']);
});
