// How the log is watched: what each part shows is a benchmark of its own, and `npm run bench -- live` takes all of them.

import { crowd } from './live/crowd.ts';
import { idle } from './live/idle.ts';
import { latency } from './live/latency.ts';
import { replay } from './live/replay.ts';
import { storm } from './live/storm.ts';
import type { Benchmark } from './support/benchmark.ts';

export const live = {
  crowd,
  idle,
  latency,
  replay,
  storm,
} as const satisfies Readonly<Record<string, Benchmark>>;
