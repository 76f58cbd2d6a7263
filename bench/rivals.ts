// Jejak beside what one would otherwise run, on the same PostgreSQL and the same table with the same indexes, each event
// of the same 600 to 900 bytes: single events from 64 connections, and calls of 100 from 8. Jejak does its whole duty
// (validation, completion, order, guard); the others only insert. Each rival has the pool that suits it best.

import type { InputName } from '../src/events/fields.ts';
import type { DirectWork } from './servers/direct.ts';
import type { Benchmark, Setting } from './support/benchmark.ts';
import { type Contender, type Running, startContender } from './support/contender.ts';
import { install } from './support/install.ts';
import { type Load, type Measured, putLoad } from './support/load.ts';
import { columnOf, events, graphql, inCalls, logEvent, logEvents, postEvent, renamed } from './support/loads.ts'; // oxfmt-ignore
import { median, percent, table, tenths, times, whole } from './support/table.ts';
import { type Worked, sampleRows } from './support/writers.ts';

const CALL = 100;
/** Until what is called often is compiled: after 3 s ours still stored 15 % fewer events a second than later. */
const WARM_UP_SECONDS = 10;
const TRIAL_SECONDS = 2;

/** Complete, as Jejak would store them: the rivals know no catalog. */
const complete = sampleRows(events.length).map(({ draft: { eventId: _made, ...draft } }) => draft);
const camelOf = (name: InputName): string =>
  columnOf(name).replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

const single = { path: '/graphql', connections: 64, eventsPerCall: 1 } as const;
const many = { path: '/graphql', connections: 8, eventsPerCall: CALL } as const;

const RIVAL_ONE = 'mutation LogOne($input: LogEventInput!) { logEvent(input: $input) { eventId } }';
const RIVAL_MANY = 'mutation LogMany($input: [LogEventInput!]!) { logEvents(input: $input) }';
const CREATE =
  'mutation Create($input: CreateEventInput!) { createEvent(input: $input) { event { eventId } } }';
const places = Array.from({ length: CALL }, (_, place) => place);
const CREATE_MANY = `mutation Create(${places.map((place) => `$i${place}: CreateEventInput!`).join(', ')}) {
  ${places.map((place) => `m${place}: createEvent(input: $i${place}) { event { eventId } }`).join('\n  ')}
}`;

const created = complete.map((event) => ({ event: renamed(event, camelOf) }));
const plain = complete.map((event) => renamed(event, (name) => name));

type Entrant = {
  readonly name: string;
  readonly file: string;
  /** The sizes of the pool that are tried first. */
  readonly pools?: readonly number[];
  readonly load: Omit<Load, 'name'> | readonly Direct[];
  /** How many times its rate ours must be. */
  readonly wanted?: number;
};
type Direct = Omit<DirectWork, 'seconds' | 'warmUpSeconds'>;
type Contest = { readonly name: string; readonly entrants: readonly [Entrant, ...Entrant[]] };

const jejak = 'servers/jejak.ts';
const pools = [4, 10, 20];
const contests: readonly Contest[] = [
  {
    name: 'Single events, 64 connections',
    entrants: [
      { name: 'Jejak, logEvent', file: jejak, load: logEvent },
      { name: 'Jejak, POST /api/events', file: jejak, load: postEvent, wanted: 0.8 },
      {
        name: 'node:http and rows, nothing else',
        file: 'servers/floor.ts',
        load: { ...postEvent, expect: '"stored"', status: 200 },
      },
      {
        name: 'Mercurius, an INSERT each',
        file: 'rivals/mercurius.ts',
        pools,
        load: {
          ...single,
          bodies: plain.map((input) => graphql(RIVAL_ONE, { input })),
          expect: '"eventId"',
        },
        wanted: 2,
      },
      {
        name: 'PostGraphile, createEvent',
        file: 'rivals/postgraphile.ts',
        pools,
        load: {
          ...single,
          bodies: created.map((input) => graphql(CREATE, { input })),
          expect: '"eventId"',
        },
        wanted: 4,
      },
      {
        name: 'yoga + Pothos + drizzle',
        file: 'rivals/yoga.ts',
        pools,
        load: {
          ...single,
          bodies: plain.map((input) => graphql(RIVAL_ONE, { input })),
          expect: '"eventId"',
        },
        wanted: 6,
      },
    ],
  },
  {
    name: `Calls of ${CALL} events, 8 connections`,
    entrants: [
      { name: 'Jejak, logEvents', file: jejak, load: logEvents },
      {
        name: 'rows straight through postgres.js',
        file: 'servers/direct.ts',
        load: [
          { how: 'arrays', connections: 2, callers: 2, eventsPerCall: 1_000 },
          { how: 'arrays', connections: 4, callers: 8, eventsPerCall: CALL },
          { how: 'json', connections: 2, callers: 2, eventsPerCall: 1_000 },
          { how: 'values', connections: 4, callers: 8, eventsPerCall: CALL },
        ],
        wanted: 0.5,
      },
      {
        name: `Mercurius, ${CALL} INSERTs in a transaction`,
        file: 'rivals/mercurius.ts',
        pools,
        load: {
          ...many,
          bodies: inCalls(plain).map((input) => graphql(RIVAL_MANY, { input })),
          expect: `"logEvents":${CALL}`,
        },
        wanted: 1.6,
      },
      {
        name: `PostGraphile, ${CALL} aliases`,
        file: 'rivals/postgraphile.ts',
        pools,
        load: {
          ...many,
          bodies: inCalls(created).map((inputs) =>
            graphql(
              CREATE_MANY,
              Object.fromEntries(inputs.map((input, place) => [`i${place}`, input])),
            ),
          ),
          expect: `"m${CALL - 1}":{"event":{"eventId"`,
        },
        wanted: 8,
      },
    ],
  },
];

type Figure = Worked & Partial<Pick<Measured, 'serverCpu' | 'postgresCpu' | 'othersCpu'>>;
/** One way of running an entrant: with a pool of so many, or one of the ways to write directly. */
type Way = {
  readonly name: string;
  readonly contender: Contender;
  readonly measure: (
    server: Running,
    timing: { readonly warmUpSeconds: number; readonly seconds: number },
    signal: AbortSignal,
  ) => Promise<Figure>;
};

const waysOf = (contest: Contest, { name, file, pools: sizes, load }: Entrant): Way[] => {
  const contender = (pool?: number): Contender => ({
    name,
    file: new URL(file, import.meta.url),
    environment: { NODE_ENV: 'production', GRAPHILE_ENV: 'production', ...(pool ? { POOL: String(pool) } : {}) }, // oxfmt-ignore
  });
  if ('path' in load)
    return (sizes ?? [undefined]).map((pool) => ({
      name: pool === undefined ? '' : `pool of ${pool}`,
      contender: contender(pool),
      measure: (server, timing, signal) =>
        putLoad({ ...load, name: contest.name }, server, timing, signal),
    }));
  return load.map((direct) => ({
    name: `${direct.how}, ${direct.eventsPerCall} rows`,
    contender: contender(),
    measure: (server, timing) => server.ask<Worked>('write', { ...direct, ...timing }),
  }));
};

const measureOnce = async (
  { contender, measure }: Way,
  { postgres, signal }: Setting,
  timing: { readonly warmUpSeconds: number; readonly seconds: number },
): Promise<Figure> => {
  await using server = await startContender(contender, postgres, signal);
  return await measure(server, timing, signal); // before the server goes
};

/** The one with the highest rate in a short trial. */
const bestWay = async (ways: readonly Way[], setting: Setting): Promise<Way> => {
  if (ways.length === 1) return ways[0]!;
  const rates: number[] = [];
  for (const way of ways) {
    const timing = { warmUpSeconds: TRIAL_SECONDS, seconds: TRIAL_SECONDS };
    rates.push((await measureOnce(way, setting, timing)).eventsPerSecond);
  }
  const tried = ways.map(({ name }, index) => `${name}: ${whole(rates[index]!)}`).join('; ');
  setting.say(`  ${ways[0]!.contender.name} tried with ${tried}`);
  return ways[rates.indexOf(Math.max(...rates))]!;
};

type Ranked = { readonly entrant: Entrant; readonly way: Way; readonly figures: Figure[] };

const hold = async (contest: Contest, setting: Setting): Promise<string> => {
  const ranked: Ranked[] = [];
  for (const entrant of contest.entrants)
    ranked.push({ entrant, way: await bestWay(waysOf(contest, entrant), setting), figures: [] });
  for (let round = 1; round <= setting.runs; round++)
    for (const { way, figures } of round % 2 === 1 ? ranked : ranked.toReversed()) {
      const timing = { warmUpSeconds: WARM_UP_SECONDS, seconds: setting.seconds };
      figures.push(await measureOnce(way, setting, timing));
      setting.say(`  ${way.contender.name}: ${whole(figures.at(-1)!.eventsPerSecond)} events/s`);
    }
  return report(contest, ranked);
};

const report = ({ name }: Contest, ranked: readonly Ranked[]): string => {
  const middle = ({ figures }: Ranked, of: keyof Figure): number =>
    median(figures.map((figure) => figure[of] ?? 0));
  const ours = middle(ranked[0]!, 'eventsPerSecond');
  const rows = ranked.map((one) => {
    const rate = middle(one, 'eventsPerSecond');
    const { wanted } = one.entrant;
    const ratio = ours / rate;
    return [
      `  ${[one.entrant.name, one.way.name].filter(Boolean).join(', ')}`,
      whole(rate),
      wanted === undefined ? '' : times(ratio, 2),
      wanted === undefined ? '' : `${wanted}×`,
      wanted === undefined ? '' : ratio >= wanted ? 'yes' : 'NO',
      tenths(middle(one, 'p50Ms')),
      tenths(middle(one, 'p99Ms')),
      whole((middle(one, 'serverCpu') / rate) * 1e6),
      whole((middle(one, 'postgresCpu') / rate) * 1e6),
      percent(middle(one, 'othersCpu')),
    ];
  });
  const header = [
    name,
    'events/s',
    'ours is',
    'wanted',
    'reached',
    'p50 ms',
    'p99 ms',
    'server µs',
    'PostgreSQL µs',
    'others',
  ];
  return table([header, ...rows]);
};

export const rivals: Benchmark = {
  about: 'Jejak beside PostGraphile, Mercurius, yoga with drizzle, and plain rows',
  run: async (setting) => {
    await install(new URL('rivals/', import.meta.url), setting.say);
    for (const contest of contests) setting.say(`\n${await hold(contest, setting)}\n`);
  },
};
