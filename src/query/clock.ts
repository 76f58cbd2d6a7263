// How the clocks of a zone stand when an event happens. PostgreSQL has zones of its own, which may be those of another year than
// the ones that the buckets have: it is told the offsets.

import { type SQL, sql } from 'drizzle-orm';
import { events } from '../database/schema.ts';
import { zoneOf } from '../events/zone.ts';
import { EARLIEST } from './buckets.ts';
import type { Instants } from './range.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const CENTURY_MS = 36_525 * DAY_MS;

/** By how many milliseconds the clocks are ahead of UTC, each from an instant on. */
export type Clock = { readonly starts: readonly number[]; readonly offsets: readonly number[] };

/** A day more at either end: roll-ups may begin before the range, and events be ahead of `now`. */
export const clockOf = ({ from, to }: Instants, timeZone: string, now: Date): Clock => {
  const { offsetAt, changeWithin } = zoneOf(timeZone);
  const last = to === undefined ? now.getTime() + DAY_MS : Date.parse(to);
  const first = Math.max(Date.parse(from) - DAY_MS, last - CENTURY_MS, EARLIEST);
  const starts = [first];
  for (let at = first; at < last; at += WEEK_MS) {
    const change = changeWithin(at, at + WEEK_MS + 1);
    if (change !== undefined) starts.push(change);
  }
  return { starts, offsets: starts.map(offsetAt) };
};

/** What the clocks show when an event happens, such as its `hour`. */
export const clockSql = (field: string, { starts, offsets }: Clock): SQL => {
  const offset = sql`(${`{${offsets.join(',')}}`}::int[])[greatest(${placeSql(starts)}, 1)]`;
  return sql`extract(${sql.raw(field)} FROM ${events.timestamp} AT TIME ZONE 'UTC' + ${offset} * interval '1 millisecond')::int`;
};

/** Between which of these an event happened: 0 before the first. */
export const placeSql = (starts: readonly number[]): SQL =>
  sql`width_bucket(${events.timestamp}, ${`{${starts.map((start) => new Date(start).toISOString()).join(',')}}`}::timestamptz[])`;
