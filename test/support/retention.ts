// Retention on a test database, with a clock that tests move.

import { onTestFinished } from 'vitest';
import { connect } from '../../src/database/connection.ts';
import type { Outcome } from '../../src/ingest/outcome.ts';
import { createLogger } from '../../src/logger.ts';
import { type Metrics, createMetrics } from '../../src/metrics.ts';
import { type Retention, createRetention } from '../../src/retention/retention.ts';
import { type PolicyWatch, watchPolicy } from '../../src/retention/policy.ts';
import { type TestDatabase, createTestDatabase } from './database.ts';
import { createTestLog } from './log.ts';

export const DAY = 86_400_000;

export type MovedClock = (() => Date) & { readonly advance: (days: number) => void };

/** It stands still between two moves. Partitions are cut at days since 1970, so it always begins on the same day. */
export const movedClock = (start = new Date('2027-03-01T12:00:00Z')): MovedClock => {
  let now = start.getTime();
  return Object.assign(() => new Date(now), {
    advance: (days: number) => void (now += days * DAY),
  });
};

export type TestRetention = {
  readonly database: TestDatabase;
  readonly clock: MovedClock;
  readonly policy: PolicyWatch;
  readonly retention: Retention;
  readonly metrics: Metrics;
  readonly log: (events: readonly unknown[]) => Promise<Outcome[]>;
  /** The events of the log, by id. */
  readonly stored: () => Promise<
    { id: number; eventId: string; code: string | null; severity: string }[]
  >;
};

export const testRetention = async (
  shared?: TestDatabase,
  clock = movedClock(),
): Promise<TestRetention> => {
  const database = shared ?? (await createTestDatabase());
  const logger = createLogger('silent');
  const metrics = createMetrics();
  const policy = await watchPolicy(database.sql, logger);
  const log = createTestLog(database.sql, clock, policy.current);
  const retention = createRetention({
    policy,
    read: database.sql,
    maintenance: () =>
      connect({ url: database.url }, { name: 'maintenance', max: 1, maintenance: true }),
    log,
    clock,
    everyMinutes: 60,
    logger,
    metrics,
  });
  onTestFinished(async () => {
    policy[Symbol.dispose]();
    log[Symbol.dispose]();
    if (!shared) await database[Symbol.asyncDispose]();
  });
  return {
    database,
    clock,
    policy,
    retention,
    metrics,
    log,
    stored: () =>
      database.sql`SELECT id, event_id AS "eventId", code, severity FROM events ORDER BY id`,
  };
};

/** An event of a severity with a time so many days before the clock's, and so many microseconds later than that. */
export const eventOf = (
  severity: string,
  clock: () => Date,
  daysAgo = 0,
  more: object = {},
): object => ({
  category: 'SYSTEM',
  type: 'TEST',
  name: 'Test',
  action: 'TEST',
  status: 'SUCCESS',
  severity,
  timestamp: new Date(clock().getTime() - daysAgo * DAY).toISOString(),
  ...more,
});

export const outcomesOf = (outcomes: readonly Outcome[]): string[] =>
  outcomes.map(({ outcome }) => outcome);
