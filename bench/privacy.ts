// What the protection of personal data costs those who log: beside the same server without it, and in this process, beside
// completing an event from the catalog.

import { complete } from '../src/events/complete.ts';
import { createHash, createPolicy } from '../src/events/privacy.ts';
import { createProtection } from '../src/events/protect.ts';
import type { Benchmark } from './support/benchmark.ts';
import { compare } from './support/compare.ts';
import type { Contender } from './support/contender.ts';
import { events, logEvent, logEvents } from './support/loads.ts';
import { median } from './support/table.ts';

const contenders: readonly Contender[] = [
  { name: 'protected', file: new URL('./servers/jejak.ts', import.meta.url) },
  { name: 'unprotected', file: new URL('./servers/unprotected.ts', import.meta.url) },
];

const ROUNDS = 9;

/** Microseconds for an event, the median of some rounds. */
const microsOf = (work: (event: object) => unknown): number => {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = process.hrtime.bigint();
    for (const event of events) work(event);
    return Number(process.hrtime.bigint() - start) / events.length / 1_000;
  });
  return median(rounds);
};

export const privacy: Benchmark = {
  about: 'what protecting personal data costs those who log',
  run: async (setting) => {
    const { protect } = createProtection(createPolicy(), createHash(Buffer.alloc(32)));
    const now = new Date();
    const alone = microsOf((event) => complete(event, now));
    const both = microsOf((event) => complete(protect(event).source, now));
    setting.say(
      `Completing an event takes ${alone.toFixed(1)} µs, protecting and completing it ${both.toFixed(1)} µs.`,
    );
    await compare(contenders, [logEvents, logEvent], setting);
  },
};
