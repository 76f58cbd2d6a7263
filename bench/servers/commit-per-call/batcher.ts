// In place of the batcher: the same one, never holding more than one call.

import { type Batcher, type BatcherOptions, createBatcher as create } from '../../../src/ingest/batcher.ts'; // oxfmt-ignore

export const createBatcher = (options: BatcherOptions): Batcher =>
  create({ ...options, maxBatch: 1 });
