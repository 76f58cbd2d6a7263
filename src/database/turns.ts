// Who asks takes turns with the others who do. An owner (an API key, a user) has a part of the connections at a time, so that one
// whose questions take long, or hang behind a lock, leaves some for the others.

import { JejakError, cutOff } from '../errors.ts';

/** Gives what is asked to who asks, once it is the owner's turn. Rejects with OVERLOADED where too many of theirs wait, or that does
 * not come in time. What nobody waits for any more is not asked. */
export type Turns<P> = <T>(
  owner: string,
  ask: (pool: P) => Promise<T>,
  isGone: IsGone,
) => Promise<T>;

/** Whether the caller has left, so that nobody hears the answer. */
export type IsGone = () => boolean;

export type Bounds = {
  /** How many may ask at once, and how many of one owner. */
  readonly all: number;
  readonly own: number;
  /** How long one may wait. */
  readonly patienceMs: number;
};

export const createTurns = <P>(pool: P, { all, own, patienceMs }: Bounds): Turns<P> => {
  const underWay = new Map<string, number>();
  let total = 0;
  // The owner whose turn it is comes first; one that had its turn goes to the end.
  const queues = new Map<string, Waiting[]>();

  const hasRoom = (owner: string): boolean => total < all && (underWay.get(owner) ?? 0) < own;
  const count = (owner: string, change: 1 | -1): void => {
    total += change;
    const asking = (underWay.get(owner) ?? 0) + change;
    if (asking === 0) underWay.delete(owner);
    else underWay.set(owner, asking);
  };

  const next = (): void => {
    for (const [owner, queue] of queues) {
      if (!hasRoom(owner)) continue;
      dismissGone(queue);
      const first = queue.shift();
      if (!first) continue;
      count(owner, 1);
      first.begin();
      queues.delete(owner);
      if (queue.length > 0) queues.set(owner, queue); // the loop comes to it again
    }
  };

  const turn = (owner: string, isGone: IsGone): Promise<void> => {
    const queue = queues.get(owner) ?? [];
    if (queue.length >= MOST_WAITING) dismissGone(queue);
    if (queue.length >= MOST_WAITING) throw overloaded();
    queues.set(owner, queue);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = {
      isGone,
      begin: () => {
        clearTimeout(impatience);
        resolve();
      },
      dismiss: (reason) => {
        clearTimeout(impatience);
        queue.splice(queue.indexOf(waiting), 1);
        if (queue.length === 0) queues.delete(owner);
        reject(reason);
      },
    };
    const impatience = setTimeout(() => waiting.dismiss(overloaded()), patienceMs);
    queue.push(waiting);
    return promise;
  };

  return async (owner, ask, isGone) => {
    if (isGone()) throw cutOff();
    // Whoever waits has no room, or would be asking.
    if (hasRoom(owner)) count(owner, 1);
    else await turn(owner, isGone);
    try {
      return await ask(pool);
    } finally {
      count(owner, -1);
      next();
    }
  };
};

type Waiting = {
  readonly isGone: IsGone;
  readonly begin: () => void;
  readonly dismiss: (reason: Error) => void;
};

const dismissGone = (queue: readonly Waiting[]): void => {
  for (const { dismiss } of queue.filter(({ isGone }) => isGone())) dismiss(cutOff());
};

/** Of one owner. */
export const MOST_WAITING = 1_000;

const overloaded = (): JejakError =>
  new JejakError(
    'OVERLOADED',
    'Too many questions were asked at a time, and this one’s turn did not come; ask fewer at a time, or narrower ones, and try again after `retryAfterMs`.',
    { retryAfterMs: 1_000 },
  );
