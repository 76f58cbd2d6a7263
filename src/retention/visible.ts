// The one condition of what may be seen: nothing older than it is kept unless a hold keeps it, nothing younger left
// out, to the microsecond, although rows go only when their whole partition has expired.

import { type SQL, and, eq, gte, inArray, isNull, notInArray, or } from 'drizzle-orm';
import { events } from '../database/schema.ts';
import { definitionOf } from '../events/catalog.ts';
import type { Event } from '../events/fields.ts';
import { isWithin, oldestKept } from '../events/retention.ts';
import { type Severity, severityNames } from '../events/vocabulary.ts';
import {
  type EventFilter,
  filterBounds,
  filterFields,
  filterSql,
  filterTest,
} from '../query/filter.ts';
import { resolveRange } from '../query/range.ts';
import type { Policy } from './policy.ts';

/**
 * As a condition on those `events` that the filter chooses; undefined where its own range lies within every period that
 * matters to it, so that questions about the recent past pay nothing.
 */
export const visibleSql = (
  policy: Policy,
  filter: EventFilter | null | undefined,
  now: Date,
): SQL | undefined => {
  const { severities: wanted = severityNames, categories } = filterBounds(filter ?? {});
  const codes = [...policy.periods.codes].filter(
    ([code]) => categories?.includes(definitionOf(code)!.category) ?? true,
  );
  const from = filter?.range ? new Date(resolveRange(filter.range, now).from) : undefined;
  const reaches = (days: number): boolean => from === undefined || from < oldestKept(days, now);
  const days = [...wanted.map((name) => policy.periods.severities[name]), ...codes.map(([, each]) => each)]; // oxfmt-ignore
  if (!days.some(reaches)) return undefined;
  return or(
    ...wanted.map((severity) =>
      and(
        wanted.length === 1 ? undefined : eq(events.severity, severity),
        withinPeriod(policy, severity, now),
      ),
    ),
    ...codes.map(([code, each]) => and(ofCode([code]), younger(each, now))),
    heldSql(policy, now),
  );
};

/** Within the period of the severity, but for codes that have a shorter one. */
const withinPeriod = ({ periods }: Policy, severity: Severity, now: Date): SQL | undefined => {
  const days = periods.severities[severity];
  const shorter = [...periods.codes].filter(([, each]) => each < days).map(([code]) => code);
  return and(
    younger(days, now),
    shorter.length === 0 ? undefined : or(isNull(events.code), notInArray(events.code, shorter)),
  );
};

/** What a hold keeps; undefined where there is none. */
export const heldSql = ({ holds }: Policy, now: Date): SQL | undefined =>
  holds.length === 0 ? undefined : or(...holds.map((filter) => filterSql(filter, now)));

const younger = (days: number, now: Date): SQL =>
  gte(events.timestamp, oldestKept(days, now).toISOString());

/** The category follows from the code, and has an index. */
export const ofCode = (codes: readonly string[]): SQL | undefined =>
  and(
    inArray(events.category, [...new Set(codes.map((code) => definitionOf(code)!.category))]),
    inArray(events.code, [...codes]),
  );

/** The same of an event in memory. A hold that looks at fields which were not read, as one that was placed meanwhile, keeps
 * nothing there. */
export const isVisible = ({ periods, holds }: Policy, event: Event, now: Date): boolean =>
  isWithin(periods, event, now) ||
  holds.some(
    (filter) =>
      filterFields(filter).every((name) => name in event) && filterTest(filter, now)(event),
  );
