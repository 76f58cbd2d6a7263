// One run of retention: removes what has expired, makes the partitions that will be needed, purges what only served it, and
// tells of it in the log. A run that is cut off loses nothing: every step is a transaction with its figures, and the next one
// goes on.

import type { Sql } from '../database/connection.ts';
import { ensurePartitions } from '../database/partitions.ts';
import { BATCH_SPAN } from '../database/schema.ts';
import {
  CLEANUP_CODE,
  type RetentionResource,
  longestKept,
  oldestKept,
} from '../events/retention.ts';
import type { Severity } from '../events/vocabulary.ts';
import { createQuarantine } from '../ingest/quarantine.ts';
import { changedBy, note } from './outbox.ts';
import { loadPolicy } from './policy.ts';
import { type Run, STEP, assertMine, isEnd, mine, removeExpired } from './remove.ts';

export type RetentionRun = {
  readonly id: number;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly removed: Readonly<Partial<Record<Severity, number>>>;
  readonly kept: number;
  readonly partitionsMade: number;
  readonly partitionsDropped: number;
  readonly postponed: number;
  readonly bytesFreed: number;
  readonly refusedRemoved: number;
  readonly error: string | null;
};

const columns = (sql: Sql) => sql`
  id, started_at AS "startedAt", finished_at AS "finishedAt", removed, kept, partitions_made AS "partitionsMade",
  partitions_dropped AS "partitionsDropped", postponed, bytes_freed AS "bytesFreed", refused_removed AS "refusedRemoved", error`;

/** The latest first. */
export const listRuns = (sql: Sql, limit: number): Promise<RetentionRun[]> =>
  sql<RetentionRun[]>`SELECT ${columns(sql)} FROM retention_runs ORDER BY id DESC LIMIT ${limit}`;

export const removedBy = ({ removed }: Pick<RetentionRun, 'removed'>): number =>
  Object.values(removed).reduce((sum, count) => sum + count, 0);

/** Nobody else should run meanwhile; one that does ends this one. Resolves with what was done also where it failed; rejects
 * where not even that could be written. `clock` is asked at the beginning and at the end; `by` is who has it run by hand. */
export const runRetention = async (
  sql: Sql,
  clock: () => Date,
  signal: AbortSignal,
  by?: string,
): Promise<RetentionRun> => {
  await closeCutOff(sql, clock());
  const now = clock();
  const id = await begin(sql, now, by);
  const run = { id, now, sql, signal };
  const reasons: string[] = [];
  // On a full disk no partition can be made before others are gone. What one of these cannot do keeps no other from its work.
  for (const step of [removeExpired, makeAhead, purge])
    try {
      await step(run);
    } catch (error) {
      reasons.push((error as Error).message);
      if (isEnd(run, error)) break;
    }
  return close(sql, id, clock(), reasons.length === 0 ? null : reasons.join(' '));
};

const begin = (sql: Sql, now: Date, by: string | undefined): Promise<number> =>
  sql.begin(async (transaction) => {
    const within = transaction as unknown as Sql;
    const [{ id }] = await within<[{ id: number }]>`
      INSERT INTO retention_runs (started_at) VALUES (${now.toISOString()}) RETURNING id`;
    if (by !== undefined)
      await note(within, {
        about: `asked-${id}`,
        at: now,
        event: changedBy(by, 'RUN', 'RETENTION_RUN', String(id), {
          description: 'Retention was run by hand.',
        }),
      });
    return id;
  });

const makeAhead = async ({ sql, id, now }: Run): Promise<void> => {
  const made = await ensurePartitions(sql, now);
  await sql`UPDATE retention_runs SET partitions_made = ${made} WHERE id = ${id}`;
};

const closeCutOff = async (sql: Sql, now: Date): Promise<void> => {
  const open = await sql<{ id: number }[]>`SELECT id FROM retention_runs WHERE finished_at IS NULL`;
  for (const { id } of open)
    await close(sql, id, now, 'It was cut off. What it had done is counted; a later run went on.');
};

/** Writes the end of a run, if another has not, and, where something was removed, what is told of it. */
const close = (sql: Sql, id: number, now: Date, error: string | null): Promise<RetentionRun> =>
  sql.begin(async (transaction) => {
    const within = transaction as unknown as Sql;
    const [run] = await within<RetentionRun[]>`
      UPDATE retention_runs SET finished_at = ${now.toISOString()}, error = ${error}
      WHERE id = ${id} AND finished_at IS NULL RETURNING ${columns(sql)}`;
    if (!run) return (await within<[RetentionRun]>`SELECT ${columns(sql)} FROM retention_runs WHERE id = ${id}`)[0]; // oxfmt-ignore
    if (removedBy(run) + run.refusedRemoved > 0)
      await note(within, {
        about: `run-${id}`,
        at: now,
        event: await cleanupOf(within, run),
      });
    return run;
  });

const cleanupOf = async (sql: Sql, run: RetentionRun) => {
  const { periods } = await loadPolicy(sql);
  const count = removedBy(run);
  return {
    code: CLEANUP_CODE,
    status: run.error === null ? ('SUCCESS' as const) : ('ERROR' as const),
    description: `${count} events and ${run.refusedRemoved} refused ones were removed after their retention; ${run.kept} older ones stay for their code or a hold.`,
    errorMessage: run.error,
    resourceType: 'RETENTION_RUN' satisfies RetentionResource,
    resourceId: String(run.id),
    processingTimeMs: Math.max(0, Date.parse(run.finishedAt!) - Date.parse(run.startedAt)),
    metadata: {
      log_type: 'events',
      deleted_count: count,
      retention_days: { ...periods.severities, ...Object.fromEntries(periods.codes) },
      deleted_by_severity: run.removed,
      kept_count: run.kept,
      partitions_dropped: run.partitionsDropped,
      partitions_postponed: run.postponed,
      bytes_freed: run.bytesFreed,
      refused_deleted_count: run.refusedRemoved,
    },
  };
};

/** What no event that is kept needs any more: refused events after their time, the batches before the first event, the
 * guard of their ids, and the words of their names. The last batch stays whatever its age: the next one is numbered after it. */
const purge = async (run: Run): Promise<void> => {
  const { sql, id, now, signal } = run;
  await sql.begin(async (transaction) => {
    const within = transaction as unknown as Sql;
    assertMine((await within`WITH ${within.unsafe(mine(run))} SELECT FROM mine`)[0]);
    const refused = await createQuarantine(within).purge();
    await within`UPDATE retention_runs SET refused_removed = ${refused} WHERE id = ${id}`;
  });
  const [{ first, seq }] = await sql<[{ first: number | null; seq: number | null }]>`
    WITH oldest AS MATERIALIZED (SELECT min(id) AS id FROM events)
    SELECT oldest.id AS first, coalesce(
      (SELECT seq FROM batches WHERE number >= oldest.id / ${BATCH_SPAN} ORDER BY seq LIMIT 1), (SELECT max(seq) FROM batches)) AS seq
    FROM oldest`;
  // An entry of the guard goes after its batch: one that was committed meanwhile may have a low number, and its batch is there.
  const steps = [
    async () =>
      (
        await sql`
          WITH gone AS (DELETE FROM batches WHERE seq IN (SELECT seq FROM batches WHERE seq < ${seq} ORDER BY seq LIMIT ${STEP}) RETURNING 1)
          UPDATE retention_runs SET batches_removed = batches_removed + total.gone
          FROM (SELECT count(*) AS gone FROM gone) AS total WHERE id = ${id} RETURNING total.gone`
      )[0]!['gone'] as number,
    async () =>
      (
        await sql`
          WITH gone AS (DELETE FROM event_ids WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM event_ids WHERE id < ${first}
            AND id / ${BATCH_SPAN} <> ALL (ARRAY(SELECT number FROM batches WHERE number < ${first}::bigint / ${BATCH_SPAN})) LIMIT ${STEP})) RETURNING 1)
          UPDATE retention_runs SET ids_removed = ids_removed + total.gone
          FROM (SELECT count(*) AS gone FROM gone) AS total WHERE id = ${id} RETURNING total.gone`
      )[0]!['gone'] as number,
  ];
  // A day more, for a server's clock may be behind the database's.
  await sql`
    DELETE FROM search_names WHERE noted_on < (
      SELECT min(committed_at AT TIME ZONE 'UTC')::date - 1 FROM batches WHERE number = ${first}::bigint / ${BATCH_SPAN})`;
  for (const step of steps) while ((await step()) === STEP) signal.throwIfAborted();
  const { periods } = await loadPolicy(sql);
  await sql`DELETE FROM retention_runs WHERE started_at < ${oldestKept(longestKept(periods), now).toISOString()}`;
};
