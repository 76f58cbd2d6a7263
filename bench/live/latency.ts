// How soon an event that was acknowledged is on the sockets, at a rate that leaves the server room; and that another
// transaction which stays open, in the same database or in another one of the cluster, does not hold it back.

import { connect } from '../../src/database/connection.ts';
import type { Benchmark, Setting } from '../support/benchmark.ts';
import { type Running, startContender } from '../support/contender.ts';
import { median, table, tenths, times, whole } from '../support/table.ts';
import { type Watched, type Watcher, crowds, sleep, startWatcher, writeFor } from '../support/watch.ts'; // oxfmt-ignore
import { type Way, jejak, ourWays } from './doors.ts';

const WARM_UP_SECONDS = 2;
/** How long the other transaction stays open, and how long each measurement that is compared with it takes. */
const OPEN_SECONDS = 3;
const TOLERANCE = 1.2;

type Load = {
  readonly sockets: number;
  readonly callsPerSecond: number;
  readonly p50Ms?: number;
  readonly p99Ms: number;
};
const loads: readonly Load[] = [
  { sockets: 10, callsPerSecond: 200, p50Ms: 5, p99Ms: 25 },
  { sockets: 1_000, callsPerSecond: 10, p99Ms: 50 },
];

/** Where the other transaction is. */
const others = {
  none: () => undefined,
  'in the same database': (server: Running) => server.databaseUrl,
  'in another database': (_server: Running, elsewhere: string) => elsewhere,
} as const;
type Other = keyof typeof others;
const names = Object.keys(others) as Other[];

/** A transaction with an id, for so long. */
const holdOpen = async (url: string): Promise<void> => {
  const sql = connect({ url }, { name: 'other', max: 1 });
  await sql.begin(async (transaction) => {
    await transaction`SELECT pg_current_xact_id()`;
    await sleep(OPEN_SECONDS);
  });
  await sql.end();
};

const watch = async (
  { sockets, callsPerSecond }: Load,
  { document }: Way,
  server: Running,
  signal: AbortSignal,
): Promise<Watcher> => {
  const watcher = startWatcher(server, signal);
  await watcher.open({ document, groups: crowds.alike, sockets });
  await writeFor(WARM_UP_SECONDS, { eventsPerCall: 1, callsPerSecond }, watcher, server);
  return watcher;
};

const measureLoad = async (
  load: Load,
  way: Way,
  server: Running,
  { seconds, signal, say }: Setting,
): Promise<Watched> => {
  await using watcher = await watch(load, way, server, signal);
  const { callsPerSecond, sockets } = load;
  const watched = await writeFor(seconds, { eventsPerCall: 1, callsPerSecond }, watcher, server);
  say(`  ${whole(sockets)} sockets, ${way.name}: p99 ${tenths(watched.fromAnswer.p99Ms)} ms`);
  return watched;
};

/** There and back, so that none has the warmer server; one p99 of so few seconds is half again another of the same. */
const measureOthers = async (
  way: Way,
  server: Running,
  { postgres, signal, say }: Setting,
): Promise<Record<Other, Watched[]>> => {
  const load = loads[0]!;
  await using elsewhere = await postgres.createDatabase();
  await using watcher = await watch(load, way, server, signal);
  const measured = Object.fromEntries(names.map((other) => [other, []])) as unknown as Record<Other, Watched[]>; // oxfmt-ignore
  for (const other of [...names, ...names.toReversed()]) {
    const url = others[other](server, elsewhere.url);
    const held = url === undefined ? undefined : holdOpen(url);
    const { callsPerSecond } = load;
    const watched = await writeFor(OPEN_SECONDS, { eventsPerCall: 1, callsPerSecond }, watcher, server); // oxfmt-ignore
    await held;
    measured[other].push(watched);
    say(`  another transaction ${other}, ${way.name}: p99 ${tenths(watched.fromAnswer.p99Ms)} ms`);
  }
  return measured;
};

type Round = { readonly loads: readonly Watched[]; readonly others: Record<Other, Watched[]> };

const measure = async (way: Way, setting: Setting): Promise<Round> => {
  const { postgres, signal } = setting;
  await using server = await startContender(jejak, postgres, signal);
  const measured: Watched[] = [];
  for (const load of loads) measured.push(await measureLoad(load, way, server, setting));
  return {
    loads: measured,
    others: await measureOthers(way, server, setting),
  };
};

const middle = (watched: readonly Watched[], of: (one: Watched) => number): number =>
  median(watched.map(of));

const figures = (watched: readonly Watched[]): string[] => [
  tenths(middle(watched, ({ fromAnswer }) => fromAnswer.p50Ms)),
  tenths(middle(watched, ({ fromAnswer }) => fromAnswer.p99Ms)),
  tenths(middle(watched, ({ fromSending }) => fromSending.p50Ms)),
  tenths(middle(watched, ({ fromSending }) => fromSending.p99Ms)),
];

const rowOfLoad = (load: Load, watched: readonly Watched[]): string[] => {
  const { sockets, callsPerSecond, p50Ms = Infinity, p99Ms } = load;
  const reached =
    middle(watched, ({ fromAnswer }) => fromAnswer.p50Ms) <= p50Ms &&
    middle(watched, ({ fromAnswer }) => fromAnswer.p99Ms) <= p99Ms;
  const wanted = `${p50Ms < Infinity ? `p50 ≤ ${p50Ms}, ` : ''}p99 ≤ ${p99Ms}`;
  const name = `  ${whole(sockets)} sockets, ${callsPerSecond} commits/s`;
  return [name, ...figures(watched), '', wanted, reached ? 'yes' : 'NO'];
};

const rowOfOther = (other: Other, rounds: readonly Round[]): string[] => {
  const p99 = (which: Other): number =>
    middle(
      rounds.flatMap((round) => round.others[which]),
      ({ fromAnswer }) => fromAnswer.p99Ms,
    );
  const ratio = p99(other) / p99('none');
  const compared = other !== 'none';
  return [
    `  the same ${OPEN_SECONDS} s, other transaction: ${other}`,
    ...figures(rounds.flatMap((round) => round.others[other])),
    compared ? times(ratio, 2) : '',
    compared ? `p99 ≤ ${TOLERANCE}×` : '',
    compared ? (ratio <= TOLERANCE ? 'yes' : 'NO') : '',
  ];
};

const header = ['medians, ms', 'p50', 'p99', 'sent p50', 'sent p99', 'to none', 'wanted', 'reached']; // oxfmt-ignore

const rowsOf = ({ name }: Way, rounds: readonly Round[]): string[][] => [
  [name, ...header.slice(1).map(() => '')],
  ...loads.map((load, index) =>
    rowOfLoad(
      load,
      rounds.map((round) => round.loads[index]!),
    ),
  ),
  ...names.map((other) => rowOfOther(other, rounds)),
];

export const latency: Benchmark = {
  about: 'from the acknowledgement of an event to its frame, also beside a long transaction',
  run: async (setting) => {
    const rows: string[][] = [];
    for (const way of ourWays) {
      const rounds: Round[] = [];
      for (let round = 1; round <= setting.runs; round++) rounds.push(await measure(way, setting));
      rows.push(...rowsOf(way, rounds));
    }
    setting.say(`
${table([header, ...rows])}

From the arrival of the acknowledgement to that of the frame, 0 where the frame came first; "sent" from the sending of the
call. One process sends and receives; with 1,000 sockets, taking in a thousand frames is in it.`);
  },
};
