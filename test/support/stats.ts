// Random questions for eventStats, and what it should say to them, computed from the events themselves in memory.

import { expect } from 'vitest';
import type { Sql } from '../../src/database/connection.ts';
import { CONFIDENCE, measures, numberMeasures } from '../../src/database/measures.ts';
import type { Event } from '../../src/events/fields.ts';
import { documentPeriods } from '../../src/events/retention.ts';
import { microsOf } from '../../src/events/time.ts';
import { severityNames, statusesOfFailure } from '../../src/events/vocabulary.ts';
import { type StatsInterval, bucketsOf, intervals } from '../../src/query/buckets.ts';
import { filterTest } from '../../src/query/filter.ts';
import {
  type Dimension,
  MAX_STATS,
  type StatsRequest,
  dimensionNames,
  dimensions,
  eventStats,
} from '../../src/query/stats.ts';
import type { Random } from './generate.ts';

const HOUR = 3_600_000;

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

const everyNumber = new Set(Object.keys(numberMeasures('')) as (keyof ReturnType<typeof numberMeasures>)[]); // oxfmt-ignore
export const everything: StatsRequest['wanted'] = {
  events: new Set(Object.keys(measures) as (keyof typeof measures)[]),
  times: everyNumber,
  data: new Map([[CONFIDENCE, everyNumber]]),
};

/** What roll-ups hold. */
const additive: StatsRequest['wanted'] = {
  events: new Set(['count', 'errors', 'failures', 'firstAt', 'lastAt']),
  times: new Set(['count', 'sum', 'minimum', 'maximum']),
  data: new Map([[CONFIDENCE, new Set(['count', 'sum', 'minimum', 'maximum'])]]),
};
const rolledUp: readonly Dimension[] = ['SEVERITY', 'CATEGORY', 'TYPE', 'CODE', 'STATUS', 'USERNAME', 'ENDPOINT', 'NAME', 'HOUR_OF_DAY', 'DAY_OF_WEEK']; // oxfmt-ignore

export const zones = ['UTC', 'Asia/Jakarta', 'Asia/Kolkata', 'Asia/Kathmandu', 'America/New_York', 'Australia/Lord_Howe']; // oxfmt-ignore

/** To the microsecond, and rarely where an hour begins. */
const instant = (random: Random, now: Date): string => {
  const ms = now.getTime() - random.number() * 60 * HOUR;
  const text = new Date(random.chance(0.2) ? Math.floor(ms / HOUR) * HOUR : ms).toISOString();
  return random.chance(0.5) ? text : `${text.slice(0, -1)}${100 + random.below(900)}Z`;
};

export const questionOf = (random: Random, now: Date): StatsRequest => {
  const ofRollups = random.chance(0.6);
  const [one, other] = [instant(random, now), instant(random, now)].toSorted();
  const span = Date.parse(other!) - Date.parse(one!);
  const possible = (Object.keys(intervals) as StatsInterval[]).filter(
    (name) => span / intervals[name].ms < 60,
  );
  return {
    filter: {
      ...(random.chance(0.3) ? { category: ['AUTH', 'SYSTEM', 'PRED'] } : {}),
      ...(random.chance(0.2) ? { minSeverity: random.pick(severityNames) } : {}),
      ...(random.chance(0.2) ? { status: ['SUCCESS', 'ERROR'] } : {}),
      ...(random.chance(0.1) ? { userRole: ['GURU'] } : {}),
      ...(random.chance(0.1) ? { range: { from: instant(random, now) } } : {}),
    },
    range: random.chance(0.3) ? { from: one! } : { from: one!, to: other },
    interval: random.chance(0.2) ? null : random.pick(possible),
    timeZone: random.pick(zones),
    groupBy: [
      ...new Set(
        Array.from({ length: random.below(3) }, () =>
          random.pick(ofRollups ? rolledUp : dimensionNames),
        ),
      ),
    ],
    wanted: ofRollups ? additive : everything,
    kept: { periods: documentPeriods },
  };
};

const near = (value: unknown): unknown =>
  typeof value === 'number' ? expect.closeTo(value, 6) : value;
const nearAll = (figures: object) =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, near(value)]));

const byPlace = <T extends { start: string; group: object }>(rows: readonly T[]): T[] => {
  const key = (row: T): string => `${row.start} ${JSON.stringify(row.group)}`;
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
};

/** Asks, and compares every figure of every row; whether there was anything to be compared. */
export const compareStats = async (
  question: Sql,
  events: readonly Event[],
  request: StatsRequest,
  now: Date,
  label: string,
): Promise<boolean> => {
  const what = `${label}, ${JSON.stringify(request)}`;
  const wanted = expectedStats(events, request, now).map((row) => ({
    ...row,
    events: picked(row.events, request.wanted.events),
    times: nearAll(picked(row.times, request.wanted.times)),
    confidence: nearAll(picked(row.confidence, request.wanted.data.get(CONFIDENCE) ?? new Set())),
  }));
  if (wanted.length > MAX_STATS) return false;
  const rows = await eventStats(question, request, now);
  const answers = rows.map(({ start, group, events: ofEvents, times, data }) => ({ start, group, events: ofEvents, times, confidence: data[CONFIDENCE] ?? {} })); // oxfmt-ignore
  const expected = byPlace(wanted);
  for (const [place, answer] of byPlace(answers).entries())
    expect(answer, what).toEqual(expected[place]);
  expect(answers.length, what).toBe(wanted.length);
  return rows.some((row) => row.events.count > 0);
};

const picked = (figures: object, names: ReadonlySet<string>): object =>
  Object.fromEntries(Object.entries(figures).filter(([name]) => names.has(name)));
