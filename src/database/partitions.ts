// Which partitions exist. Each severity is cut into ranges of its own width, aligned to days since 1970 in UTC, from the
// start of its retention to some time ahead, so that every acceptable event has a home before it arrives. Where its period was
// another before, they fill what is left beside those that are there.

import type { Event } from '../events/fields.ts';
import { type Periods, documentPeriods, longestKept, periodsWith } from '../events/retention.ts';
import { type Severity, severities, severityNames } from '../events/vocabulary.ts';
import type { Sql } from './connection.ts';
import { codeOf, isOverlap } from './failures.ts';

const DAY_MS = 86_400_000;
/** How far ahead partitions are made: longer than anybody takes to notice that the clock which makes them has stopped. */
const AHEAD_DAYS = 10;
/** No partition is wider, so that what expires in it is gone from the disk in a while, but for those of periods so long that they
 * would be very many. */
const widestFor = (keptDays: number): number => Math.max(160, Math.floor(keptDays / 32));

export type Partition = { readonly severity: Severity; readonly starts: Date; readonly ends: Date };

/** How many days the partitions of a severity take that is kept for so many: twice as many whenever that is twice as long as
 * the document says. Of some hundred partitions every question that is not bound to a time took locks that PostgreSQL had not. */
export const widthOf = (severity: Severity, keptDays: number): number => {
  const { retentionDays, partitionDays } = severities[severity];
  const widest = Math.min((partitionDays * keptDays) / retentionDays, widestFor(keptDays));
  return partitionDays * 2 ** Math.max(0, Math.floor(Math.log2(widest / partitionDays)));
};

/** Of severities that are `kept` for so many days. Where that is longer than the document says, events that are older than it
 * says and have no home yet are rare, and theirs is made when they come. */
export const partitionsAt = (now: Date, kept = documentPeriods.severities): Partition[] =>
  severityNames.flatMap((severity) => {
    const width = widthOf(severity, kept[severity]);
    const today = dayOf(now);
    const oldest = today - Math.min(severities[severity].retentionDays, kept[severity]);
    const first = Math.floor(oldest / width) * width;
    const count = Math.ceil((today + 1 + AHEAD_DAYS - first) / width);
    return Array.from({ length: count }, (_, index) =>
      partitionOn(severity, first + index * width, width),
    );
  });

/** Of some partitions those that are always there, whole or in part. */
export const dueOf = (
  partitions: readonly Partition[],
  now: Date,
  kept: typeof documentPeriods.severities,
): Partition[] => {
  const due = partitionsAt(now, kept);
  return partitions.filter((each) => due.some((other) => overlap(each, other)));
};

const overlap = (one: Partition, other: Partition): boolean =>
  one.severity === other.severity && one.starts < other.ends && other.starts < one.ends;

/** Days since 1970. */
const dayOf = (at: Date): number => Math.floor(at.getTime() / DAY_MS);

/** The partition that an event of this severity on this day belongs to. */
const partitionOn = (severity: Severity, day: number, width: number): Partition => {
  const first = Math.floor(day / width) * width;
  return {
    severity,
    starts: new Date(first * DAY_MS),
    ends: new Date((first + width) * DAY_MS),
  };
};

/** What of a range has no partition yet, the earliest first. */
const gapsIn = (range: Partition, there: readonly Partition[]): Partition[] => {
  const gaps: Partition[] = [];
  let { starts } = range;
  for (const other of there.filter((each) => overlap(each, range))) {
    if (starts < other.starts) gaps.push({ ...range, starts, ends: other.starts });
    starts = other.ends;
  }
  if (starts < range.ends) gaps.push({ ...range, starts });
  return gaps;
};

/** Makes the partitions that are missing and returns how many there were. */
export const ensurePartitions = async (sql: Sql, now: Date): Promise<number> =>
  (await makePartitions(sql, partitionsAt(now, (await periodsIn(sql)).severities))).length;

/** As they are in force by now, whatever a server knows. */
const periodsIn = async (sql: Sql): Promise<Periods> => {
  const rules = await sql<{ target: string; days: number }[]>`SELECT target, days FROM retention_rules`; // oxfmt-ignore
  return periodsWith(Object.fromEntries(rules.map(({ target, days }) => [target, days])));
};

/** Makes those that some events need and returns which were missing: older ones than are always there, where a code or a
 * severity is kept longer than the document says, or all of them, where nobody made any for weeks. */
export const makePartitionsFor = async (
  sql: Sql,
  events: readonly Pick<Event, 'severity' | 'timestamp'>[],
): Promise<Partition[]> => {
  const periods = await periodsIn(sql);
  const kept = periods.severities;
  const widest = widestFor(longestKept(periods));
  const today = dayOf(new Date());
  const needed = events.map(({ severity, timestamp }) => {
    const day = dayOf(new Date(timestamp));
    // Beyond its severity's period there are only events of codes that are kept longer, which are few.
    const isOld = day < today - kept[severity];
    return partitionOn(severity, day, isOld ? widest : widthOf(severity, kept[severity]));
  });
  const keyOf = ({ severity, starts }: Partition): string => `${severity} ${starts.getTime()}`;
  return makePartitions(sql, [...new Map(needed.map((each) => [keyOf(each), each])).values()]);
};

const makePartitions = async (sql: Sql, wanted: readonly Partition[]): Promise<Partition[]> => {
  const there = await sql<{ severity: Severity; starts: string; ends: string }[]>`
    SELECT severity, starts, ends FROM event_partitions ORDER BY starts`;
  const ranges = there.map(({ severity, starts, ends }) => ({
    severity,
    starts: new Date(starts),
    ends: new Date(ends),
  }));
  const made: Partition[] = [];
  for (const partition of wanted.flatMap((range) => gapsIn(range, ranges))) {
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

/** Another server made it, or one that overlaps it, while this one waited for its turn: PostgreSQL may still remember that there
 * was none. */
const isAlreadyThere = (error: unknown): boolean => codeOf(error) === '42P07' || isOverlap(error);
