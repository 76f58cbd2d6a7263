// What the writers know: each event they sent, when, what it contained, and once it was acknowledged, when and where it
// stands. A lane per writer and an array per property, because a long run has a million of them.

import { BATCH_SPAN } from '../src/database/schema.ts';
import { parseCursor } from '../src/live/cursor.ts';
import type { Mark } from './event.ts';

export type Lane = {
  readonly hash: number[];
  /** When it was first sent: from then on it may be stored. */
  readonly sentAt: number[];
  /** When it was acknowledged; Infinity until then. */
  readonly answeredAt: number[];
  /** Where it stands in the order of the log; 0 until it was acknowledged. */
  readonly position: number[];
};

export type Place = Pick<Mark, 'writer' | 'sequence'>;
export type History = {
  readonly lanes: readonly Lane[];
  readonly openLane: () => number;
  readonly sent: (mark: Mark, at?: number) => void;
  /** Says false where an earlier answer named another position. */
  readonly acknowledged: (mark: Place, position: number, at?: number) => boolean;
  readonly totals: { sent: number; acknowledged: number };
};

export const createHistory = (): History => {
  const lanes: Lane[] = [];
  const totals = { sent: 0, acknowledged: 0 };
  return {
    lanes,
    totals,
    openLane: () => lanes.push({ hash: [], sentAt: [], answeredAt: [], position: [] }) - 1,
    sent: ({ writer, sequence, hash }, at = instant()) => {
      const lane = lanes[writer]!;
      if (sequence !== lane.hash.length) return; // sent again
      lane.hash.push(hash);
      lane.sentAt.push(at);
      lane.answeredAt.push(Infinity);
      lane.position.push(0);
      totals.sent++;
    },
    acknowledged: ({ writer, sequence }, position, at = instant()) => {
      const lane = lanes[writer]!;
      const before = lane.position[sequence]!;
      if (before > 0) return before === position;
      lane.position[sequence] = position;
      lane.answeredAt[sequence] = at;
      totals.acknowledged++;
      return true;
    },
  };
};

/** In ms, by the one clock that all processes of a machine share. */
export const instant = (): number => Number(process.hrtime.bigint()) / 1e6;

export const positionOf = (cursor: string): number => {
  const { seq, place } = parseCursor(cursor)!;
  return seq * BATCH_SPAN + place;
};
