// Rebuilds the roll-ups from the events that are kept, day by day, each in one transaction that takes its cells away and puts
// in what is counted anew: whoever asks meanwhile sees the one or the other. Older cells stay as they are.

import type { Sql } from '../database/connection.ts';
import { BATCH_SPAN } from '../database/schema.ts';
import { type Tier, additionOf, tiers } from '../database/rollups.ts';
import { retention } from '../database/locks.ts';
import { wholeSince } from '../events/retention.ts';
import { type Severity, severityNames } from '../events/vocabulary.ts';
import { type Policy, loadPolicy } from '../retention/policy.ts';
import { countedIn } from './count.ts';

const DAY_MS = 86_400_000;

type Recounted = { readonly what: string; readonly events: number };

export async function* recount(
  sql: Sql,
  clock = (): Date => new Date(),
): AsyncGenerator<Recounted> {
  const [ofPersons, ofSeverities] = [tiers.filter(isPersonal), tiers.filter((each) => !isPersonal(each))]; // oxfmt-ignore
  const rebuilt = [...severityNames.map((name) => [ofSeverities, [name]] as const), [ofPersons, severityNames] as const]; // oxfmt-ignore
  for (const [into, severities] of rebuilt) {
    const first = firstWhole(await loadPolicy(sql), severities, clock());
    for (let day = first; day < clock().getTime() + DAY_MS; day += DAY_MS)
      yield recountDay(sql, into, new Date(day), severities, clock);
  }
}

const isPersonal = ({ personal }: Tier): boolean => personal ?? false;

/** The first day in UTC of which no event can be gone, also while the day is rebuilt: one more than that is left alone. */
const firstWhole = ({ periods }: Policy, of: readonly Severity[], now: Date): number =>
  (Math.floor(wholeSince(periods, of, now).getTime() / DAY_MS) + 2) * DAY_MS;

/** In one transaction, in which nothing is removed for its retention. What is not counted yet will be when the position comes to it. */
const recountDay = (
  sql: Sql,
  into: readonly Tier[],
  day: Date,
  severities: readonly Severity[],
  clock: () => Date,
): Promise<Recounted> =>
  sql.begin(async (transaction) => {
    const within = transaction as unknown as Sql;
    const ofAll = severities.length === severityNames.length;
    const what = `${day.toISOString().slice(0, 10)} ${ofAll ? 'users, endpoints and names' : severities.join()}`;
    await within`SELECT pg_advisory_xact_lock(${retention})`;
    // A period may have become shorter since, and its events be gone.
    if (day.getTime() < firstWhole(await loadPolicy(within), severities, clock()))
      return { what, events: 0 };
    const end = new Date(day.getTime() + DAY_MS);
    const where = `"timestamp" >= '${day.toISOString()}' AND "timestamp" < '${end.toISOString()}' ${ofAll ? '' : `AND severity = '${severities[0]!}'`}`; // oxfmt-ignore
    const results = await within
      .unsafe(
        `SELECT FROM rollup_position FOR UPDATE;
         ${into.map(({ table }) => `DELETE FROM ${table} WHERE ${where};`).join('\n')}
         ${additionOf(`${where} AND id / ${BATCH_SPAN} NOT IN (SELECT number FROM uncounted)`, UNCOUNTED, into)}`,
      )
      .simple();
    return { what, events: countedIn(results) };
  });

const UNCOUNTED =
  'uncounted AS (SELECT number FROM batches, rollup_position AS at WHERE batches.seq > at.seq)';
