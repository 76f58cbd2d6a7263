// The database killed, stopped, or with pieces missing (rows A2, A3, A8).

import { setTimeout as sleep } from 'node:timers/promises';
import { type Severity, severities } from '../../src/events/vocabulary.ts';
import type { Arena } from '../arena.ts';
import { isBackend, kill, lives } from '../cluster.ts';
import { SILENCE_MS, expectAway } from './network.ts';

/** A2 */
export const killBackend = async ({
  cluster,
  client,
  random,
  first,
  second,
  recovered,
}: Arena): Promise<number> => {
  const backends = (await cluster.children()).filter(isBackend);
  const since = client.strike();
  if (backends.length > 0) kill(random.pick(backends).pid, 'SIGKILL');
  return recovered(since, [first, second]);
};

/** A2 */
export const killPostmaster = async (arena: Arena): Promise<number> => {
  const pid = await arena.cluster.postmaster();
  const since = arena.client.strike();
  const orphans = await arena.cluster.children();
  if (pid !== undefined) kill(pid, 'SIGKILL');
  // what its backends still acknowledge before they notice is no recovery
  for (const { pid: orphan } of orphans) while (await lives(orphan)) await sleep(10);
  return arena.recovered(since, [arena.first, arena.second]);
};

/** A2: the stop that PostgreSQL calls immediate; the server starts it again. */
export const stopImmediately = async ({
  cluster,
  client,
  first,
  second,
  recovered,
}: Arena): Promise<number> => {
  const pid = await cluster.postmaster();
  const since = client.strike();
  if (pid !== undefined) {
    kill(pid, 'SIGQUIT');
    while (await lives(pid)) await sleep(5);
  }
  return recovered(since, [first, second]);
};

/** A2 */
export const killEverything = async (arena: Arena): Promise<number> => {
  const [pid, children] = [await arena.cluster.postmaster(), await arena.cluster.children()];
  const since = arena.client.strike();
  for (const { pid: child } of children) kill(child, 'SIGKILL');
  if (pid !== undefined) kill(pid, 'SIGKILL');
  return arena.recovered(since, [arena.first, arena.second]);
};

/** A3 */
export const stopTheWorld = async (arena: Arena): Promise<number> => {
  const { client, cluster, first, second, longestMs } = arena;
  const pids = [await cluster.postmaster(), ...(await cluster.children()).map(({ pid }) => pid)];
  const each = (signal: NodeJS.Signals): void => {
    for (const pid of pids) if (pid !== undefined) kill(pid, signal);
  };
  client.strike();
  each('SIGSTOP');
  try {
    using _outage = client.outage([first, second]);
    await sleep(Math.max(longestMs / 2, SILENCE_MS));
    await expectAway(arena, [first, second]);
  } finally {
    each('SIGCONT');
  }
  return arena.recovered(performance.now(), [first, second]);
};

const DAY_MS = 86_400_000;
const LATE_EVENTS = 20;

/** A8: the partitions that are empty go, those of the days to come among them; then somebody reports what happened in
 * the time of one that is gone. */
export const dropPartitions = async (arena: Arena): Promise<number> => {
  const { first, second, writer, random, recovered } = arena;
  const past = (await dropEmpty(arena)).filter(({ severity, starts }) => {
    const ageDays = (Date.now() - starts.getTime()) / DAY_MS;
    return ageDays > 2 && ageDays < severities[severity].retentionDays - 1;
  });
  const leaf = random.pick(past); // one, so that the others can go another time
  const since = performance.now();
  const reporter = writer();
  const late = Array.from({ length: leaf ? LATE_EVENTS : 0 }, () => {
    const timestamp = new Date(leaf.starts.getTime() + random.below(DAY_MS)).toISOString();
    return reporter.next({
      severity: leaf.severity,
      timestamp,
      code: null,
      category: 'SYSTEM',
      type: 'LATE',
      name: 'Late',
    });
  });
  await Promise.all(late.map((event) => reporter.insist([event], [first, second])));
  return recovered(since, [first, second]);
};

type Leaf = { readonly name: string; readonly severity: Severity; readonly starts: Date };

/** Where a lock is not to be had soon, the load matters more. */
const dropEmpty = ({ cluster }: Arena): Promise<Leaf[]> =>
  cluster.using(async (sql) => {
    await sql`SET lock_timeout = '200ms'`;
    const leaves = await sql<{ name: string }[]>`
      SELECT relid::text AS name FROM pg_partition_tree('events') WHERE isleaf`;
    const dropped: Leaf[] = [];
    for (const { name } of leaves) {
      const [occupied] = await sql`SELECT FROM ${sql(name)} LIMIT 1`;
      const gone = !occupied && (await sql`DROP TABLE ${sql(name)}`.catch(() => undefined));
      if (gone) dropped.push({ name, ...boundsOf(name) });
    }
    return dropped;
  });

/** Of a name such as events_info_20250619. */
const boundsOf = (name: string) => {
  const [, severity, day] = name.split('_') as [string, string, string];
  const starts = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  return { severity: severity.toUpperCase() as Severity, starts: new Date(starts) };
};
