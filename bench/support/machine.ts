// What was measured on, in one line; figures mean nothing without it.

import { open } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Postgres } from './postgres.ts';
import { median } from './table.ts';

export const describeMachine = async ({ directory, version }: Postgres): Promise<string> => {
  const cores = cpus();
  const flush = await flushMs(directory);
  return `${cores.length} cores (${cores[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}, PostgreSQL ${version}, a flush to disk takes ${flush.toFixed(2)} ms`;
};

const FLUSHES = 200;

/** The median time of writing 8 KB and fdatasync, which every commit waits for. */
const flushMs = async (directory: string): Promise<number> => {
  await using file = await open(join(directory, 'flush'), 'w');
  const page = Buffer.alloc(8192, 1);
  const times: number[] = [];
  for (let count = 0; count < FLUSHES; count++) {
    const begun = performance.now();
    await file.write(page, 0, page.length, (count % 64) * page.length);
    await file.datasync();
    times.push(performance.now() - begun);
  }
  return median(times);
};
