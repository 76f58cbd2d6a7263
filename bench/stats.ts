// Statistics and the reports over them, through GraphQL, beside the same figures from the events: those of `events` with SQL,
// and where the specification has a query for them, its own, on the same table.

import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../src/database/connection.ts';
import { monitoringQueries } from '../test/support/specification.ts';
import type { Benchmark } from './support/benchmark.ts';
import { type Running, startContender } from './support/contender.ts';
import { fillHistory } from './support/history.ts';
import { table, tenths, times } from './support/table.ts';
import { timed } from './support/timed.ts';

const jejak = { name: 'Jejak', file: new URL('./servers/jejak.ts', import.meta.url) };
const TRIES = 15;
/** Calls that are not counted: V8 compiles what is asked often, and PostgreSQL has but its cache to fill. */
const WARM_UP = { ours: 30, theirs: 2 };

type Question = { readonly name: string; readonly query: string; readonly sql: string };

const histogram = (last: string, interval: string): Question => ({
  name: `by hour and severity, ${last}`,
  query: `{ eventStats(range: { last: "${last}" }, interval: HOUR, groupBy: [SEVERITY]) { start severity count } }`,
  sql: `SELECT date_trunc('hour', timestamp), severity, count(*) FROM events WHERE timestamp >= now() - interval '${interval}' GROUP BY 1, 2`,
});
const questions: readonly Question[] = [
  histogram('PT24H', '24 hours'),
  histogram('P7D', '7 days'),
  histogram('P14D', '14 days'),
  {
    name: 'by day and type in Jakarta, P7D',
    query:
      '{ eventStats(range: { last: "P7D" }, interval: DAY, timeZone: "Asia/Jakarta", groupBy: [TYPE]) { start type count failures } }',
    sql: `SELECT date_trunc('day', timestamp, 'Asia/Jakarta'), event_type, count(*), count(*) FILTER (WHERE status IN ('FAILED', 'ERROR', 'DENIED', 'BLOCKED')) FROM events WHERE timestamp >= now() - interval '7 days' GROUP BY 1, 2`,
  },
  {
    name: 'userActivity',
    query: '{ userActivity { username eventCount lastActivity } }',
    sql: monitoringQueries.userActivity,
  },
  {
    name: 'securitySummary',
    query: '{ securitySummary { type code count latest } }',
    sql: monitoringQueries.securityEvents,
  },
  {
    name: 'modelPerformance',
    query: '{ modelPerformance { hour averageConfidence predictionCount } }',
    // The document's breaks on a confidence that is no number.
    sql: monitoringQueries.modelPerformance.replace(
      /CAST\(response_data->>'confidence' as FLOAT\)/i,
      () =>
        `CASE WHEN response_data->>'confidence' ~ '^[0-9.]+$' THEN (response_data->>'confidence')::float END`,
    ),
  },
];

const counted = async (server: Running): Promise<void> => {
  const behind =
    'SELECT coalesce((SELECT max(seq) FROM batches), 0) - (SELECT seq FROM rollup_position)';
  while ((await server.count(behind)) > 0) await sleep(200);
};

export const stats: Benchmark = {
  about: 'statistics and reports from roll-ups through GraphQL, beside SQL on the events',
  rows: 5_000_000,
  run: async ({ postgres, rows, signal, say }) => {
    await using server = await startContender(jejak, postgres, signal);
    await fillHistory({ url: server.databaseUrl }, { rows, now: new Date() });
    await counted(server);
    await using stack = new AsyncDisposableStack();
    const sql = connect({ url: server.databaseUrl }, { name: 'bench', max: 1 });
    stack.defer(() => sql.end());
    await sql`VACUUM (ANALYZE)`;
    const ask = async (query: string): Promise<void> => {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${server.key}` },
        body: JSON.stringify({ query }),
      });
      const text = await response.text();
      if (text.includes('"errors"')) throw new Error(text);
    };
    const lines: string[][] = [];
    for (const question of questions) {
      const [ours] = await timed({ uncounted: WARM_UP.ours, counted: TRIES }, () =>
        ask(question.query),
      );
      const [theirs] = await timed({ uncounted: WARM_UP.theirs, counted: TRIES }, () =>
        sql.unsafe(question.sql),
      );
      lines.push([question.name, tenths(ours), tenths(theirs), times(theirs / ours)]);
    }
    say(table([['p50, ms', 'GraphQL', 'SQL on events', ''], ...lines]));
  },
};
