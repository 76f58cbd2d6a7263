// How long events are kept: the specification's period of each severity, unless another was set for the severity or for the
// code, which counts before it. Whoever accepts, shows or drops events asks here.

import { definitionOf } from './catalog.ts';
import type { Event } from './fields.ts';
import { microsOf } from './time.ts';
import {
  type Category,
  type Severity,
  categoryNames,
  severities,
  severityNames,
} from './vocabulary.ts';

/** Days by severity and, counting before it, by code. */
export type Periods = {
  readonly severities: Readonly<Record<Severity, number>>;
  readonly codes: ReadonlyMap<string, number>;
  /** By severity or code, up to when events may be gone: those of before the period was made longer. */
  readonly gone: ReadonlyMap<string, Date>;
};

/** What tells of a removal is kept as long as the longest period, whatever is set. */
export const CLEANUP_CODE = 'ADMIN-007';

/** What events about retention are about. */
export const retentionResources = ['RETENTION_RUN', 'RETENTION_RULE', 'RETENTION_HOLD'] as const;
export type RetentionResource = (typeof retentionResources)[number];

const DAY_MS = 86_400_000;

/** The periods with what was set, days by severity or code, in place of the document's. */
export const periodsWith = (
  set: Readonly<Record<string, number>> = {},
  gone: Periods['gone'] = new Map(),
): Periods => {
  const bySeverity = Object.fromEntries(
    severityNames.map((name) => [name, set[name] ?? severities[name].retentionDays]),
  ) as Record<Severity, number>;
  const codes = new Map(Object.entries(set).filter(([target]) => definitionOf(target)));
  codes.set(CLEANUP_CODE, Math.max(...Object.values(bySeverity), ...codes.values()));
  return { severities: bySeverity, codes, gone };
};

export const documentPeriods = periodsWith();

/** How many days an event is kept, counted from its timestamp. */
export const daysKept = (
  { severities: bySeverity, codes }: Periods,
  { severity, code }: Pick<Event, 'severity' | 'code'>,
): number => (code === null ? undefined : codes.get(code)) ?? bySeverity[severity];

/** In days; whatever is set, what tells of a removal is kept as long as that. */
export const longestKept = ({ codes }: Periods): number => codes.get(CLEANUP_CODE)!;

/** The first instant that is still kept. */
export const oldestKept = (days: number, now: Date): Date =>
  new Date(now.getTime() - days * DAY_MS);

/** Whether an event is no older than it is kept; exact to the microsecond. */
export const isWithin = (
  periods: Periods,
  event: Pick<Event, 'severity' | 'code' | 'timestamp'>,
  now: Date,
): boolean =>
  microsOf(event.timestamp) >= oldestKept(daysKept(periods, event), now).getTime() * 1000;

/** Since when all events of some severities are kept, whatever their code, or of some categories alone. */
export const wholeSince = (
  periods: Periods,
  of: readonly Severity[],
  now: Date,
  categories: readonly Category[] = categoryNames,
): Date => {
  const { severities: bySeverity, codes, gone } = periods;
  const concerns = (target: string): boolean => {
    const { category } = definitionOf(target) ?? {};
    return category ? categories.includes(category) : of.includes(target as Severity);
  };
  const ofCodes = [...codes].flatMap(([code, days]) => (concerns(code) ? days : []));
  const days = Math.min(longestKept(periods), ...of.map((name) => bySeverity[name]), ...ofCodes);
  const until = [...gone].flatMap(([target, at]) => (concerns(target) ? at.getTime() : []));
  return new Date(Math.max(oldestKept(days, now).getTime(), ...until));
};
