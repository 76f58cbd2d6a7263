// Retention as one server keeps it going: looks every minute whether a run is due, and of several servers one runs. When
// none has come to its end for three times as long as it should, it says so: in its own log, as a metric, in /readyz.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/connection.ts';
import { retention as lock } from '../database/locks.ts';
import type { Severity } from '../events/vocabulary.ts';
import type { Log } from '../ingest/log.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { flush } from './outbox.ts';
import { type RetentionPlan, planRetention } from './plan.ts';
import type { PolicyWatch } from './policy.ts';
import { type RetentionRun, listRuns, runRetention } from './run.ts';
import {
  type Hold,
  type Rule,
  listHolds,
  listRules,
  placeHold,
  releaseHold,
  setRule,
} from './settings.ts';

export type Retention = {
  readonly policy: PolicyWatch['current'];
  /** Runs when one is due, or at once, as for somebody who has it run; undefined where it is not, or another server is at it. */
  readonly run: (options?: {
    readonly now?: boolean;
    readonly by?: string;
  }) => Promise<RetentionRun | undefined>;
  /** Since when no run has come to its end, where that is too long ago. */
  readonly overdueSince: () => Date | undefined;
  readonly plan: (at?: Date) => Promise<RetentionPlan>;
  readonly runs: (limit: number) => Promise<RetentionRun[]>;
  readonly rules: () => Promise<Rule[]>;
  readonly setRule: (target: string, days: number | null, by: string) => Promise<void>;
  readonly holds: (released: boolean) => Promise<Hold[]>;
  readonly placeHold: (hold: Pick<Hold, 'name' | 'reason' | 'filter'>, by: string) => Promise<Hold>;
  readonly releaseHold: (id: number, by: string) => Promise<Hold | undefined>;
  /** Looks whether a run is due, now and every minute, until it is disposed of. */
  readonly start: () => AsyncDisposable;
};

type RetentionParts = {
  readonly policy: PolicyWatch;
  readonly read: Sql;
  /** Makes a pool for what changes or removes rows; whoever made it ends it. */
  readonly maintenance: () => Sql;
  readonly log: Log;
  readonly clock: () => Date;
  readonly everyMinutes: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
};

const LOOK_MS = 60_000;
/** Not before a server that was just started has answered its first callers. */
const FIRST_LOOK_MS = 5_000;
const GOODBYE_MS = 1_000;
const MINUTE_MS = 60_000;
const OVERDUE_TIMES = 3;

export const createRetention = ({
  policy,
  read,
  maintenance,
  log,
  clock,
  everyMinutes,
  logger,
  metrics,
}: RetentionParts): Retention => {
  const stopping = new AbortController();
  const pools = new Set<Sql>();
  const everyMs = everyMinutes * MINUTE_MS;
  let completedAt = clock();
  const overdueSince = (): Date | undefined =>
    clock().getTime() - completedAt.getTime() > OVERDUE_TIMES * everyMs ? completedAt : undefined;
  metrics.watch(
    'jejak_retention_last_success_timestamp_seconds',
    'When retention last came to its end; when the server started, where it never did',
    () => completedAt.getTime() / 1000,
  );
  metrics.watch(
    'jejak_retention_overdue',
    '1 where no run of retention came to its end for three times as long as it should',
    () => (overdueSince() ? 1 : 0),
  );

  /** On a connection of its own; what was noted is logged also where it failed half-way. */
  const maintain = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const sql = maintenance();
    pools.add(sql);
    try {
      // So that PostgreSQL ends a statement whose client is gone; on a platform that cannot tell, it refuses this alone.
      await sql`SET client_connection_check_interval = '1s'`.catch(() => {});
      const done = await work(sql);
      await flush(sql, log, logger).catch((error: unknown) =>
        logger.warn({ err: error }, 'What retention did is not in the log yet; it is tried again'),
      );
      return done;
    } finally {
      await sql.end({ timeout: 5 });
      pools.delete(sql);
    }
  };

  const change = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const done = await maintain(work);
    await policy.refresh();
    return done;
  };

  /** When the last run began; notes when the last one came to its end. */
  const look = async (sql: Sql): Promise<Date | undefined> => {
    const [{ started, completed }] = await sql<
      [{ started: string | null; completed: string | null }]
    >`
      SELECT max(started_at) AS started, max(finished_at) FILTER (WHERE error IS NULL AND postponed = 0) AS completed
      FROM retention_runs`;
    if (completed !== null) completedAt = new Date(completed);
    return started === null ? undefined : new Date(started);
  };
  const isDue = (last: Date | undefined): boolean =>
    last === undefined || clock().getTime() - last.getTime() >= everyMs;

  const run: Retention['run'] = ({ now = false, by } = {}) =>
    maintain(async (sql) => {
      const [{ mine }] = await sql<
        [{ mine: boolean }]
      >`SELECT pg_try_advisory_lock(${lock}) AS mine`;
      if (!mine || !(now || isDue(await look(sql)))) return undefined;
      const done = await runRetention(sql, clock, stopping.signal, by);
      tell(done);
      await look(sql);
      return done;
    });

  const tell = (done: RetentionRun): void => {
    const { error, postponed, removed } = done;
    metrics.retentionRuns.inc({ outcome: error === null ? 'done' : 'failed' });
    metrics.retentionSeconds.observe(
      (Date.parse(done.finishedAt!) - Date.parse(done.startedAt)) / 1000,
    );
    for (const [severity, count] of Object.entries(removed) as [Severity, number][])
      metrics.retentionRemoved.inc({ severity }, count);
    metrics.retentionDropped.inc(done.partitionsDropped);
    if (error !== null || postponed > 0)
      logger.warn({ run: done }, 'Retention could not finish; it is tried again at the next run');
    else logger.info({ run: done }, 'Retention ran');
  };

  const runIfDue = async (): Promise<void> => {
    const [{ noted }] = await read<
      [{ noted: boolean }]
    >`SELECT EXISTS (SELECT FROM retention_outbox) AS noted`;
    if (isDue(await look(read))) await run();
    else if (noted) await maintain(async () => {});
  };

  return {
    policy: policy.current,
    run,
    overdueSince,
    plan: (at = clock()) =>
      planRetention(read, new Date(Math.max(at.getTime(), clock().getTime()))),
    runs: (limit) => listRuns(read, limit),
    rules: () => listRules(read),
    setRule: (target, days, by) => change((sql) => setRule(sql, target, days, by, clock)),
    holds: (released) => listHolds(read, released),
    placeHold: (hold, by) => change((sql) => placeHold(sql, hold, by, clock())),
    releaseHold: (id, by) => change((sql) => releaseHold(sql, id, by, clock())),
    start: () => {
      let warnedAt = -Infinity;
      let looking: Promise<void> = Promise.resolve();
      const lookNow = (): void => {
        looking = looking.then(runIfDue).catch((error: unknown) => {
          if (!stopping.signal.aborted)
            logger.warn({ err: error }, 'Retention cannot run now; it is tried again in a minute');
        });
        const since = overdueSince();
        if (!since || clock().getTime() - warnedAt < everyMs) return;
        warnedAt = clock().getTime();
        logger.error(
          { since },
          'Retention is overdue: expired events stay on disk, and partitions are made only on demand',
        );
      };
      const first = setTimeout(lookNow, FIRST_LOOK_MS);
      const timer = setInterval(lookNow, LOOK_MS);
      return {
        async [Symbol.asyncDispose]() {
          stopping.abort(new Error('The server stops.'));
          clearTimeout(first);
          clearInterval(timer);
          await Promise.race([looking, sleep(GOODBYE_MS, undefined, { ref: false })]);
          // A statement may take as long as it needs: it is left, and done at the next run.
          await Promise.all([...pools].map((sql) => sql.end({ timeout: 0 })));
        },
      };
    },
  };
};
