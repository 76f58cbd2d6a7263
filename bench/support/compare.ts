// Contenders under the same loads: they take turns, each time on a new database, and medians are compared. A measurement
// during which others used the machine is set aside and taken again, once at most.

import type { Setting } from './benchmark.ts';
import { type Contender, startContender } from './contender.ts';
import { type Load, type Measured, putLoad } from './load.ts';
import { summarize } from './profile.ts';
import { median, percent, table, tenths, times, whole } from './table.ts';

const WARM_UP_SECONDS = 2;
/** Shares of one core. */
const DISTURBED = 0.25;
const EXTRA_ROUNDS = 1;

/** Prints a table; ratios are to the last contender. */
export const compare = async (
  contenders: readonly Contender[],
  loads: readonly Load[],
  { postgres, seconds, runs, signal, say }: Setting,
): Promise<void> => {
  const figures = createFigures(contenders, runs);
  const pairs = contenders.flatMap((contender) => loads.map((load) => ({ contender, load })));
  for (let round = 1; round <= runs + EXTRA_ROUNDS; round++) {
    const wanted = pairs.filter(({ load, contender }) => !figures.enough(load, contender));
    for (const contender of round % 2 === 1 ? contenders : contenders.toReversed()) {
      const left = wanted.filter((pair) => pair.contender === contender);
      if (left.length === 0) continue;
      await using server = await startContender(contender, postgres, signal);
      for (const { load } of left) {
        const timing = { warmUpSeconds: WARM_UP_SECONDS, seconds };
        const measured = await putLoad(load, server, timing, signal);
        figures.add(load, contender, measured);
        say(`  ${load.name}, ${contender.name}: ${describe(measured)}`);
      }
    }
  }
  say(`\n${report(contenders, loads, figures)}`);
};

/** Prints where the server's time goes, once its database is filled. */
export const profile = async (
  contender: Contender,
  loads: readonly Load[],
  { postgres, seconds, signal, say }: Setting,
  fill: (databaseUrl: string) => Promise<void> = async () => {},
): Promise<void> => {
  await using server = await startContender(contender, postgres, signal);
  await fill(server.databaseUrl);
  for (const load of loads) {
    await putLoad(load, server, { warmUpSeconds: 0, seconds: WARM_UP_SECONDS }, signal);
    await server.profile();
    const measured = await putLoad(load, server, { warmUpSeconds: 0, seconds }, signal);
    const rate =
      load.eventsPerCall === 0 ? `${whole(measured.callsPerSecond)} calls/s` : describe(measured);
    say(`\n${load.name}: ${rate} while profiled`);
    say(summarize(await server.profiled()));
  }
};

const describe = ({ eventsPerSecond, othersCpu }: Measured): string =>
  `${whole(eventsPerSecond)} events/s` +
  (othersCpu > DISTURBED ? ` (disturbed: others used ${percent(othersCpu)} of a core)` : '');

type Figures = {
  readonly add: (load: Load, contender: Contender, measured: Measured) => void;
  readonly enough: (load: Load, contender: Contender) => boolean;
  /** The undisturbed ones, where every contender has such; all of them otherwise. */
  readonly of: (load: Load, contender: Contender) => readonly Measured[];
  /** Whether `of` gives undisturbed ones only, so that a ratio means something. */
  readonly fair: (load: Load) => boolean;
};

const createFigures = (contenders: readonly Contender[], runs: number): Figures => {
  const all = new Map<string, Measured[]>();
  const taken = (load: Load, contender: Contender): Measured[] => {
    const key = `${load.name}/${contender.name}`;
    return all.get(key) ?? all.set(key, []).get(key)!;
  };
  const calm = (load: Load, contender: Contender): Measured[] =>
    taken(load, contender).filter(({ othersCpu }) => othersCpu <= DISTURBED);
  const fair = (load: Load): boolean => contenders.every((each) => calm(load, each).length > 0);
  return {
    add: (load, contender, measured) => void taken(load, contender).push(measured),
    enough: (load, contender) => calm(load, contender).length >= runs,
    of: (load, contender) => (fair(load) ? calm : taken)(load, contender),
    fair,
  };
};

const header = ['medians', 'events/s', 'ratio', 'p50 ms', 'p99 ms', 'events/commit', 'server µs/event', 'server', 'PostgreSQL', 'generator', 'others', 'runs']; // oxfmt-ignore

const report = (
  contenders: readonly Contender[],
  loads: readonly Load[],
  figures: Figures,
): string => {
  const row = (load: Load, contender: Contender): string[] => {
    const measured = figures.of(load, contender);
    const figure = (name: keyof Measured) => median(measured.map((one) => one[name]));
    const base = median(figures.of(load, contenders.at(-1)!).map((one) => one.eventsPerSecond));
    return [
      `  ${contender.name}`,
      whole(figure('eventsPerSecond')),
      figures.fair(load) ? times(figure('eventsPerSecond') / base) : 'disturbed',
      tenths(figure('p50Ms')),
      tenths(figure('p99Ms')),
      whole(figure('eventsPerCommit')),
      whole((figure('serverCpu') / figure('eventsPerSecond')) * 1e6),
      percent(figure('serverCpu')),
      percent(figure('postgresCpu')),
      percent(figure('generatorCpu')),
      percent(figure('othersCpu')),
      String(measured.length),
    ];
  };
  const rows = loads.flatMap((load) => [
    [load.name, ...header.slice(1).map(() => '')],
    ...contenders.map((contender) => row(load, contender)),
  ]);
  return `${table([header, ...rows])}

Who used the processor, from "server" to "others", is in shares of one core. All share the machine: where others use much of
it, the figures are too low.`;
};
