// What became of an event that was sent.

import type { Rejection, Warning } from '../events/complete.ts';
import type { Event } from '../events/fields.ts';

/** Where an event stands in the order of the log. */
export type Position = { readonly seq: number; readonly place: number; readonly key: string };

export type Outcome =
  | {
      readonly outcome: 'STORED' | 'REPAIRED';
      readonly event: Event;
      readonly position: Position;
      readonly warnings: readonly Warning[];
    }
  | {
      readonly outcome: 'DUPLICATE';
      readonly event: Event;
      readonly position: Position | null;
      readonly warnings: readonly Warning[];
    }
  | {
      readonly outcome: 'REJECTED';
      readonly rejection: Rejection;
      readonly warnings: readonly Warning[];
    };

/** Whether it is not in the log. */
export const isRejected = (of: Outcome): of is Extract<Outcome, { outcome: 'REJECTED' }> =>
  of.outcome === 'REJECTED';

export const rejected = (rejection: Rejection): Outcome => ({
  outcome: 'REJECTED',
  rejection,
  warnings: rejection.warnings.slice(0, MOST_WARNINGS),
});

/** Of an event that is rejected, which may have as many fields as a body holds. */
const MOST_WARNINGS = 100;
