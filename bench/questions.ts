// Questions to a school's history (--rows events over fourteen days): the specification's six reports through GraphQL beside
// its own SQL on its own schema, with the same figures; pages by category and severity; words; places in JSON.

import { setTimeout as sleep } from 'node:timers/promises';
import { monitoringQueries } from '../test/support/specification.ts';
import { MAX_PAGE } from '../src/graphql/page-size.ts';
import { connect } from '../src/database/connection.ts';
import type { Benchmark } from './support/benchmark.ts';
import { type Running, startContender } from './support/contender.ts';
import { fillHistory } from './support/history.ts';
import { fillSpecification } from './support/specification.ts';
import { table, times } from './support/table.ts';
import { timed } from './support/timed.ts';

type Place = Pick<Running, 'url' | 'key' | 'databaseUrl'>;
type Say = (text: string) => void;
type Row = Readonly<Record<string, unknown>>;

const jejak = { name: 'Jejak', file: new URL('./servers/jejak.ts', import.meta.url) };
const HOUR_MS = 3_600_000;
const UNCOUNTED = 20;

type Report = {
  readonly name: keyof typeof monitoringQueries;
  readonly hours: number;
  readonly wanted: number;
  readonly field: string;
  readonly select: string;
  /** What is compared: a row of ours, and a row of theirs, as the same text. */
  readonly ours: (row: Row) => unknown;
  readonly theirs: (row: Row) => unknown;
};

const rounded = (value: unknown): number => Math.round(Number(value) * 1e6) / 1e6;
const instant = (value: unknown): number => Date.parse(String(value)); // to the millisecond

const reports: readonly Report[] = [
  { name: 'recentCriticalEvents', hours: 24, wanted: 5, field: 'recentCriticalEvents', select: `(first: ${MAX_PAGE}, range: $range) { edges { node { name description username timestamp } } }`,
    ours: (row) => [row['name'], row['description'], row['username'], instant(row['timestamp'])], theirs: (row) => [row['event_name'], row['event_description'], row['username'], instant(row['timestamp'])] },
  { name: 'userActivity', hours: 24, wanted: 5, field: 'userActivity', select: '(range: $range, includeAnonymous: true) { username eventCount lastActivity }',
    ours: (row) => [row['username'], row['eventCount'], instant(row['lastActivity'])], theirs: (row) => [row['username'], Number(row['event_count']), instant(row['last_activity'])] },
  { name: 'errorRateByEndpoint', hours: 1, wanted: 2, field: 'endpointErrorRates', select: '(range: $range) { endpoint totalRequests errorCount errorRate failureRate }',
    ours: (row) => [row['endpoint'], row['totalRequests'], row['errorCount'], row['errorRate']], theirs: (row) => [row['endpoint'], Number(row['total_requests']), Number(row['error_count']), Number(row['error_rate'])] },
  { name: 'securityEvents', hours: 24, wanted: 5, field: 'securitySummary', select: '(range: $range) { type code count latest }',
    ours: (row) => [row['type'], row['count'], instant(row['latest'])], theirs: (row) => [row['event_type'], Number(row['count']), instant(row['latest'])] },
  { name: 'modelPerformance', hours: 24, wanted: 5, field: 'modelPerformance', select: '(range: $range) { hour averageConfidence predictionCount }',
    ours: (row) => [instant(row['hour']), rounded(row['averageConfidence']), row['predictionCount']], theirs: (row) => [instant(row['hour']), rounded(row['avg_confidence']), Number(row['prediction_count'])] },
  { name: 'systemPerformance', hours: 1, wanted: 2, field: 'systemPerformance', select: '(range: $range) { name averageMs maxMs requestCount }',
    ours: (row) => [row['name'], rounded(row['averageMs']), row['maxMs'], row['requestCount']], theirs: (row) => [row['event_name'], rounded(row['avg_response_time']), row['max_response_time'], Number(row['request_count'])] },
]; // oxfmt-ignore

type Question = { readonly name: string; readonly filter: object; readonly wantedMs: number };
const asked: readonly Question[] = [
  { name: 'page, common: SYSTEM, DEBUG', filter: { category: ['SYSTEM'], severity: ['DEBUG'] }, wantedMs: 3 },
  { name: 'page, rare: MODEL, CRITICAL', filter: { category: ['MODEL'], severity: ['CRITICAL'] }, wantedMs: 3 },
  { name: 'page, empty: ANALYTICS, CRITICAL', filter: { category: ['ANALYTICS'], severity: ['CRITICAL'] }, wantedMs: 3 },
  { name: 'a common word: nilai', filter: { search: 'nilai' }, wantedMs: 50 },
  { name: 'a rare word: shutdown', filter: { search: 'shutdown' }, wantedMs: 50 },
  { name: 'a misspelt name: wulandri', filter: { search: 'wulandri' }, wantedMs: 50 },
  { name: 'a word that is nowhere', filter: { search: 'nowhere' }, wantedMs: 50 },
  { name: 'JSON, rare: student_id 3987', filter: { json: [{ field: 'METADATA', path: 'student_id', equals: 3_987 }] }, wantedMs: 100 },
  { name: 'JSON, common: login.attempts >= 18', filter: { json: [{ field: 'METADATA', path: 'login.attempts', gte: 18 }] }, wantedMs: 100 },
  { name: 'a user of long ago', filter: { userId: [1_199] }, wantedMs: 100 },
  { name: 'a resource', filter: { resourceId: ['STD-2025-3987'] }, wantedMs: 100 },
]; // oxfmt-ignore

export const PAGE = 'query Page($filter: EventFilter) { events(filter: $filter, first: 50) { edges { cursor node { eventId timestamp severity category code name username status } } pageInfo { hasNextPage endCursor } } }'; // oxfmt-ignore

const asking =
  ({ url, key }: Place) =>
  async (query: string, variables: object) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: Record<string, unknown>; errors?: unknown }; // oxfmt-ignore
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0];
  };

const rowsOf = (answer: unknown): Row[] =>
  Array.isArray(answer)
    ? (answer as Row[])
    : (answer as { edges: { node: Row }[] }).edges.map(({ node }) => node);

/** All figures of a log that was filled; the specification's schema has the same events. */
export const measure = async (place: Place, runs: number, say: Say): Promise<void> => {
  const sql = connect({ url: place.databaseUrl }, { name: 'bench', max: 1 });
  const ask = asking(place);
  try {
    await sql`SET search_path = specification, public`;
    const [{ latest }] = await sql<
      [{ latest: string }]
    >`SELECT max("timestamp") AS latest FROM events`;
    const lines: string[][] = [['reports', 'theirs ms', 'ours ms', 'faster', 'wanted', 'reached', 'figures']]; // oxfmt-ignore
    for (const { name, hours, wanted, field, select, ours, theirs } of reports) {
      const from = new Date(Date.parse(latest) - hours * HOUR_MS).toISOString();
      const query = monitoringQueries[name].replace(/NOW\(\) - INTERVAL '[^']+'/, `'${from}'`);
      const [theirMs, their] = await timed({ uncounted: UNCOUNTED, counted: 5 * runs }, () =>
        sql.unsafe<Row[]>(query),
      );
      const document = `query Report($range: TimeRange!) { ${field}${select} }`;
      const [ourMs, answer] = await timed({ uncounted: UNCOUNTED, counted: 5 * runs }, () =>
        ask(document, { range: { from } }),
      );
      const counted = rowsOf(answer).filter((row) => row['predictionCount'] !== 0); // theirs has no hours without any (trap Q5)
      const same = isSame(counted.map(ours), their.map(theirs), name === 'securityEvents');
      const ratio = theirMs / ourMs;
      lines.push([`${name}, ${hours} h`, theirMs.toFixed(1), ourMs.toFixed(1), times(ratio), times(wanted, 0), ratio >= wanted ? 'yes' : 'NO', same ? 'equal' : 'DIFFERENT']); // oxfmt-ignore
    }
    say(table(lines));
    const rows: string[][] = [['questions', 'p50 ms', 'wanted', 'reached', 'found']];
    for (const { name, filter, wantedMs } of asked) {
      const [ms, answer] = await timed({ uncounted: UNCOUNTED, counted: 20 * runs }, () =>
        ask(PAGE, { filter }),
      );
      rows.push([name, ms.toFixed(1), `< ${wantedMs}`, ms < wantedMs ? 'yes' : 'NO', String(rowsOf(answer).length)]); // oxfmt-ignore
    }
    say(`\n${table(rows)}`);
  } finally {
    await sql.end();
  }
};

/** Ours has a row per code where theirs has one per type; the order of equals is nobody's. */
const isSame = (ours: unknown[], theirs: unknown[], byType: boolean): boolean => {
  theirs = theirs.slice(0, ours.length === MAX_PAGE ? MAX_PAGE : undefined); // of the first a page
  const text = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).toSorted().join('\n'); // oxfmt-ignore
  if (!byType) return text(ours) === text(theirs);
  const types = Map.groupBy(ours as [string, number, number][], ([type]) => type);
  const summed = [...types].map(([type, rows]) => [
    type,
    rows.reduce((sum, [, count]) => sum + count, 0),
    Math.max(...rows.map(([, , at]) => at)),
  ]);
  return text(summed) === text(theirs);
};

export const questions: Benchmark = {
  about: 'reports, pages, words and JSON over --rows events, beside the specification’s schema',
  rows: 5_000_000,
  run: async ({ postgres, rows, runs, signal, say }) => {
    await using server = await startContender(jejak, postgres, signal);
    const address = { url: server.databaseUrl };
    await fillHistory(address, { rows, now: new Date() });
    const sql = connect(address, { name: 'bench', max: 1 });
    try {
      await fillSpecification(sql);
    } finally {
      await sql.end();
    }
    const counted = `SELECT (SELECT max(seq) FROM batches) - (SELECT seq FROM rollup_position)`;
    while ((await server.count(counted)) > 0) await sleep(500, undefined, { signal });
    await measure(server, runs, say);
  },
};
