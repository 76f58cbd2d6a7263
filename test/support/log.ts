// The way into the log without a door, for tests that need many events quickly.

import { createPulse } from '../../src/database/pulse.ts';
import type { Sql } from '../../src/database/connection.ts';
import { createHash, createPolicy } from '../../src/events/privacy.ts';
import { createProtection } from '../../src/events/protect.ts';
import { createBackpressure } from '../../src/ingest/backpressure.ts';
import { createBatcher } from '../../src/ingest/batcher.ts';
import { createLog } from '../../src/ingest/log.ts';
import type { Outcome } from '../../src/ingest/outcome.ts';
import { createPersist } from '../../src/ingest/persist.ts';
import { createRateLimit } from '../../src/access/rate.ts';
import { createQuarantine } from '../../src/ingest/quarantine.ts';
import { createLogger } from '../../src/logger.ts';
import { createMetrics } from '../../src/metrics.ts';
import { documentPolicy } from '../../src/retention/policy.ts';

export type TestLog = Disposable & ((events: readonly unknown[]) => Promise<Outcome[]>);

export const createTestLog = (
  sql: Sql,
  clock = () => new Date(),
  kept = () => documentPolicy,
): TestLog => {
  const pulse = createPulse(sql, () => {});
  const hash = createHash(Buffer.alloc(32));
  const log = createLog({
    backpressure: createBackpressure({ maxWork: 100_000 }),
    batcher: createBatcher({
      append: createPersist(sql),
      writers: 2,
    }),
    sql,
    quarantine: createQuarantine(sql),
    protect: createProtection(createPolicy(), hash).protect,
    hash,
    pulse,
    rateLimit: createRateLimit(undefined),
    metrics: createMetrics(),
    clock,
    kept,
    logger: createLogger('silent'),
  });
  return Object.assign(
    (events: readonly unknown[]) => log(events, { id: 'key 0', name: 'test', scopes: ['admin'] }),
    {
      [Symbol.dispose]: () => pulse[Symbol.dispose](),
    },
  );
};
