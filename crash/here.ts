// The cast of the profiles `short` and `long`: writers and a subscriber of each server, all in this process.

import { setTimeout as sleep } from 'node:timers/promises';
import { createChain } from './checker.ts';
import { startNaive } from './naive.ts';
import type { Cast, Casting } from './run.ts';
import { startSubscriber } from './subscriber.ts';
import { startLoad } from './writers.ts';

/** How many events the writers may be ahead of the slowest subscriber. */
const LEAD = 60_000;
const NEGATIVE_MS = 8_000;

export const castHere = async ({
  stage,
  options,
  profile,
  anomalies,
  resources,
}: Casting): Promise<Cast> => {
  const { history, cluster, writer, first, second } = stage;
  const { seed, negative = false } = options;
  const servers = [first, second];
  const reading = resources.use(new AsyncDisposableStack());
  const chains = (
    negative ? ['the naive reader'] : servers.map(({ name }) => `the subscriber of ${name}`)
  ).map((name) => createChain(name, history, anomalies));
  if (negative) reading.use(await startNaive(chains[0]!, cluster));
  else
    for (const [index, server] of servers.entries())
      reading.use(startSubscriber(chains[index]!, server, anomalies));

  const behind = (): number =>
    history.totals.acknowledged - Math.min(...chains.map(({ count }) => count()));
  const load = startLoad(Array.from({ length: profile.writers }, writer), servers, {
    seed,
    singles: profile.singles,
    pauseMs: negative ? 0 : profile.pauseMs,
    hold: () => !negative && behind() > LEAD,
  });
  return {
    followers: chains,
    writers: [],
    readers: [],
    stopWriting: load.stop,
    stopReading: () => reading.disposeAsync(),
    chains: () => chains,
    err: () => sleep(NEGATIVE_MS),
  };
};
