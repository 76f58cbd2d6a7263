// Which partitions exist. Each severity is cut into ranges of its own width, aligned to days since 1970 in UTC, from the
// start of its retention to some time ahead, so that every acceptable event has a home before it arrives.

import type { Event } from '../events/fields.ts';
import { documentPeriods, periodsWith } from '../events/retention.ts';
import { type Severity, severities, severityNames } from '../events/vocabulary.ts';
import type { Sql } from './connection.ts';

const DAY_MS = 86_400_000;
/** How far ahead partitions are made: longer than anybody takes to notice that the clock which makes them has stopped. */
const AHEAD_DAYS = 10;

export type Partition = { readonly severity: Severity; readonly starts: Date; readonly ends: Date };

/** Of severities that are `kept` for so many days. Where that is longer than the document says, events that are older than it
 * says and have no home yet are rare, and theirs is made when they come. */
export const partitionsAt = (now: Date, kept = documentPeriods.severities): Partition[] =>
  severityNames.flatMap((severity) => {
    const { retentionDays, partitionDays } = severities[severity];
    const today = dayOf(now);
    const oldest = today - Math.min(retentionDays, kept[severity]);
    const first = Math.floor(oldest / partitionDays) * partitionDays;
    const count = Math.ceil((today + 1 + AHEAD_DAYS - first) / partitionDays);
    return Array.from({ length: count }, (_, index) =>
      partitionOn(severity, first + index * partitionDays),
    );
  });

/** Of some partitions those that are always there. */
export const dueOf = (
  partitions: readonly Partition[],
  now: Date,
  kept: typeof documentPeriods.severities,
): Partition[] => {
  const due = new Set(partitionsAt(now, kept).map(keyOf));
  return partitions.filter((each) => due.has(keyOf(each)));
};

const keyOf = ({ severity, starts }: Partition): string => `${severity} ${starts.getTime()}`;

/** Days since 1970. */
const dayOf = (at: Date): number => Math.floor(at.getTime() / DAY_MS);

/** The partition that an event of this severity on this day belongs to. */
const partitionOn = (severity: Severity, day: number): Partition => {
  const { partitionDays } = severities[severity];
  const first = Math.floor(day / partitionDays) * partitionDays;
  return {
    severity,
    starts: new Date(first * DAY_MS),
    ends: new Date((first + partitionDays) * DAY_MS),
  };
};

/** Makes the partitions that are missing and returns how many there were. */
export const ensurePartitions = async (sql: Sql, now: Date): Promise<number> => {
  const rules = await sql<{ target: string; days: number }[]>`SELECT target, days FROM retention_rules`; // oxfmt-ignore
  const { severities: kept } = periodsWith(
    Object.fromEntries(rules.map(({ target, days }) => [target, days])),
  );
  return (await makePartitions(sql, partitionsAt(now, kept))).length;
};

/** Makes those that some events need and returns which were missing: older ones than are always there, where a code or a
 * severity is kept longer than the document says, or all of them, where nobody made any for weeks. */
export const makePartitionsFor = (
  sql: Sql,
  events: readonly Pick<Event, 'severity' | 'timestamp'>[],
): Promise<Partition[]> => {
  const needed = events.map(({ severity, timestamp }) =>
    partitionOn(severity, dayOf(new Date(timestamp))),
  );
  return makePartitions(sql, new Map(needed.map((each) => [keyOf(each), each])).values());
};

const makePartitions = async (sql: Sql, partitions: Iterable<Partition>): Promise<Partition[]> => {
  const made: Partition[] = [];
  for (const partition of partitions) {
    const { severity, starts, ends } = partition;
    try {
      const [row] = await sql<[{ made: boolean }]>`
        SELECT create_event_partition(${severity}, ${starts.toISOString()}::timestamptz, ${ends.toISOString()}::timestamptz) AS made`;
      if (row.made) made.push(partition);
    } catch (error) {
      if (!isAlreadyThere(error)) throw error;
    }
  }
  return made;
};

/** Another server made it while this one waited for its turn: PostgreSQL may still remember that there was none. */
const isAlreadyThere = (error: unknown): boolean => (error as { code?: string }).code === '42P07';
