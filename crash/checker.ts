// The question of every fault: of what was sent, acknowledged, stored and delivered, is anything that was acknowledged
// lost, doubled, altered or reordered, or was anything delivered without being stored? A chain is what one reader had in
// the order it came, however often it was cut and went on; the table, read at the end in its order, is a chain too.

import type { Anomalies } from './anomalies.ts';
import { type Met, hashOf, markOf } from './event.ts';
import type { History } from './history.ts';

export type Chain = {
  readonly name: string;
  readonly deliver: (event: Met, position: number) => void;
  /** How many it had, and the position of the last. */
  readonly count: () => number;
  readonly last: () => number;
  /** The position at which each event of each lane was met. */
  readonly met: readonly (readonly (number | undefined)[])[];
};

export const createChain = (name: string, history: History, { note }: Anomalies): Chain => {
  const met: (number | undefined)[][] = [];
  let count = 0;
  let last = 0;
  let latestSent = -Infinity;
  return {
    name,
    met,
    count: () => count,
    last: () => last,
    deliver: (event, position) => {
      const mark = markOf(event);
      const lane = mark && history.lanes[mark.writer];
      const where = `${name}, ${mark?.writer}-${mark?.sequence} at ${position}`;
      if (!lane || mark.sequence >= lane.hash.length) return note('unsent', where);
      const mets = (met[mark.writer] ??= []);
      const before = mets[mark.sequence];
      if (before !== undefined) return note('doubled', `${where}, before at ${before}`);
      mets[mark.sequence] = position;
      count++;
      // Out of order are two positions, or an event that was answered before an earlier one was so much as sent.
      if (position <= last) note('reordered', `${where}, after ${last}`);
      if (lane.answeredAt[mark.sequence]! < latestSent)
        note('reordered', `${where}, answered before an earlier one was sent`);
      if (hashOf(event) !== lane.hash[mark.sequence]) note('altered', where);
      last = Math.max(last, position);
      latestSent = Math.max(latestSent, lane.sentAt[mark.sequence]!);
    },
  };
};

/** Judges complete chains against the table, and the table against what was acknowledged. */
export const judge = (
  history: History,
  table: Chain,
  chains: readonly Chain[],
  { note }: Anomalies,
): void => {
  for (const [writer, lane] of history.lanes.entries())
    for (const [sequence, told] of lane.position.entries()) {
      const stored = table.met[writer]?.[sequence];
      const who = `${writer}-${sequence}`;
      if (told > 0 && stored === undefined) note('lost', `${who}, answered at ${told}, not stored`);
      else if (told > 0 && stored !== told)
        note('altered', `${who}, answered at ${told} and stored at ${stored}`);
      for (const chain of chains) {
        const met = chain.met[writer]?.[sequence];
        if (met === stored) continue;
        if (met === undefined)
          note('lost', `${who}, stored at ${stored}, not met by ${chain.name}`);
        else if (stored === undefined) note('unstored', `${who}, met by ${chain.name} at ${met}`);
        else note('reordered', `${who}, met by ${chain.name} at ${met}, stored at ${stored}`);
      }
    }
};
