// What is in the log, as subscribers read it.

import type { Database } from '../../src/database/connection.ts';
import type { Event } from '../../src/events/fields.ts';
import { type Need, readBatches } from '../../src/live/read-batches.ts';

/** The events after a batch that a reader needs, in their order, and the last batch. */
export const readStored = async ({ follow }: Database, seq = 0, need: Need = {}) => {
  const events: Event[] = [];
  for (let at = { seq, key: '' }; ;) {
    const { batches, end } = await readBatches(follow, at, need);
    if (end.seq === at.seq) return { events, seq: at.seq };
    events.push(...batches.flatMap((batch) => batch.events));
    at = end;
  }
};
