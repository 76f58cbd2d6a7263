// Whether the log stays as fast: over minutes on end, and with millions of rows in it. The rate of single events in the
// empty table, then `--rows` rows are put there, then the rate for `--minutes`, minute by minute.

import type { Benchmark, Setting } from './support/benchmark.ts';
import { type Running, startContender } from './support/contender.ts';
import { fill } from './support/fill.ts';
import { type Measured, putLoad } from './support/load.ts';
import { logEvent } from './support/loads.ts';
import { median, percent, table, tenths, whole } from './support/table.ts';

const jejak = { name: 'Jejak', file: new URL('./servers/jejak.ts', import.meta.url) };
const WANTED = 0.8;
const WARM_UP_SECONDS = 2;

const measure = (server: Running, seconds: number, { signal }: Setting): Promise<Measured> =>
  putLoad(logEvent, server, { warmUpSeconds: WARM_UP_SECONDS, seconds }, signal);

export const steady: Benchmark = {
  about: 'the rate with many rows (--rows) and over minutes (--minutes), beside the empty table',
  run: async (setting) => {
    const { rows, minutes, seconds, runs, postgres, signal, say } = setting;
    await using server = await startContender(jejak, postgres, signal);
    const empty: Measured[] = [];
    for (let run = 1; run <= runs; run++) empty.push(await measure(server, seconds, setting));
    const begun = performance.now();
    await fill(server, rows);
    say(
      `  ${whole(rows)} rows were put there in ${((performance.now() - begun) / 1000).toFixed(0)} s`,
    );

    const later: Measured[] = [];
    const slice = Math.min(60, minutes * 60);
    for (let past = 0; past < minutes * 60; past += slice)
      later.push(await measure(server, slice, setting));

    const before = median(empty.map(({ eventsPerSecond }) => eventsPerSecond));
    const row = (name: string, { eventsPerSecond, p50Ms, p99Ms, othersCpu }: Measured) => {
      const share = eventsPerSecond / before;
      return [name, whole(eventsPerSecond), percent(share), share >= WANTED ? 'yes' : 'NO', tenths(p50Ms), tenths(p99Ms), percent(othersCpu)]; // oxfmt-ignore
    };
    say(
      table([
        [`wanted ${percent(WANTED)}`, 'events/s', 'share', 'reached', 'p50 ms', 'p99 ms', 'others'],
        ...empty.map((measured, index) => row(`empty, run ${index + 1}`, measured)),
        ...later.map((measured, index) => row(`${whole(rows)} rows, part ${index + 1}`, measured)),
      ]),
    );
  },
};
