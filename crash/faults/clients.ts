// Writers and readers that are killed and started again (row B4, and what a reader that comes back may rely on).

import { setTimeout as sleep } from 'node:timers/promises';
import type { Arena } from '../arena.ts';

/** The rest of the log goes on meanwhile for so long at the most. */
const AWAY_MS = 600;
/** By when one that was started reads. */
const READ_MS = 5_000;

/** B4 */
export const killWriter = async (arena: Arena): Promise<number> => {
  const { random, writers, first, second, recovered } = arena;
  const writer = random.pick(writers);
  await writer.stop('SIGKILL');
  await sleep(random.below(AWAY_MS));
  writer.start();
  return recovered(performance.now(), [first, second]);
};

/** Killed, and once more in the middle of what it missed. */
export const killReader = async (arena: Arena): Promise<number> => {
  const { random, readers, followers, first, second, recovered } = arena;
  const reader = random.pick(readers);
  const { count } = followers.find(({ name }) => name === reader.name)!;
  await reader.stop('SIGKILL');
  await sleep(random.below(AWAY_MS));
  const had = count();
  reader.start();
  for (const until = performance.now() + READ_MS; count() === had && performance.now() < until;)
    await sleep(1);
  await reader.stop('SIGKILL');
  reader.start();
  return recovered(performance.now(), [first, second]);
};
