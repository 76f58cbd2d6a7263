// What is kept, as this server knows it: the periods in force and the holds. Every server looks every few seconds; whoever
// drops something looks in the same transaction.

import type { Sql } from '../database/connection.ts';
import { type Periods, documentPeriods, periodsWith } from '../events/retention.ts';
import type { Logger } from '../logger.ts';
import type { EventFilter } from '../query/filter.ts';

export type Policy = {
  /** Grows with every change. */
  readonly version: number;
  readonly periods: Periods;
  /** Of the holds that are in force: what matches one of them is kept whatever its age. */
  readonly holds: readonly EventFilter[];
};

export const documentPolicy: Policy = { version: 0, periods: documentPeriods, holds: [] };

export const loadPolicy = async (sql: Sql): Promise<Policy> => {
  const [row] = await sql<
    [
      {
        version: number;
        rules: Record<string, number> | null;
        gone: Record<string, string> | null;
        holds: EventFilter[] | null;
      },
    ]
  >`
    SELECT version, (SELECT json_object_agg(target, days) FROM retention_rules) AS rules,
           (SELECT json_object_agg(target, "until") FROM retention_gone) AS gone,
           (SELECT json_agg(filter ORDER BY id) FROM holds WHERE released_at IS NULL) AS holds
    FROM retention_policy`;
  const gone = Object.entries(row.gone ?? {}).map(([target, until]) => [target, new Date(until)] as const); // oxfmt-ignore
  return {
    version: row.version,
    periods: periodsWith(row.rules ?? {}, new Map(gone)),
    holds: row.holds ?? [],
  };
};

/** How long another server may go on with what was in force before a change. */
const POLICY_AGE_MS = 5_000;

export type PolicyWatch = Disposable & {
  readonly current: () => Policy;
  /** Looks now, as after a change of our own. */
  readonly refresh: () => Promise<void>;
};

export const watchPolicy = async (sql: Sql, logger: Logger): Promise<PolicyWatch> => {
  let policy = await loadPolicy(sql);
  const refresh = async (): Promise<void> => {
    const loaded = await loadPolicy(sql);
    if (loaded.version !== policy.version) policy = loaded; // a failover may have taken it back
  };
  const looking = setInterval(() => {
    refresh().catch((error: unknown) =>
      logger.warn(
        { err: error },
        'The periods of retention cannot be read now; the last known count',
      ),
    );
  }, POLICY_AGE_MS);
  return { current: () => policy, refresh, [Symbol.dispose]: () => clearInterval(looking) };
};
