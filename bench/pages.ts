// Pages of 50 events by category and severity beside PostGraphile's connection, each on a PostgreSQL table of its own with the same
// events, columns and indexes: one caller after the other for the latency, 16 at a time for the rate, where each asks for itself
// (by a variable of no meaning) and where all ask the same; and what node:http and one statement do with nothing else.

import { PAGE } from './questions.ts';
import type { Benchmark } from './support/benchmark.ts';
import { profile } from './support/compare.ts';
import { type Contender, startContender } from './support/contender.ts';
import { fillHistory } from './support/history.ts';
import { install } from './support/install.ts';
import { type Load, type Measured, putLoad } from './support/load.ts';
import { graphql } from './support/loads.ts';
import { median, table, tenths, times, whole } from './support/table.ts';

const WARM_UP_SECONDS = 2;
const CALLERS = 16;
const CALLS = 1_000;
const WANTED = 2;

const environment = { NODE_ENV: 'production', GRAPHILE_ENV: 'production' };
const asked = [
  { name: 'common: SYSTEM, DEBUG', category: 'SYSTEM', severity: 'DEBUG' },
  { name: 'rare: MODEL, CRITICAL', category: 'MODEL', severity: 'CRITICAL' },
  { name: 'empty: ANALYTICS, CRITICAL', category: 'ANALYTICS', severity: 'CRITICAL' },
] as const;

type Entrant = {
  readonly contender: Contender;
  readonly query: string;
  readonly variables: (of: (typeof asked)[number]) => object;
};

const ALONE = 'one caller';
const crowds = [
  { name: ALONE, connections: 1, calls: 1 },
  { name: `${CALLERS}, each for itself`, connections: CALLERS, calls: CALLS },
  { name: `${CALLERS}, the same`, connections: CALLERS, calls: 1 },
] as const;

const askedOfOurs: Entrant['variables'] = ({ category, severity }) => ({
  filter: { category: [category], severity: [severity] },
});

const entrants: readonly [Entrant, Entrant, Entrant] = [
  {
    contender: { name: 'Jejak', file: new URL('servers/jejak.ts', import.meta.url), environment },
    query: PAGE,
    variables: askedOfOurs,
  },
  {
    contender: {
      name: 'PostGraphile',
      file: new URL('rivals/postgraphile.ts', import.meta.url),
      environment,
    },
    query: `query Page($condition: EventCondition) { allEvents(condition: $condition, first: 50, orderBy: [TIMESTAMP_DESC, ROW_ID_DESC]) {
      edges { cursor node { eventId timestamp severity eventCategory code eventName username status } } pageInfo { hasNextPage endCursor } } }`,
    variables: ({ category, severity }) => ({ condition: { eventCategory: category, severity } }),
  },
  {
    contender: { name: 'node:http and a statement', file: new URL('servers/page-floor.ts', import.meta.url), environment }, // oxfmt-ignore
    query: PAGE,
    variables: askedOfOurs,
  },
];

const loadOf = (
  { query, variables }: Entrant,
  page: (typeof asked)[number],
  { connections, calls }: (typeof crowds)[number],
): Load => ({
  name: page.name,
  path: '/graphql',
  connections,
  bodies: Array.from({ length: calls }, (_, call) => graphql(query, { ...variables(page), call })),
  eventsPerCall: 0,
  expect: '"hasNextPage":',
});

export const pages: Benchmark = {
  about: 'pages of 50 events beside PostGraphile, over --rows events',
  rows: 500_000,
  run: async ({ postgres, rows, runs, seconds, signal, say }) => {
    await install(new URL('rivals/', import.meta.url), say);
    const figures = new Map<string, Measured[]>();
    const now = new Date();
    for (const entrant of entrants) {
      const { contender } = entrant;
      await using server = await startContender(contender, postgres, signal);
      await fillHistory({ url: server.databaseUrl }, { rows, now });
      for (const page of asked)
        for (const crowd of crowds) {
          const load = loadOf(entrant, page, crowd);
          const timing = { warmUpSeconds: WARM_UP_SECONDS, seconds };
          const taken: Measured[] = [];
          for (let run = 0; run < runs; run++)
            taken.push(await putLoad(load, server, timing, signal));
          figures.set(`${contender.name} ${page.name} ${crowd.name}`, taken);
        }
    }
    const middle = (of: number, page: string, crowd: string, figure: keyof Measured) =>
      median(figures.get(`${entrants[of]!.contender.name} ${page} ${crowd}`)!.map((one) => one[figure])); // oxfmt-ignore
    const lines = asked.flatMap((page) =>
      crowds.map(({ name }) => {
        const [ours, theirs, floor] = [0, 1, 2].map((of) => middle(of, page.name, name, 'callsPerSecond')) as [number, number, number]; // oxfmt-ignore
        const [p50, theirP50] = [0, 1].map((of) => middle(of, page.name, name, 'p50Ms')) as [number, number]; // oxfmt-ignore
        const figured = [tenths(p50), tenths(theirP50), whole(ours), whole(theirs), whole(floor), times(ours / theirs)]; // oxfmt-ignore
        const isWanted = name !== ALONE;
        return [`${page.name}, ${name}`, ...figured, isWanted ? `${WANTED}×` : '', isWanted ? (ours / theirs >= WANTED ? 'yes' : 'NO') : '']; // oxfmt-ignore
      }),
    );
    say(table([['pages of 50', 'p50 ms', 'theirs', 'pages/s', 'theirs', 'at most', 'ours is', 'wanted', 'reached'], ...lines])); // oxfmt-ignore
  },
  profile: (setting) => {
    const [ours] = entrants;
    const loads = asked.map((page) => loadOf(ours, page, crowds[1]));
    return profile(ours.contender, loads, setting, (url) => fillHistory({ url }, { rows: setting.rows, now: new Date() })); // oxfmt-ignore
  },
};
