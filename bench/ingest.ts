// How fast services can log: single events from 64 connections, and calls of 100 from 8, beside the same server with a
// commit for every call.

import type { Benchmark } from './support/benchmark.ts';
import { compare, profile } from './support/compare.ts';
import type { Contender } from './support/contender.ts';
import { meanBytes } from './support/events.ts';
import { events, logEvent, logEvents } from './support/loads.ts';

const contenders: readonly Contender[] = [
  { name: 'group commit', file: new URL('./servers/jejak.ts', import.meta.url) },
  { name: 'a commit per call', file: new URL('./servers/commit-per-call.ts', import.meta.url) },
];

const loads = [logEvent, logEvents];

export const ingest: Benchmark = {
  about: 'events a second into the log, and how long a caller waits',
  run: (setting) => {
    setting.say(`Events of ${meanBytes(events)} bytes of JSON on average.`);
    return compare(contenders, loads, setting);
  },
  profile: (setting) => profile(contenders[0]!, loads, setting),
};
