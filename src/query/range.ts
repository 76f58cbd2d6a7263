// A range of time as callers give it, `last` or `from` and `to`, and the instants it means. Resolved once per request, so
// that every use of it within the request agrees.

import { type SQL, and, gte, lt } from 'drizzle-orm';
import { events } from '../database/schema.ts';
import { JejakError } from '../errors.ts';
import { subtractDuration } from '../events/time.ts';

export type TimeRange = {
  readonly last?: string | null | undefined;
  readonly from?: string | null | undefined;
  readonly to?: string | null | undefined;
};

/** From inclusive, to exclusive; undefined is unbounded. */
export type Instants = { readonly from: string; readonly to?: string | undefined };

export const resolveRange = ({ last, from, to }: TimeRange, now: Date): Instants => {
  if (last && (from || to))
    throw new JejakError(
      'BAD_USER_INPUT',
      'A range is either `last`, or `from` and optionally `to`.',
    );
  if (last) {
    const start = subtractDuration(now, last);
    if (!start)
      throw new JejakError(
        'BAD_USER_INPUT',
        `\`last: "${last}"\` reaches back further than time does.`,
      );
    return { from: start.toISOString() };
  }
  if (!from)
    throw new JejakError('BAD_USER_INPUT', 'A range needs `last`, such as "PT24H", or `from`.');
  return { from, to: to ?? undefined };
};

/** Events of a range; of cells too, by the time that they begin. It always has an end: a plan for whatever parameters takes a
 * range without one for a third of all events, and reads them all. */
export const during = ({ from, to = 'infinity' }: Instants): SQL =>
  and(gte(events.timestamp, from), lt(events.timestamp, to))!;
