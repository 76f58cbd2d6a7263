// Servers that are killed, told to end, or started beside each other (rows A1, A5, A6, A9).

import { setTimeout as sleep } from 'node:timers/promises';
import { type Arena, openGround, temporary } from '../arena.ts';
import { judge } from '../checker.ts';

/** A1 */
export const killServer = async ({ first, second, random, recovered }: Arena): Promise<number> => {
  const server = random.pick([first, second]);
  const since = performance.now();
  await server.stop('SIGKILL');
  await server.start();
  return recovered(since, [first, second]);
};

/** A1 */
export const killBoth = async ({ first, second, recovered }: Arena): Promise<number> => {
  const since = performance.now();
  await Promise.all([first.stop('SIGKILL'), second.stop('SIGKILL')]);
  await Promise.all([first.start(), second.start()]);
  return recovered(since, [first, second]);
};

/** A5 */
export const joinAndLeave = async (arena: Arena): Promise<number> => {
  const { first, second, anomalies, cluster, server, recovered } = arena;
  await using third = server('a third server');
  const since = performance.now();
  await third.start();
  const spentMs = await recovered(since, [first, third]);
  await first.stop('SIGTERM'); // the third stays, and the database with it
  await recovered(performance.now(), [second, third]);
  await first.start();
  await third.stop('SIGTERM');
  await recovered(performance.now(), [first, second]);
  const count = await cluster.postmasters();
  if (count !== 1) anomalies.note('died', `${count} postmasters run on one directory`);
  return spentMs;
};

/** A6 */
export const endImpatiently = async (arena: Arena): Promise<number> => {
  const { client, first, second, random, recovered } = arena;
  const since = client.strike(); // the database ends with its last server
  first.signal('SIGTERM');
  await sleep(random.below(300));
  first.signal('SIGTERM');
  await Promise.race([first.ended(), sleep(random.below(1_500))]);
  await first.stop('SIGKILL');
  await first.start();
  return recovered(since, [first, second]);
};

const LATEST_MS = 3_500;

/** A9: a log of its own. The last round is left to finish. */
export const startTogether = async ({ random, anomalies }: Arena): Promise<number> => {
  await using ground = openGround(await temporary(), 9, anomalies);
  const pair = [ground.server('one of two'), ground.server('the other of two')];
  for (const server of pair) server.launch();
  await sleep(random.below(LATEST_MS));
  const killed = random.pick(pair);
  await killed.stop('SIGKILL');
  killed.launch();
  await sleep(random.below(LATEST_MS));
  await pair[0]!.stop('SIGKILL');
  const since = performance.now();
  await Promise.all(pair.map((server) => server.start()));
  const spentMs = await ground.recovered(since, pair);
  const [{ twice }] = await ground.cluster.using(
    (sql) => sql<[{ twice: number }]>`
      SELECT count(*) - count(DISTINCT hash) AS twice FROM drizzle.__drizzle_migrations`,
  );
  if (twice > 0) anomalies.note('doubled', `${twice} migrations were applied twice`);
  judge(ground.history, await ground.table(), [], anomalies);
  return spentMs;
};
