// How a range of time is put together from cells of roll-ups: the longest ones within, shorter ones towards its ends, and what
// is left over at either end from the events themselves.

import type { Tier } from '../database/rollups.ts';
import { compareInstants } from '../events/time.ts';
import type { Instants } from './range.ts';

/** A part of a range; without a tier it comes from the events. */
export type Segment = Instants & { readonly tier?: Tier };

/** `tiers` from the longest cells to the shortest, each a multiple of the next one. */
export const cover = (range: Instants, [tier, ...shorter]: readonly Tier[]): Segment[] => {
  const { from, to } = range;
  if (to !== undefined && !isBefore(from, to)) return [];
  if (!tier) return [range];
  const starts = ceilTo(from, tier.stepMs);
  const ends = to === undefined ? undefined : floorTo(to, tier.stepMs);
  if (ends !== undefined && !isBefore(starts, ends)) return cover(range, shorter);
  return [
    ...cover({ from, to: starts }, shorter),
    { from: starts, to: ends, tier },
    ...(ends === undefined ? [] : cover({ from: ends, to }, shorter)),
  ];
};

/** The beginning of the cell that an instant is in, and of the next one unless it is a beginning itself. */
export const floorTo = (instant: string, stepMs: number): string =>
  textOf(Math.floor(msOf(instant, Math.floor) / stepMs) * stepMs);

export const ceilTo = (instant: string, stepMs: number): string =>
  textOf(Math.ceil(msOf(instant, Math.ceil) / stepMs) * stepMs);

const isBefore = (one: string, other: string): boolean => compareInstants(one, other) < 0;

const msOf = (instant: string, round: (ms: number) => number): number =>
  Date.parse(`${instant.slice(0, 23)}Z`) + round(Number(`0.${instant.slice(23, -1)}`));
const textOf = (ms: number): string => new Date(ms).toISOString();
