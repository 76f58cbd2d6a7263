// What eventStats should say, computed from the events themselves in memory.

import type { Event } from '../../src/events/fields.ts';
import { microsOf } from '../../src/events/time.ts';
import { statusesOfFailure } from '../../src/events/vocabulary.ts';
import { bucketsOf } from '../../src/query/buckets.ts';
import { filterTest } from '../../src/query/filter.ts';
import { type Dimension, type StatsRequest, dimensions } from '../../src/query/stats.ts';

type Expected = {
  readonly start: string;
  readonly group: Record<string, unknown>;
  readonly events: Record<string, unknown>;
  readonly times: Record<string, unknown>;
  readonly confidence: Record<string, unknown>;
};

/** Every figure of every group and bucket, in no particular order. */
export const expectedStats = (
  events: readonly Event[],
  { filter, range, interval, timeZone, groupBy }: StatsRequest,
  now: Date,
): Expected[] => {
  const tests = [filterTest(filter, now), filterTest({ range }, now)];
  const chosen = events.filter((event) => tests.every((test) => test(event)));
  const { starts, end } = interval
    ? bucketsOf(range, interval, timeZone, now)
    : { starts: [Date.parse(range.from)], end: Infinity };
  const hourOf = new Intl.DateTimeFormat('en', { timeZone, hour: 'numeric', hourCycle: 'h23' });
  const dayOf = new Intl.DateTimeFormat('en', { timeZone, weekday: 'short' });
  const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
  const valueOf = (event: Event, dimension: Dimension): unknown => {
    const { name } = dimensions[dimension];
    const at = Date.parse(event.timestamp);
    if (name === 'hourOfDay') return Number(hourOf.format(at));
    if (name === 'dayOfWeek') return days.indexOf(dayOf.format(at)) + 1;
    return event[name];
  };
  const groupOf = (event: Event) =>
    Object.fromEntries(groupBy.map((each) => [dimensions[each].name, valueOf(event, each)]));
  const groups = Map.groupBy(chosen, (event) => JSON.stringify(groupOf(event)));
  if (groupBy.length === 0 && chosen.length === 0) groups.set('{}', []);
  const kept = starts.filter(
    (start, place) =>
      range.to !== undefined || start <= now.getTime() ||
      chosen.some((event) => Date.parse(event.timestamp) >= starts[place]!),
  ); // oxfmt-ignore
  return kept.flatMap((start, place) =>
    [...groups].map(([key, ofGroup]) => ({
      start: interval ? new Date(start).toISOString() : range.from,
      group: JSON.parse(key),
      ...figuresOf(
        ofGroup.filter(
          ({ timestamp }) =>
            !interval ||
            (Date.parse(timestamp) >= start && Date.parse(timestamp) < (kept[place + 1] ?? end)),
        ),
      ),
    })),
  );
};

const figuresOf = (events: readonly Event[]) => {
  const stamps = events
    .map(({ timestamp }) => timestamp)
    .toSorted((a, b) => microsOf(a) - microsOf(b));
  const share = (test: (event: Event) => boolean): number => events.filter(test).length;
  return {
    events: {
      count: events.length,
      errors: share(({ status }) => status === 'ERROR'),
      failures: share(({ status }) => statusesOfFailure.includes(status)),
      distinctUsers: new Set(events.flatMap(({ username }) => username ?? [])).size,
      firstAt: stamps[0] ?? null,
      lastAt: stamps.at(-1) ?? null,
    },
    times: numbersOf(events.flatMap(({ processingTimeMs }) => processingTimeMs ?? [])),
    confidence: numbersOf(
      events.flatMap(({ responseData }) => {
        const { confidence } = (responseData ?? {}) as { confidence?: unknown };
        return /^ ?[\d.]+(e0)?$/.test(String(confidence)) ? Number(confidence) : [];
      }),
    ),
  };
};

const numbersOf = (numbers: readonly number[]) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const percentile = (part: number): number | null => {
    const place = part * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return low === undefined ? null : low + (high! - low) * (place % 1);
  };
  return {
    count: sorted.length,
    sum: sorted.reduce((sum, number) => sum + number, 0),
    minimum: sorted[0] ?? null,
    maximum: sorted.at(-1) ?? null,
    p50: percentile(0.5),
    p95: percentile(0.95),
    p99: percentile(0.99),
  };
};
