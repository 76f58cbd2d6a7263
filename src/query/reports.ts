// The specification's monitoring reports 2 to 6; the first, recent critical events, is a page of events. With default
// arguments each gives the figures of the document's own SQL, but where it says otherwise below; a test runs both.

import type { Sql } from '../database/connection.ts';
import { CONFIDENCE } from '../database/measures.ts';
import { JejakError } from '../errors.ts';
import { securityRelevantCodes } from '../events/catalog.ts';
import { compareInstants } from '../events/time.ts';
import type { EventFilter } from './filter.ts';
import type { Instants } from './range.ts';
import { type Kept, type StatsRequest, eventStats } from './stats.ts';

/** What a report is about: a range of time, and of its events those that the viewer may see and that are kept. */
export type Span = {
  readonly range: Instants;
  readonly seen: EventFilter;
  readonly kept: Kept;
  readonly now: Date;
};

type Counted = Pick<StatsRequest, 'groupBy' | 'interval'> & {
  readonly filter?: EventFilter;
  readonly timeZone?: string;
  readonly events?: Parts<'events'>;
  readonly times?: Parts<'times'>;
  readonly confidence?: true;
};
type Parts<P extends 'events' | 'times'> =
  StatsRequest['wanted'][P] extends ReadonlySet<infer Name> ? readonly Name[] : never;

/** Statistics of a span: how many, and what else is wanted of them. */
const counted = (
  question: Sql,
  { range, seen, kept, now }: Span,
  { filter, timeZone = 'UTC', events = [], times = [], confidence, ...by }: Counted,
) =>
  eventStats(
    question,
    {
      ...by,
      range,
      kept,
      onlyKept: true, // a report is about what can be seen, and has no word for the rest
      timeZone,
      filter: filter ? { and: [filter, seen] } : seen,
      wanted: {
        events: new Set(events),
        times: new Set(times),
        data: new Map(confidence ? [[CONFIDENCE, new Set(['count', 'sum'] as const)]] : []),
      },
    },
    now,
  );

const ascending = <T extends string | number>(one: T | null, other: T | null): number =>
  one === other ? 0 : one === null || (other !== null && one > other) ? 1 : -1;

/** Rows without a username are left out unless asked for. Most active first, of those the latest; an order by names
 * would tell what they are to who sees them masked. */
export const userActivity = async (question: Sql, span: Span, includeAnonymous: boolean) => {
  const stats = await counted(question, span, {
    groupBy: ['USERNAME', 'USER_ID'],
    events: ['lastAt'],
  });
  const byName = Map.groupBy(stats, ({ group }) => group.username as string | null);
  return [...byName]
    .filter(([username]) => includeAnonymous || username !== null)
    .map(([username, ofUser]) => ({
      username,
      // Those without a name are nobody in particular.
      userId: username === null ? null : ofUser.reduce<number | null>((most, { group: { userId } }) => greatest(most, userId as number | null), null), // oxfmt-ignore
      eventCount: ofUser.reduce((sum, each) => sum + each.events.count, 0),
      lastActivity: ofUser.map((each) => each.events.lastAt!).toSorted(compareInstants).at(-1)!, // oxfmt-ignore
    }))
    .toSorted(
      (a, b) =>
        b.eventCount - a.eventCount ||
        compareInstants(b.lastActivity, a.lastActivity) ||
        ascending(a.userId, b.userId),
    );
};

const greatest = (one: number | null, other: number | null): number | null =>
  one === null || (other !== null && other > one) ? other : one;

/** To two decimals, as PostgreSQL rounds. */
export const percent = (part: number, whole: number): number =>
  Math.round((part * 10_000) / whole) / 100;

/** Rates are in percent. `errorRate` counts ERROR alone, `failureRate` everything that did not succeed. */
export const endpointErrorRates = async (question: Sql, span: Span, moreThan: number) => {
  const stats = await counted(question, span, {
    groupBy: ['ENDPOINT'],
    events: ['errors', 'failures'],
  });
  return stats
    .filter(({ group, events }) => group.endpoint !== null && events.count > moreThan)
    .map(({ group, events: { count, errors = 0, failures = 0 } }) => ({
      endpoint: group.endpoint as string,
      totalRequests: count,
      errorCount: errors,
      errorRate: percent(errors, count),
      failureRate: percent(failures, count),
    }))
    .toSorted(
      (a, b) =>
        b.errorRate - a.errorRate ||
        b.totalRequests - a.totalRequests ||
        ascending(a.endpoint, b.endpoint),
    );
};

/** A row per type and code; `includeRelated` adds the security-relevant codes of other categories. */
export const securitySummary = async (question: Sql, span: Span, includeRelated: boolean) => {
  const related = includeRelated ? [{ code: [...securityRelevantCodes] }] : [];
  const stats = await counted(question, span, {
    filter: { or: [{ category: ['SECURITY'] }, ...related] },
    groupBy: ['TYPE', 'CODE'],
    events: ['lastAt'],
  });
  return stats
    .map(({ group, events: { count, lastAt } }) => ({
      type: group.type as string,
      code: group.code as string | null,
      count,
      latest: lastAt!,
    }))
    .toSorted(
      (a, b) => b.count - a.count || ascending(a.type, b.type) || ascending(a.code, b.code),
    );
};

export const MOST_DAYS = 400;

/** A row per hour of the zone, the latest first, hours without predictions included. A confidence that is no
 * number counts as a prediction without one. */
export const modelPerformance = async (question: Sql, span: Span, timeZone: string) => {
  const { range, now } = span;
  const to = range.to ?? now.toISOString();
  if (Date.parse(to) - Date.parse(range.from) > MOST_DAYS * 86_400_000)
    throw new JejakError(
      'TOO_EXPENSIVE',
      `A report by the hour covers at most ${MOST_DAYS} days; narrow \`range\`.`,
    );
  const stats = await counted(question, span, {
    filter: { category: ['PRED'], type: ['INDIVIDUAL_PREDICTION'], status: ['SUCCESS'] },
    groupBy: [],
    interval: 'HOUR',
    timeZone,
    confidence: true,
  });
  return stats.toReversed().map(({ start, events: { count }, data }) => {
    const { count: known = 0, sum } = data[CONFIDENCE] ?? {};
    return { hour: start, averageConfidence: known ? sum! / known : null, predictionCount: count };
  });
};

export type Percentile = 'p50' | 'p95' | 'p99';

/** Milliseconds by event name, slowest on average first, with the percentiles that averages hide, as far as they are
 * asked for: the events alone tell them. */
export const systemPerformance = async (
  question: Sql,
  span: Span,
  percentiles: readonly Percentile[],
) => {
  const stats = await counted(question, span, {
    groupBy: ['NAME'],
    times: ['count', 'sum', 'maximum', ...percentiles],
  });
  return stats
    .filter(({ times }) => times.count! > 0)
    .map(({ group, times: { count, sum, maximum, p50, p95, p99 } }) => ({
      name: group.name as string,
      averageMs: sum! / count!,
      maxMs: maximum!,
      p50Ms: p50!,
      p95Ms: p95!,
      p99Ms: p99!,
      requestCount: count!,
    }))
    .toSorted((a, b) => b.averageMs - a.averageMs || ascending(a.name, b.name));
};
