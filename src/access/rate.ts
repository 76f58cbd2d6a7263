// How many events a key may log per second, where the operator sets a limit.

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { JejakError } from '../errors.ts';

/** Counts events against a key; rejects with OVERLOADED and the time to wait. */
export type RateLimit = (keyId: number, events: number) => Promise<void>;

export const createRateLimit = (eventsPerSecond: number | undefined): RateLimit | undefined => {
  if (eventsPerSecond === undefined) return undefined;
  const limiter = new RateLimiterMemory({ points: eventsPerSecond, duration: 1 });
  return async (keyId, events) => {
    try {
      await limiter.consume(keyId, events);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw new JejakError(
        'OVERLOADED',
        `This key may log ${eventsPerSecond} events per second; send the rest after a while.`,
        { details: { retryAfterMs: Math.max(1, error.msBeforeNext) } },
      );
    }
  };
};
