// How many events a viewer may log per second, where a limit is set: its own, or that of all.

import ipaddr from 'ipaddr.js';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { JejakError } from '../errors.ts';
import type { Viewer } from './viewer.ts';

/** Counts events against a viewer; rejects with OVERLOADED and the time to wait. */
export type RateLimit = (viewer: Viewer, events: number) => Promise<void>;

/** An IPv4 address, or the network of an IPv6 one, of which a single machine has as many as it likes. */
const placeOf = (address: string): string =>
  ipaddr.IPv6.isValid(address)
    ? ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`).toString()
    : address;

export const createRateLimit = (forAll = Infinity): RateLimit => {
  const limiters = new Map<number, RateLimiterMemory>();
  const limiterOf = (points: number): RateLimiterMemory => {
    const limiter = limiters.get(points) ?? new RateLimiterMemory({ points, duration: 1 });
    limiters.set(points, limiter);
    return limiter;
  };
  return async ({ id, eventsPerSecond = forAll, forced }, events) => {
    if (eventsPerSecond === Infinity) return;
    if (events > eventsPerSecond)
      throw new JejakError(
        'BAD_USER_INPUT',
        `This key may log ${eventsPerSecond} events per second; send no more than that in a call.`,
      );
    // One browser does not use up what others may log with the same key.
    const counted = forced?.ipAddress ? `${id} from ${placeOf(forced.ipAddress)}` : id;
    try {
      await limiterOf(eventsPerSecond).consume(counted, events);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw new JejakError(
        'OVERLOADED',
        `This key may log ${eventsPerSecond} events per second; send these after a while.`,
        { retryAfterMs: Math.max(1, error.msBeforeNext) },
      );
    }
  };
};
