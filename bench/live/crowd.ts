// A thousand sockets on everything that is logged, beside yoga with createPubSub and graphql-ws doing the same: how many
// frames and events each delivers for a second of the server's processor time. The next call is sent when the last one's
// events have arrived on every socket, so that each goes at its own pace and none is flooded.

import type { Benchmark, Setting } from '../support/benchmark.ts';
import { startContender } from '../support/contender.ts';
import { summarize } from '../support/profile.ts';
import { median, percent, table, tenths, times, whole } from '../support/table.ts';
import { type Costing, type Group, crowds, startWatcher, writeFor } from '../support/watch.ts';
import { type Way, allWays, ourWays, rival } from './doors.ts';

const SOCKETS = 1_000;
const WARM_UP_SECONDS = 2;

type Load = {
  readonly name: string;
  readonly groups: readonly Group[];
  readonly eventsPerCall: number;
  /** How many times the rival's events ours must be, by way. */
  readonly wanted: Readonly<Record<string, number>>;
};
// oxfmt-ignore
const loads: readonly Load[] = [
  { name: 'single events, one filter', groups: crowds.alike, eventsPerCall: 1, wanted: { eventLogged: 3 } },
  { name: 'single events, 100 filters', groups: crowds.different, eventsPerCall: 1, wanted: { eventLogged: 3 } },
  { name: 'calls of 100, one filter', groups: crowds.alike, eventsPerCall: 100, wanted: { eventStream: 15 } },
  { name: 'calls of 100, 100 filters', groups: crowds.different, eventsPerCall: 100, wanted: {} },
];

/** Each load on a server of its own for all of them. */
const measure = async (
  { document, contender, name }: Way,
  { postgres, seconds, signal, say }: Setting,
): Promise<Costing[]> => {
  await using server = await startContender(contender, postgres, signal);
  const costings: Costing[] = [];
  for (const { groups, eventsPerCall, name: load } of loads) {
    await using watcher = startWatcher(server, signal);
    await watcher.open({ document, groups, sockets: SOCKETS });
    await writeFor(WARM_UP_SECONDS, { eventsPerCall }, watcher, server);
    const costing = await writeFor(seconds, { eventsPerCall }, watcher, server);
    say(`  ${load}, ${name}: ${whole(eventsPerCpu(costing))} events/CPU-second`);
    costings.push(costing);
  }
  return costings;
};

const eventsPerCpu = ({ deliveries, serverSeconds }: Costing): number => deliveries / serverSeconds;
const framesPerCpu = ({ frames, serverSeconds }: Costing): number => frames / serverSeconds;

type Row = { readonly way: Way; readonly costings: readonly Costing[] };

const header = ['medians', 'frames/CPU-s', 'events/CPU-s', 'to the rival', 'wanted', 'reached', 'events/s', 'p50 ms', 'p99 ms', 'server', 'generator', 'others']; // oxfmt-ignore

const rowOf = ({ way, costings }: Row, { wanted }: Load, base: number): string[] => {
  const middle = (of: (one: Costing) => number): number => median(costings.map(of));
  const ratio = middle(eventsPerCpu) / base;
  const least = way.door && wanted[way.door];
  return [
    `  ${way.name}`,
    whole(middle(framesPerCpu)),
    whole(middle(eventsPerCpu)),
    way === rival ? '' : times(ratio, 2),
    least === undefined ? '' : `${least}×`,
    least === undefined ? '' : ratio >= least ? 'yes' : 'NO',
    whole(middle(({ deliveries, seconds }) => deliveries / seconds)),
    tenths(middle(({ fromSending }) => fromSending.p50Ms)),
    tenths(middle(({ fromSending }) => fromSending.p99Ms)),
    percent(middle(({ serverSeconds, seconds }) => serverSeconds / seconds)),
    percent(middle(({ cpuSeconds, seconds }) => cpuSeconds / seconds)),
    percent(middle(({ othersCpu }) => othersCpu)),
  ];
};

const report = (figures: ReadonlyMap<Way, readonly (readonly Costing[])[]>): string => {
  const rows = loads.flatMap((load, index) => {
    const taken = [...figures].map(([way, rounds]): Row => ({ way, costings: rounds.map((round) => round[index]!) })); // oxfmt-ignore
    const base = median(taken[0]!.costings.map(eventsPerCpu));
    return [
      [load.name, ...header.slice(1).map(() => '')],
      ...taken.map((row) => rowOf(row, load, base)),
    ];
  });
  return `${table([header, ...rows])}

Events count once for each socket that has them. Latencies are from the sending of a call to each frame's arrival.
Where the generator has a whole core, or the server less than one, events/s and latencies are not the server's limit.`;
};

export const crowd: Benchmark = {
  about: `${whole(SOCKETS)} sockets: frames and events for a second of processor time, beside yoga's`,
  run: async (setting) => {
    const ways = await allWays(setting);
    const figures = new Map<Way, Costing[][]>(ways.map((way) => [way, []]));
    for (let round = 1; round <= setting.runs; round++)
      for (const way of round % 2 === 1 ? ways : ways.toReversed())
        figures.get(way)!.push(await measure(way, setting));
    setting.say(`\n${report(figures)}`);
  },
  profile: async (setting) => {
    const { postgres, seconds, signal, say } = setting;
    for (const { name, contender, document } of ourWays)
      for (const { groups, eventsPerCall, name: load } of loads) {
        await using server = await startContender(contender, postgres, signal);
        await using watcher = startWatcher(server, signal);
        await watcher.open({ document, groups, sockets: SOCKETS });
        await writeFor(WARM_UP_SECONDS, { eventsPerCall }, watcher, server);
        await server.profile();
        const costing = await writeFor(seconds, { eventsPerCall }, watcher, server);
        say(`\n${load}, ${name}: ${whole(eventsPerCpu(costing))} events/CPU-second while profiled`);
        say(summarize(await server.profiled()));
      }
  },
};
