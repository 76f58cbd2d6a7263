// What answering questions costs those who log: beside the same server without roll-ups and with no index but the primary key.

import type { Benchmark } from './support/benchmark.ts';
import { compare } from './support/compare.ts';
import type { Contender } from './support/contender.ts';
import { logEvent, logEvents } from './support/loads.ts';

const contenders: readonly Contender[] = [
  { name: 'all indexes, roll-ups', file: new URL('./servers/jejak.ts', import.meta.url) },
  { name: 'the bare table', file: new URL('./servers/bare.ts', import.meta.url) },
];

export const indexes: Benchmark = {
  about: 'what indexes and roll-ups cost those who log',
  run: (setting) => compare(contenders, [logEvent, logEvents], setting),
};
