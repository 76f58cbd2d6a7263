// Five thousand sockets with cursors, and the server is killed: it starts again on the same database, all come back at once
// with full jitter, and each must have had every event exactly once. The one who writes sends a call again until it is
// answered, with the same ids.

import type { Benchmark, Setting } from '../support/benchmark.ts';
import { startContender } from '../support/contender.ts';
import { median, table, whole } from '../support/table.ts';
import { crowds, sleep, startWatcher } from '../support/watch.ts';
import { type Way, jejak, ourWays } from './doors.ts';

const SOCKETS = 5_000;
/** Each waits a random part of it before every try. */
const JITTER_SECONDS = 5;
const WRITING = { eventsPerCall: 1, callsPerSecond: 1, insistent: true };
const CALM_SECONDS = 3;
const WANTED_SECONDS = 10;

/** Seconds from the kill. */
type Storm = {
  readonly accepting: number;
  readonly half: number;
  readonly last: number;
};

const measure = async (
  { document, name }: Way,
  { postgres, signal, say }: Setting,
): Promise<Storm> => {
  // oxfmt-ignore
  await using server = await startContender(jejak, postgres, signal);
  await using watcher = startWatcher(server, signal);
  await watcher.open({ document, groups: crowds.alike, sockets: SOCKETS, comeBackSeconds: JITTER_SECONDS }); // oxfmt-ignore
  await watcher.write(WRITING);
  await sleep(CALM_SECONDS);
  const { killedAt, acceptedAt } = await server.crash();
  const seconds = (at: number): number => (at - killedAt) / 1000;
  const resumed = (await watcher.resumed()).map(seconds);
  await watcher.finish();
  const storm = {
    accepting: seconds(acceptedAt),
    half: median(resumed),
    last: Math.max(...resumed),
  };
  say(`  ${name}: the last after ${storm.last.toFixed(2)} s`);
  return storm;
};

const rowsOf = ({ name }: Way, storms: readonly Storm[]): string[][] => {
  const figure = (of: keyof Storm): number => median(storms.map((storm) => storm[of]));
  const [accepting, half, last] = [figure('accepting'), figure('half'), figure('last')];
  const shown = (value: number): string => value.toFixed(2);
  return [
    [name, '', '', ''],
    ['  the server accepts again', shown(accepting), '', ''],
    ['  half of the sockets have events again', shown(half), '', ''],
    ['  all of them have', shown(last), `≤ ${WANTED_SECONDS}`, last <= WANTED_SECONDS ? 'yes' : 'NO'], // oxfmt-ignore
    ['    from when the server accepts again', shown(last - accepting), '', ''],
  ];
};

export const storm: Benchmark = {
  about: `${whole(SOCKETS)} sockets come back after the server was killed`,
  run: async (setting) => {
    const lines: string[][] = [];
    for (const way of ourWays) {
      const storms: Storm[] = [];
      for (let round = 1; round <= setting.runs; round++) storms.push(await measure(way, setting));
      lines.push(...rowsOf(way, storms));
    }
    setting.say(`\n${table([['seconds from the kill, medians', 'measured', 'wanted', 'reached'], ...lines])}`); // oxfmt-ignore
  },
};
