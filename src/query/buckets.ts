// How a range of time is cut into buckets, in any IANA zone. A bucket begins where the clocks of the zone say so: a day may
// have 23 hours or 25, and where the clocks are changed within an hour a bucket ends. Only instants leave this file, so that
// no SQL has to know of zones.

import { JejakError } from '../errors.ts';
import { AHEAD_MS } from '../events/complete.ts';
import { type Zone, zoneOf } from '../events/zone.ts';
import type { Instants } from './range.ts';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

type Fixed = { readonly ms: number };
/** `next` is the date some steps after that of a local date, whose own step begins at 0 steps. */
type Calendar = { readonly ms: number; readonly next: (local: Date, steps: number) => number };
const date = (local: Date, months: number, days: number): number =>
  Date.UTC(local.getUTCFullYear(), months, days);

/** The lengths a bucket may have; `ms` is the least that it lasts. */
// oxfmt-ignore
export const intervals = {
  MINUTE: { about: 'A minute.', ms: MINUTE },
  FIVE_MINUTES: { about: 'Five minutes.', ms: 5 * MINUTE },
  QUARTER_HOUR: { about: 'A quarter of an hour.', ms: 15 * MINUTE },
  HOUR: { about: 'An hour.', ms: 60 * MINUTE },
  DAY: { about: 'A day, from midnight to midnight; 23 or 25 hours where the clocks are changed.', ms: 22 * 60 * MINUTE, next: (at, days) => date(at, at.getUTCMonth(), at.getUTCDate() + days) },
  WEEK: { about: 'A week, from Monday on.', ms: 6 * DAY, next: (at, weeks) => date(at, at.getUTCMonth(), at.getUTCDate() - ((at.getUTCDay() + 6) % 7) + 7 * weeks) },
  MONTH: { about: 'A month.', ms: 27 * DAY, next: (at, months) => date(at, at.getUTCMonth() + months, 1) },
  QUARTER: { about: 'A quarter of a year.', ms: 89 * DAY, next: (at, quarters) => date(at, (Math.floor(at.getUTCMonth() / 3) + quarters) * 3, 1) },
  YEAR: { about: 'A year.', ms: 364 * DAY, next: (at, years) => date(at, 12 * years, 1) },
} as const satisfies Record<string, { about: string } & (Fixed | Calendar)>;
export type StatsInterval = keyof typeof intervals;

export const MAX_BUCKETS = 10_000;

/** Between these a bucket begins and ends in a year of four digits, which JavaScript does not take for one of the last century. */
export const EARLIEST = Date.parse('0101-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-31T23:59:59.999Z');

/** Buckets by their beginnings, in milliseconds since 1970; the last of them ends at `end`. */
export type Buckets = { readonly starts: readonly number[]; readonly end: number };

/** Cuts a range; where it is open, up to now and as far beyond as events may be. Throws TOO_EXPENSIVE beyond MAX_BUCKETS. */
export const bucketsOf = (
  { from, to }: Instants,
  name: StatsInterval,
  timeZone: string,
  now: Date,
): Buckets => {
  const interval: Fixed | Calendar = intervals[name];
  const first = Math.max(Date.parse(from), EARLIEST);
  // A bucket that holds but the microseconds before `to` is one.
  const given = to === undefined ? now.getTime() + AHEAD_MS : Date.parse(`${to.slice(0, 23)}Z`) + (to.length > 24 ? 1 : 0); // oxfmt-ignore
  const bound = Math.min(given, LATEST);
  if (bound <= first) return { starts: [], end: first };
  if ((bound - first) / interval.ms > MAX_BUCKETS)
    throw new JejakError(
      'TOO_EXPENSIVE',
      `That is more than ${MAX_BUCKETS} buckets; take a longer \`interval\` or a shorter \`range\`.`,
    );
  const zone = zoneOf(timeZone);
  const { floor, next: following } =
    'next' in interval ? byDates(interval, zone) : byClock(interval, zone);
  const next = (start: number): number => Math.min(following(start), LATEST);
  const starts: number[] = [];
  let at = floor(first);
  for (; at < bound; at = next(at)) starts.push(at);
  return { starts, end: at };
};

type Walk = {
  readonly floor: (at: number) => number;
  readonly next: (start: number) => number;
};

const byClock = ({ ms }: Fixed, { offsetAt, changeWithin }: Zone): Walk => {
  const plain = (at: number): number => {
    const offset = offsetAt(at);
    return Math.floor((at + offset) / ms) * ms - offset;
  };
  return {
    floor: (at) => changeWithin(plain(at), at + 1) ?? plain(at),
    next: (start) => {
      const end = plain(start) + ms;
      return changeWithin(start, end) ?? end;
    },
  };
};

const byDates = ({ next }: Calendar, { offsetAt }: Zone): Walk => {
  const wall = (at: number): number => at + offsetAt(at);
  /** The first instant at which the clocks show a time, or have just passed it. */
  const begins = (local: number): number => {
    const offsets = [offsetAt(local - DAY), offsetAt(local + DAY)].map((offset) => local - offset);
    const showing = offsets.filter((at) => wall(at) >= local && wall(at - 1) < local);
    return Math.min(...(showing.length > 0 ? showing : offsets));
  };
  return {
    floor: (at) => begins(next(new Date(wall(at)), 0)),
    next: (start) => {
      // A date may be left out of the calendar: Samoa had no 30 December 2011.
      for (let steps = 1; ; steps++) {
        const at = begins(next(new Date(wall(start)), steps));
        if (at > start) return at;
      }
    },
  };
};
