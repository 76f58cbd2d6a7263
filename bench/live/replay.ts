// The whole log (`--rows` events) to one client, from the earliest: how fast, and whether those who watch meanwhile notice.

import type { Benchmark, Setting } from '../support/benchmark.ts';
import { type Running, startContender } from '../support/contender.ts';
import { fill } from '../support/fill.ts';
import { median, table, tenths, times, whole } from '../support/table.ts';
import { type Watched, type Watcher, crowds, sleep, startWatcher, writeFor } from '../support/watch.ts'; // oxfmt-ignore
import { type Way, jejak, ourWays } from './doors.ts';

const SOCKETS = 10;
const WRITING = { eventsPerCall: 1, callsPerSecond: 200 };
/** What the rows are copies of. */
const SAMPLE_WRITING = { eventsPerCall: 100, callsPerSecond: 20 };
const SAMPLE_SECONDS = 1;
const WARM_UP_SECONDS = 2;
/** What the roll-ups have yet to do; it would be measured too. */
const NOT_COUNTED = 'SELECT max(batches.seq) - min(at.seq) FROM batches, rollup_position AS at';
const WANTED = { eventsPerSecond: 50_000, ratio: 1.25 };

type Round = {
  /** While the others are there and nothing comes for them. */
  readonly alonePerSecond: number;
  readonly eventsPerSecond: number;
  readonly before: Watched;
  readonly during: Watched;
};

const measure = async (
  { document, door }: Way,
  server: Running,
  watcher: Watcher,
  { seconds, signal }: Setting,
): Promise<Round> => {
  await using reader = startWatcher(server, signal);
  await watcher.open({ document, groups: crowds.alike, sockets: SOCKETS });
  await writeFor(WARM_UP_SECONDS, WRITING, watcher, server);
  const before = await writeFor(seconds, WRITING, watcher, server);
  const events = await server.count('SELECT count(*) FROM events WHERE processing_time_ms > 0');
  const sum = await server.count('SELECT sum(processing_time_ms) FROM events');
  await watcher.write(WRITING);
  const replayed = await reader.replay(door!, events);
  const during = await watcher.finish();
  const alone = await reader.replay(door!, events);
  if (replayed.sum !== sum)
    throw new Error(`The ${events} events add up to ${replayed.sum} instead of ${sum}.`);
  const [alonePerSecond, eventsPerSecond] = [events / alone.seconds, events / replayed.seconds];
  return { alonePerSecond, eventsPerSecond, before, during };
};

/** Puts the rows there while nobody watches, or they would count as live. */
const prepare = async ({ document }: Way, server: Running, { rows, signal }: Setting) => {
  {
    await using watcher = startWatcher(server, signal);
    await watcher.open({ document, groups: crowds.alike, sockets: 1 });
    await writeFor(SAMPLE_SECONDS, SAMPLE_WRITING, watcher, server);
  }
  await fill(server, rows);
  while ((await server.count(NOT_COUNTED)) > 0) await sleep(0.5);
};

const middle = (rounds: readonly Round[], of: (round: Round) => number): number =>
  median(rounds.map(of));

const rowsOf = ({ name, door }: Way, rounds: readonly Round[]): string[][] => {
  const alone = middle(rounds, ({ alonePerSecond }) => alonePerSecond);
  const rate = middle(rounds, ({ eventsPerSecond }) => eventsPerSecond);
  const before = middle(rounds, (round) => round.before.fromAnswer.p99Ms);
  const during = middle(rounds, (round) => round.during.fromAnswer.p99Ms);
  const judged = door === 'eventStream';
  const verdict = (reached: boolean): string => (judged ? (reached ? 'yes' : 'NO') : '');
  const wanted = (text: string): string => (judged ? text : '');
  return [
    [name, '', '', ''],
    ['  events/s to one client', whole(alone), wanted(`≥ ${whole(WANTED.eventsPerSecond)}`), verdict(alone >= WANTED.eventsPerSecond)], // oxfmt-ignore
    ['  the same beside others who watch', whole(rate), '', ''],
    [`  p99 of ${SOCKETS} other sockets before, ms`, tenths(before), '', ''],
    ['  p99 of them during the replay, ms', tenths(during), '', ''],
    ['  to that before', times(during / before, 2), wanted(`≤ ${WANTED.ratio}×`), verdict(during / before <= WANTED.ratio)], // oxfmt-ignore
  ];
};

export const replay: Benchmark = {
  about: 'the whole log (--rows) to one client, and what others who watch notice of it',
  rows: 1_000_000,
  run: async (setting) => {
    const { runs, postgres, signal, say } = setting;
    await using server = await startContender(jejak, postgres, signal);
    await prepare(ourWays[0]!, server, setting);
    const lines: string[][] = [];
    for (const way of ourWays) {
      const rounds: Round[] = [];
      for (let round = 1; round <= runs; round++) {
        await using watcher = startWatcher(server, signal);
        rounds.push(await measure(way, server, watcher, setting));
        say(`  ${way.name}: ${whole(rounds.at(-1)!.alonePerSecond)} events/s alone`);
      }
      lines.push(...rowsOf(way, rounds));
    }
    say(`\n${table([['medians', 'measured', 'wanted', 'reached'], ...lines])}`);
  },
};
