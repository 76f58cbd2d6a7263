// Where buckets begin, against what the clocks of a zone show, minute by minute where they are changed.

import { describe, expect, test } from 'vitest';
import { type StatsInterval, bucketsOf, intervals } from '../../src/query/buckets.ts';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const now = new Date('2026-01-01T00:00:00Z');
const textOf = (at: number): string => new Date(at).toISOString();

const clocks = new Map<string, Intl.DateTimeFormat>();
const clockOf = (timeZone: string): Intl.DateTimeFormat => {
  const clock =
    clocks.get(timeZone) ??
    new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  clocks.set(timeZone, clock);
  return clock;
};

/** What the clocks show, cut to the beginning of an interval; within a day with the offset, as an hour may come twice. */
const shown = (at: number, interval: StatsInterval, timeZone: string): string => {
  const parts = clockOf(timeZone).format(at);
  const offset = Date.parse(`${parts}Z`) - Math.floor(at / 1000) * 1000;
  const [date = '', time = ''] = parts.split(' ');
  const [year = '', month = ''] = date.split('-');
  const [hour = '', minute = ''] = time.split(':');
  const monday = (): string => {
    const day = new Date(`${date}T00:00Z`);
    return textOf(day.getTime() - ((day.getUTCDay() + 6) % 7) * DAY);
  };
  const every = (minutes: number): string =>
    `${date} ${hour}:${Math.floor(Number(minute) / minutes)} ${offset}`;
  return {
    MINUTE: () => every(1),
    FIVE_MINUTES: () => every(5),
    QUARTER_HOUR: () => every(15),
    HOUR: () => every(60),
    DAY: () => date,
    WEEK: monday,
    MONTH: () => `${year}-${month}`,
    QUARTER: () => `${year} ${Math.floor((Number(month) - 1) / 3)}`,
    YEAR: () => year,
  }[interval]();
};

// Zones whose clocks are changed at midnight, by half an hour, back into the day before, over a whole day, or never.
// oxfmt-ignore
const places: readonly (readonly [timeZone: string, around: string])[] = [
  ['UTC', '2025-06-01'], ['Asia/Jakarta', '2025-06-01'], ['Asia/Jayapura', '2025-01-01'], ['Asia/Kolkata', '2025-06-01'],
  ['Asia/Kathmandu', '2025-06-01'], ['Europe/Berlin', '2025-03-30'], ['Europe/Berlin', '2025-10-26'],
  ['America/New_York', '2025-11-02'], ['America/Havana', '2024-03-10'], ['America/Havana', '2024-11-03'],
  ['America/Santiago', '2024-09-08'], ['America/Santiago', '2024-04-07'], ['Africa/Cairo', '2025-04-25'],
  ['Australia/Lord_Howe', '2025-04-06'], ['Australia/Lord_Howe', '2025-10-05'], ['Pacific/Apia', '2011-12-30'],
  ['Pacific/Chatham', '2025-04-06'], ['America/St_Johns', '2025-03-09'], ['Africa/Casablanca', '2025-02-23'],
];
const cases = places.flatMap(([timeZone, around]) =>
  (Object.keys(intervals) as StatsInterval[]).map((interval) => [interval, timeZone, around] as const),
); // oxfmt-ignore

describe('a bucket ends when the clocks show another one', () => {
  test.each(cases)('%s in %s around %s', (interval, timeZone, around) => {
    const middle = Date.parse(around);
    const short = intervals[interval].ms < HOUR;
    const [from, to] = short
      ? [middle - 16 * HOUR, middle + 28 * HOUR]
      : [middle - 40 * DAY, middle + 370 * DAY];
    const { starts, end } = bucketsOf({ from: textOf(from), to: textOf(to) }, interval, timeZone, now); // oxfmt-ignore
    expect(starts[0]).toBeLessThanOrEqual(from);
    expect(starts[1]).toBeGreaterThan(from);
    expect(starts.at(-1)).toBeLessThan(to);
    expect(end).toBeGreaterThanOrEqual(to);
    const ends = [...starts.slice(1), end];
    const near = starts.filter(
      (start, place) => Math.abs(start - middle) < 1.5 * DAY || place % 50 === 0,
    );
    for (const start of near) {
      const until = ends[starts.indexOf(start)]!;
      const label = `${textOf(start)} to ${textOf(until)}`;
      expect(until, label).toBeGreaterThan(start);
      const inside = shown(start, interval, timeZone);
      expect(shown(start - 1, interval, timeZone), label).not.toBe(inside);
      const step = Math.max(MINUTE, Math.floor((until - start) / 37 / MINUTE) * MINUTE);
      for (let at = start; at < until; at += step)
        expect(shown(at, interval, timeZone), `${label} at ${textOf(at)}`).toBe(inside);
      expect(shown(until - 1, interval, timeZone), label).toBe(inside);
    }
  });
});

test.each([
  ['ends where a bucket does: the next one is not there', '12:00:00.000Z', 2],
  ['ends a microsecond later: it is', '12:00:00.000001Z', 3],
  ['is empty', '10:10:00.000Z', 0],
  ['is upside down', '09:00:00.000Z', 0],
])('a range that %s', (_, to, count) => {
  const range = { from: '2025-06-01T10:10:00.000Z', to: `2025-06-01T${to}` };
  expect(bucketsOf(range, 'HOUR', 'UTC', now).starts).toHaveLength(count);
});

test('more than 10,000 buckets are refused before they are made', () => {
  const range = { from: '1970-01-01T00:00:00.000Z', to: '9999-01-01T00:00:00.000Z' };
  expect(() => bucketsOf(range, 'MINUTE', 'UTC', now)).toThrow('longer `interval`');
});
