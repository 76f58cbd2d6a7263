// What the next run would remove, counted and not touched.

import type { Sql } from '../database/connection.ts';
import type { Severity } from '../events/vocabulary.ts';
import { bytesOf, countIn, goesSql, isExpired, listPartitions, staysSql } from './partitions.ts';
import { loadPolicy } from './policy.ts';
import { heldSql } from './visible.ts';

export type PlannedPartition = {
  readonly name: string;
  readonly severity: Severity;
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  /** Whether the whole partition goes, or is replaced by one of what is kept; otherwise single events of it go. */
  readonly expired: boolean;
  readonly events: number;
  readonly kept: number;
  /** Of those that are kept, how many by a hold. */
  readonly held: number;
};

export type RetentionPlan = {
  readonly at: string;
  readonly partitions: readonly PlannedPartition[];
};

/** `now` may lie ahead: what would go by then. */
export const planRetention = async (sql: Sql, now: Date): Promise<RetentionPlan> => {
  const policy = await loadPolicy(sql);
  const planned: PlannedPartition[] = [];
  for (const partition of await listPartitions(sql)) {
    const { name, severity, starts, ends } = partition;
    const expired = !partition.kept && isExpired(partition, policy, now);
    const goes = expired ? undefined : goesSql(policy, partition, now);
    if (!expired && !goes) continue;
    const all = await countIn(sql, name);
    const kept = expired
      ? await countIn(sql, name, staysSql(policy, partition, now))
      : all - (await countIn(sql, name, goes));
    const held = heldSql(policy, now);
    if (expired || kept < all)
      planned.push({
        name,
        severity,
        bytes: await bytesOf(sql, name),
        expired,
        kept,
        from: starts,
        to: ends,
        events: all - kept,
        held: held && kept > 0 ? await countIn(sql, name, held) : 0,
      });
  }
  return { at: now.toISOString(), partitions: planned };
};
