// Rebuilds the roll-ups from the events that are kept, day by day, each in one transaction that takes its cells away and puts
// in what is counted anew: whoever asks meanwhile sees the one or the other. Older cells stay as they are.

import type { Sql } from '../database/connection.ts';
import { BATCH_SPAN } from '../database/schema.ts';
import { type Tier, additionOf, tiers } from '../database/rollups.ts';
import { type Severity, severityNames } from '../events/vocabulary.ts';

import { countedIn } from './count.ts';

const DAY_MS = 86_400_000;

type Recounted = { readonly what: string; readonly events: number };

/** `since` says from when on all events of a severity are kept. */
export async function* recount(
  sql: Sql,
  since: (severity: Severity) => Date,
  now: Date,
): AsyncGenerator<Recounted> {
  const [ofPersons, ofSeverities] = [tiers.filter(isPersonal), tiers.filter((each) => !isPersonal(each))]; // oxfmt-ignore
  for (const severity of severityNames)
    for (const day of daysFrom(since(severity), now))
      yield recountDay(sql, ofSeverities, day, severity);
  const whole = severityNames.map((severity) => since(severity).getTime());
  for (const day of daysFrom(new Date(Math.max(...whole)), now))
    yield recountDay(sql, ofPersons, day);
}

const isPersonal = ({ personal }: Tier): boolean => personal ?? false;

/** Days in UTC, up to tomorrow. As the clock of retention moves on meanwhile, the first is left alone. */
const daysFrom = (from: Date, now: Date): Date[] => {
  const first = Math.floor(from.getTime() / DAY_MS) + 2;
  const last = Math.floor(now.getTime() / DAY_MS) + 1;
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, day) => new Date((first + day) * DAY_MS)); // oxfmt-ignore
};

// Several statements in one query are one transaction. What is not counted yet will be when the position comes to it.
const recountDay = async (
  sql: Sql,
  into: readonly Tier[],
  day: Date,
  severity?: Severity,
): Promise<Recounted> => {
  const end = new Date(day.getTime() + DAY_MS);
  const where = `"timestamp" >= '${day.toISOString()}' AND "timestamp" < '${end.toISOString()}' ${severity ? `AND severity = '${severity}'` : ''}`;
  const results = await sql
    .unsafe(
      `SELECT FROM rollup_position FOR UPDATE;
       ${into.map(({ table }) => `DELETE FROM ${table} WHERE ${where};`).join('\n')}
       ${additionOf(`${where} AND id / ${BATCH_SPAN} NOT IN (SELECT number FROM uncounted)`, UNCOUNTED, into)}`,
    )
    .simple();
  const what = `${day.toISOString().slice(0, 10)} ${severity ?? 'users, endpoints and names'}`;
  return { what, events: countedIn(results) };
};

const UNCOUNTED =
  'uncounted AS (SELECT number FROM batches, rollup_position AS at WHERE batches.seq > at.seq)';
