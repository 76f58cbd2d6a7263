// Ten thousand sockets that are subscribed and mostly quiet: by how much the server's resident memory grows with them,
// beside yoga's with createPubSub and graphql-ws. A few events are delivered to all, to show that they listen. Memory is looked
// at after a full collection: without it the same server's growth was 315 MB in one run and 507 in the next.

import type { Benchmark, Setting } from '../support/benchmark.ts';
import { startContender } from '../support/contender.ts';
import { median, table, tenths, times, whole } from '../support/table.ts';
import { crowds, sleep, startWatcher } from '../support/watch.ts';
import { type Way, allWays, rival } from './doors.ts';

const SOCKETS = 10_000;
/** Who was there before, so that a server which has never done anything is not what the growth is counted from. */
const FIRST_SOCKETS = 100;
const EVENTS_PER_SECOND = 1;
const SETTLING_SECONDS = 3;
const WANTED = 0.5;

type Growth = { readonly megabytes: number; readonly openedInSeconds: number };

const measure = async (
  { document, contender, name }: Way,
  { postgres, seconds, signal, say }: Setting,
): Promise<Growth> => {
  await using server = await startContender(contender, postgres, signal);
  const megabytes = async (): Promise<number> =>
    (await server.ask<number>('memoryInUse')) / 2 ** 20;
  const watch = async (sockets: number) => {
    const watcher = startWatcher(server, signal);
    await watcher.open({ document, groups: crowds.alike, sockets });
    await watcher.write({ eventsPerCall: 1, callsPerSecond: EVENTS_PER_SECOND });
    await sleep(seconds);
    await watcher.finish();
    return watcher;
  };
  await (await watch(FIRST_SOCKETS))[Symbol.asyncDispose]();
  await sleep(SETTLING_SECONDS);
  const before = await megabytes();
  const begun = performance.now();
  await using _watcher = await watch(SOCKETS);
  const openedInSeconds = (performance.now() - begun) / 1000 - seconds;
  await sleep(SETTLING_SECONDS);
  const grown = (await megabytes()) - before;
  say(`  ${name}: from ${whole(before)} MB by ${whole(grown)} MB`);
  return { megabytes: grown, openedInSeconds };
};

const report = (figures: ReadonlyMap<Way, readonly Growth[]>): string => {
  const growth = (way: Way): number => median(figures.get(way)!.map(({ megabytes }) => megabytes));
  const rows = [...figures].map(([way, growths]) => {
    const share = growth(way) / growth(rival);
    const judged = way !== rival;
    return [
      way.name,
      whole(growth(way)),
      tenths((growth(way) * 1024) / SOCKETS),
      judged ? times(share, 2) : '',
      judged ? `≤ ${WANTED}×` : '',
      judged ? (share <= WANTED ? 'yes' : 'NO') : '',
      tenths(median(growths.map(({ openedInSeconds }) => openedInSeconds))),
    ];
  });
  const header = ['medians', 'MB more', 'KB a socket', 'to the rival', 'wanted', 'reached', 'opened in s']; // oxfmt-ignore
  return table([header, ...rows]);
};

export const idle: Benchmark = {
  about: `${whole(SOCKETS)} quiet sockets: the memory that they take, beside yoga's`,
  run: async (setting) => {
    const ways = await allWays(setting);
    const figures = new Map<Way, Growth[]>(ways.map((way) => [way, []]));
    for (let round = 1; round <= setting.runs; round++)
      for (const way of round % 2 === 1 ? ways : ways.toReversed())
        figures.get(way)!.push(await measure(way, setting));
    setting.say(`\n${report(figures)}`);
  },
};
