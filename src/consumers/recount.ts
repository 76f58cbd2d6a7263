// Rebuilds the roll-ups from the events that are kept, day by day, each in one transaction that takes its cells away and puts
// in what is counted anew: whoever asks meanwhile sees the one or the other. Older cells stay as they are.

import type { Sql } from '../database/connection.ts';
import { BATCH_SPAN } from '../database/schema.ts';
import { additionOf, tiers } from '../database/rollups.ts';
import { type Severity, severityNames } from '../events/vocabulary.ts';

import { countedIn } from './count.ts';

const DAY_MS = 86_400_000;

export type Recounted = {
  readonly severity: Severity;
  readonly day: string;
  readonly events: number;
};

/** `since` says from when on all events of a severity are kept. */
export async function* recount(
  sql: Sql,
  since: (severity: Severity) => Date,
  now: Date,
): AsyncGenerator<Recounted> {
  for (const severity of severityNames) {
    // The clock of retention moves on meanwhile: the first day is left alone.
    let day = (Math.floor(since(severity).getTime() / DAY_MS) + 2) * DAY_MS;
    for (; day <= now.getTime() + DAY_MS; day += DAY_MS)
      yield await recountDay(sql, severity, new Date(day), new Date(day + DAY_MS));
  }
}

// Several statements in one query are one transaction.
const recountDay = async (
  sql: Sql,
  severity: Severity,
  from: Date,
  to: Date,
): Promise<Recounted> => {
  const day = `severity = '${severity}' AND "timestamp" >= '${from.toISOString()}' AND "timestamp" < '${to.toISOString()}'`;
  const results = await sql
    .unsafe(
      `SELECT FROM rollup_position FOR UPDATE;
       ${tiers.map(({ table }) => `DELETE FROM ${table} WHERE ${day};`).join('\n')}
       ${additionOf(`${day} AND id / ${BATCH_SPAN} NOT IN (SELECT number FROM uncounted)`, UNCOUNTED)}`,
    )
    .simple();
  return { severity, day: from.toISOString().slice(0, 10), events: countedIn(results) };
};

/** They will be counted when the position comes to them. */
const UNCOUNTED =
  'uncounted AS (SELECT number FROM batches, rollup_position AS at WHERE batches.seq > at.seq)';
