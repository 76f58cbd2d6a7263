// How the log is watched: what each is shows is a benchmark of its own, and `npm run bench -- live` takes all of them.

import { crowd } from './live/crowd.ts';
import { idle } from './live/idle.ts';
import type { Benchmark } from './support/benchmark.ts';

export const live = {
  crowd,
  idle,
} as const satisfies Readonly<Record<string, Benchmark>>;
