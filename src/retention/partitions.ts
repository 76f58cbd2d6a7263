// The partitions that retention looks at, and what is in them that goes or stays.

import { type SQL, and, lt, or, sql as text } from 'drizzle-orm';
import type { Sql } from '../database/connection.ts';
import { execute } from '../database/execute.ts';
import { events } from '../database/schema.ts';
import { oldestKept } from '../events/retention.ts';
import type { Severity } from '../events/vocabulary.ts';
import type { Policy } from './policy.ts';
import { heldSql, ofCode, visibleSql } from './visible.ts';

export type Partition = {
  readonly name: string;
  readonly severity: Severity;
  readonly starts: string;
  readonly ends: string;
  /** Whether it holds what was kept of partitions that went. */
  readonly kept: boolean;
};

const DAY_MS = 86_400_000;

/** The oldest first. */
export const listPartitions = async (sql: Sql): Promise<Partition[]> =>
  sql<Partition[]>`
    SELECT name, severity, starts, ends, name LIKE 'events\\_%\\_kept\\_%' AS kept
    FROM event_partitions ORDER BY starts, name`;

/** What a table takes on disk, indexes included. */
export const bytesOf = async (sql: Sql, name: string): Promise<number> => {
  const [{ bytes }] = await sql<[{ bytes: number }]>`
    SELECT pg_total_relation_size(${name}::regclass)::float8 AS bytes`;
  return bytes;
};

/** Whether all that is in it is older than its severity is kept. */
export const isExpired = ({ severity, ends }: Partition, { periods }: Policy, now: Date): boolean =>
  new Date(ends) <= oldestKept(periods.severities[severity], now);

/** What stays of a partition. */
export const staysSql = (policy: Policy, { severity }: Partition, now: Date): SQL =>
  visibleSql(policy, { severity: [severity] }, now)!;

/** Whether it takes more than a third of the period in force, as one that was made for a longer one: to wait for its end would be
 * too long. */
const isTooWide = ({ severity, starts, ends }: Partition, { periods }: Policy): boolean =>
  3 * (Date.parse(ends) - Date.parse(starts)) > periods.severities[severity] * DAY_MS;

/** What goes of a partition that stays: what was kept in it for a time, codes that are kept shorter than its severity, and where
 * it is too wide all that has expired. Undefined where there can be nothing. */
export const goesSql = (policy: Policy, partition: Partition, now: Date): SQL | undefined => {
  const { severities, codes } = policy.periods;
  const begun = new Date(partition.starts) < oldestKept(severities[partition.severity], now);
  if (partition.kept || (begun && isTooWide(partition, policy)))
    return text`(${staysSql(policy, partition, now)}) IS NOT TRUE`;
  const shorter = [...codes].filter(
    ([, days]) =>
      days < severities[partition.severity] && new Date(partition.starts) < oldestKept(days, now),
  );
  if (shorter.length === 0) return undefined;
  const held = heldSql(policy, now);
  const expired = shorter.map(([code, days]) =>
    and(ofCode([code]), lt(events.timestamp, oldestKept(days, now).toISOString())),
  );
  return and(or(...expired), held && text`(${held}) IS NOT TRUE`);
};

/** A partition in place of the whole table, for conditions on `events`. */
export const asEvents = (name: string): SQL => text`${text.identifier(name)} AS events`;

export const countIn = async (sql: Sql, name: string, where?: SQL): Promise<number> => {
  const [row] = await execute<{ count: number }>(
    sql,
    text`SELECT count(*) AS count FROM ${asEvents(name)} ${where && text`WHERE ${where}`}`,
  );
  return row!.count;
};
