// How much may be under way: so much work and so many bytes, of which each owner (an API key) has a fair share. Both are divided
// by one more than there are owners, so that there is some for one who comes. A call that finds room is taken whatever its size, so
// that very many owners may fill it all; then there is a quarter more for those who have nothing under way and ask for no more than
// their share of that. A call that finds none is refused at once, best before it has been parsed.

import { JejakError } from '../errors.ts';

export type Backpressure = {
  /** Counts a call of this owner until it is disposed of; throws OVERLOADED where there is no room. */
  readonly admit: (owner: string, events: number, bytes: number) => Disposable;
  /** Throws OVERLOADED where a call of this owner would be refused now. */
  readonly assertRoom: (owner: string) => void;
  /** How much is under way, as `maxWork` counts it. */
  readonly work: () => number;
};

export type Bounds = {
  /** How much work may be under way, an event counting 1 and a call 2 more but at most 62. */
  readonly maxWork: number;
  /** How many bytes of events. */
  readonly maxBytes?: number;
};

export const createBackpressure = ({ maxWork, maxBytes = Infinity }: Bounds): Backpressure => {
  const all = { work: 0, bytes: 0 };
  const shares = new Map<string, typeof all>();
  const reaches = (share: typeof all, part: number): boolean =>
    share.work >= maxWork * part || share.bytes >= maxBytes * part;

  const assertRoom = (owner: string, call = { work: 0, bytes: 0 }): void => {
    const own = shares.get(owner);
    const fairPart = 1 / (shares.size + 1);
    const isModest = !own && !reaches(call, fairPart * (FOR_THE_MODEST - 1));
    if (reaches(all, isModest ? FOR_THE_MODEST : 1) || (own && reaches(own, fairPart)))
      throw overloaded;
  };

  return {
    assertRoom: (owner) => assertRoom(owner),
    work: () => all.work,
    admit: (owner, events, bytes) => {
      const work = CALL_WORK + Math.min(events, MAX_CALL_WORK);
      assertRoom(owner, { work, bytes });
      const own = shares.get(owner) ?? { work: 0, bytes: 0 };
      shares.set(owner, own);
      const count = (sign: 1 | -1): void => {
        own.work += sign * work;
        own.bytes += sign * bytes;
        all.work += sign * work;
        all.bytes += sign * bytes;
      };
      count(1);
      return {
        [Symbol.dispose]: () => {
          count(-1);
          if (own.work === 0) shares.delete(owner);
        },
      };
    },
  };
};

/** A call costs about as much as two events, whatever it carries. One of very many counts as one of 60: it was gathered so as
 * to cost less, and others need not wait for it, because owners take turns. */
const CALL_WORK = 2;
const MAX_CALL_WORK = 60;

/** Of what may be under way. */
const FOR_THE_MODEST = 1.25;

const RETRY_AFTER_MS = 100;

/** Made once: under a flood its stack, which nobody reads, took 12 % of the server's time. */
const overloaded = new JejakError(
  'OVERLOADED',
  'More events are waiting than can be stored now; try again shortly with the same `eventId`.',
  { retryAfterMs: RETRY_AFTER_MS },
);
