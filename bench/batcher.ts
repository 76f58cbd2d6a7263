// What group commit costs and gains: 1,024 callers with an event each beside rows in batches of the same size, over the
// same two connections; and one lone caller beside the same statement without a batcher.

import { MAX_BATCH } from '../src/ingest/batcher.ts';
import type { Way } from './servers/batcher.ts';
import type { Benchmark, Setting } from './support/benchmark.ts';
import { startContender } from './support/contender.ts';
import { median, percent, table, whole } from './support/table.ts';
import type { Work, Worked } from './support/writers.ts';

const contender = { name: 'batcher', file: new URL('./servers/batcher.ts', import.meta.url) };
const WARM_UP_SECONDS = 1;

type Case = {
  readonly name: string;
  readonly way: Way;
  readonly callers: number;
  readonly eventsPerCall: number;
};
type Pair = readonly [ours: Case, beside: Case];

const many: Pair = [
  { name: 'batcher, 1,024 callers', way: 'batcher', callers: 1_024, eventsPerCall: 1 },
  { name: 'rows, two connections', way: 'rows', callers: 2, eventsPerCall: MAX_BATCH },
];
const lone: Pair = [
  { name: 'batcher, one caller', way: 'batcher', callers: 1, eventsPerCall: 1 },
  { name: 'its statement alone', way: 'statement', callers: 1, eventsPerCall: 1 },
];

const measure = async (pair: Pair, setting: Setting): Promise<readonly [Worked[], Worked[]]> => {
  const figures: [Worked[], Worked[]] = [[], []];
  for (let round = 1; round <= setting.runs; round++)
    for (const index of round % 2 === 1 ? ([0, 1] as const) : ([1, 0] as const)) {
      await using process = await startContender(contender, setting.postgres, setting.signal);
      const { way, callers, eventsPerCall } = pair[index];
      const load: Work = { warmUpSeconds: WARM_UP_SECONDS, seconds: setting.seconds, callers, eventsPerCall }; // oxfmt-ignore
      figures[index].push(await process.ask<Worked>('run', { ...load, way }));
    }
  return figures;
};

const middle = (figures: readonly Worked[], of: keyof Worked): number =>
  median(figures.map((figure) => figure[of]));

export const batcher: Benchmark = {
  about:
    'the batcher alone: 1,024 callers beside rows in one INSERT, one caller beside its statement',
  run: async (setting) => {
    const [ours, rows] = await measure(many, setting);
    const [waiting, bare] = await measure(lone, setting);
    const row = ({ name }: Case, figures: readonly Worked[], ratio: string, wanted: string) => [
      name,
      whole(middle(figures, 'eventsPerSecond')),
      ratio,
      wanted,
      middle(figures, 'p50Ms').toFixed(2),
      middle(figures, 'p99Ms').toFixed(2),
    ];
    const share = middle(ours, 'eventsPerSecond') / middle(rows, 'eventsPerSecond');
    const wait = middle(waiting, 'p50Ms') - middle(bare, 'p50Ms');
    setting.say(
      table([
        ['medians', 'events/s', 'share', 'wanted', 'p50 ms', 'p99 ms'],
        row(many[0], ours, percent(share), '80 %'),
        row(many[1], rows, '', ''),
        row(lone[0], waiting, '', ''),
        row(lone[1], bare, '', ''),
      ]),
    );
    setting.say(
      `\nA lone caller waits ${(wait * 1000).toFixed(0)} µs longer (medians; none wanted).`,
    );
  },
};
