// Writers and readers that are killed and started again (row B4, and what a reader that comes back may rely on).

import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../actor.ts';
import type { Arena } from '../arena.ts';

/** The rest of the log goes on meanwhile for so long at the most. */
const AWAY_MS = 600;

/** B4 */
export const killWriter = (arena: Arena): Promise<number> => killOne(arena, arena.writers);

/** B4 */
export const killReader = (arena: Arena): Promise<number> => killOne(arena, arena.readers);

const killOne = async (
  { random, first, second, recovered }: Arena,
  actors: readonly Actor[],
): Promise<number> => {
  const actor = random.pick(actors);
  await actor.stop('SIGKILL');
  await sleep(random.below(AWAY_MS));
  const since = performance.now();
  actor.start();
  return recovered(since, [first, second]);
};
