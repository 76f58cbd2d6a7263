// The question every fault test asks of a history of (sent, acknowledged, delivered): is anything that was acknowledged
// lost, doubled, altered or reordered, or was anything delivered that nobody was told is stored?

import { isDeepStrictEqual } from 'node:util';
import { BATCH_SPAN } from '../../src/database/schema.ts';
import { parseCursor } from '../../src/live/cursor.ts';

/** An event, any part of it beside its id, and where it stands. */
export type Seen = {
  readonly cursor: string;
  readonly event: { readonly eventId: string; readonly [field: string]: unknown };
};
/** `sent` and `answered`, where they are known, are instants of one clock. */
export type Acknowledged = Seen & { readonly sent?: number; readonly answered?: number };

/** The ids of the events at fault; all empty where nothing is. */
export type Report = {
  readonly lost: string[];
  readonly doubled: string[];
  readonly altered: string[];
  readonly reordered: string[];
  readonly unacknowledged: string[];
};

export const FAULTLESS: Report = {
  lost: [],
  doubled: [],
  altered: [],
  reordered: [],
  unacknowledged: [],
};

/** Judges what one subscriber was delivered, in the order it came, against everything that was acknowledged. */
export const check = (
  acknowledged: readonly Acknowledged[],
  delivered: readonly Seen[],
): Report => {
  const report: Report = structuredClone(FAULTLESS);
  const expected = new Map(acknowledged.map((seen) => [seen.event.eventId, seen]));
  const had = new Set<string>();
  let last = -1;
  let latestSent = -Infinity;
  for (const { cursor, event } of delivered) {
    const { eventId } = event;
    if (had.has(eventId)) {
      report.doubled.push(eventId);
      continue;
    }
    had.add(eventId);
    const position = positionOf(cursor);
    const told = expected.get(eventId);
    // Out of order are two positions, or an event that was answered before an earlier one was so much as sent.
    if (position <= last || (told?.answered ?? Infinity) < latestSent)
      report.reordered.push(eventId);
    last = Math.max(last, position);
    latestSent = Math.max(latestSent, told?.sent ?? -Infinity);
    if (!told) report.unacknowledged.push(eventId);
    else if (told.cursor !== cursor || !isDeepStrictEqual(told.event, event))
      report.altered.push(eventId);
  }
  report.lost.push(...expected.keys().filter((eventId) => !had.has(eventId)));
  return report;
};

const positionOf = (text: string): number => {
  const { seq, place } = parseCursor(text)!;
  return seq * BATCH_SPAN + place;
};
