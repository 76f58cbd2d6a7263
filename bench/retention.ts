// What it costs that events expire: removing `--rows` of them, beside the specification's DELETEs on its own schema with the
// same rows; and how long those wait who log while a partition of `--rows` is dropped.

import { countAll } from '../src/consumers/count.ts';
import { type Sql, connect } from '../src/database/connection.ts';
import { migrate } from '../src/database/migrate.ts';
import { makePartitionsFor } from '../src/database/partitions.ts';
import { fieldNames, fields } from '../src/events/fields.ts';
import { severityNames } from '../src/events/vocabulary.ts';
import { removedBy, runRetention } from '../src/retention/run.ts';
import type { Benchmark, Setting } from './support/benchmark.ts';
import { type Running, startContender } from './support/contender.ts';
import { fillHistory } from './support/history.ts';
import type { Generated, Order } from './support/load.ts';
import { logEvent } from './support/loads.ts';
import { startPeer } from './support/messages.ts';
import { table, tenths, times, whole } from './support/table.ts';

const DAY_MS = 86_400_000;
const MB = 2 ** 20;
/** Longer ago than anything is kept, whole partitions included. */
const LONG_AGO_DAYS = 500;

/** Partitions of DEBUG are two days wide, so as much expires at a time. */
const HISTORY_DAYS = 2;
const onEachDayBefore = (then: Date) =>
  severityNames.flatMap((severity) =>
    Array.from({ length: HISTORY_DAYS + 1 }, (_, days) => ({
      severity,
      timestamp: new Date(then.getTime() - days * DAY_MS).toISOString(),
    })),
  );

type Cost = { readonly ms: number; readonly wal: number };

const costOf = async (sql: Sql, work: () => Promise<unknown>): Promise<Cost> => {
  await sql.unsafe('CHECKPOINT');
  const [{ at }] = await sql<[{ at: string }]>`SELECT pg_current_wal_insert_lsn() AS at`;
  const begun = performance.now();
  await work();
  const ms = performance.now() - begun;
  const [{ wal }] = await sql<[{ wal: number }]>`
    SELECT (pg_current_wal_insert_lsn() - ${at}::pg_lsn)::float8 AS wal`;
  return { ms, wal };
};

const SPECIFICATION = `
  CREATE SCHEMA specification;
  CREATE TABLE specification.events AS SELECT * FROM events;
  ALTER TABLE specification.events DROP COLUMN code, ADD PRIMARY KEY (id), ADD UNIQUE (event_id);
  CREATE INDEX ON specification.events (event_category);
  CREATE INDEX ON specification.events (event_type);
  CREATE INDEX ON specification.events (user_id);
  CREATE INDEX ON specification.events (timestamp);
  CREATE INDEX ON specification.events (status);
  CREATE INDEX ON specification.events (severity)`;
const DELETES = Object.entries({ DEBUG: '7 days', INFO: '30 days', WARNING: '90 days', ERROR: '180 days', CRITICAL: '1 year' })
  .map(([severity, age]) => `DELETE FROM specification.events WHERE severity = '${severity}' AND timestamp < NOW() - INTERVAL '${age}'`)
  .join(';'); // oxfmt-ignore

const expiry: Benchmark = {
  about: 'removing --rows expired events, beside the specification’s DELETEs',
  rows: 2_000_000,
  run: async ({ postgres, rows, say }) => {
    await using database = await postgres.createDatabase();
    await migrate({ url: database.url });
    const sql = connect({ url: database.url }, { name: 'bench', max: 1, maintenance: true });
    try {
      const then = new Date(Date.now() - LONG_AGO_DAYS * DAY_MS);
      await makePartitionsFor(sql, onEachDayBefore(then));
      await fillHistory({ url: database.url }, { rows, now: then, days: HISTORY_DAYS });
      await countAll(sql); // a server has long since
      await sql.unsafe(SPECIFICATION);
      await sql`VACUUM (ANALYZE) specification.events`;
      const deleted = await costOf(sql, () => sql.unsafe(DELETES));
      let removed = 0;
      const dropped = await costOf(sql, async () => {
        const run = await runRetention(sql, () => new Date(), new AbortController().signal);
        if (run.error !== null) throw new Error(run.error);
        removed = removedBy(run);
      });
      if (removed !== rows) throw new Error(`${removed} of ${rows} events were removed.`);
      const row = (name: string, { ms, wal }: Cost) => [name, whole(ms), (wal / MB).toFixed(2), times(deleted.ms / ms)]; // oxfmt-ignore
      say(table([[`${whole(rows)} events`, 'ms', 'WAL MB', 'ratio'], row('the specification', deleted), row('Jejak', dropped)])); // oxfmt-ignore
    } finally {
      await sql.end();
    }
  },
};

const jejak = { name: 'Jejak', file: new URL('./servers/jejak.ts', import.meta.url) };
const WARM_UP_SECONDS = 3;
/** Into the measurement. */
const DROP_AFTER_MS = 1_000;
const INFO_DAYS = 10;

const dropping: Benchmark = {
  about: 'how long those wait who log while a partition of --rows is dropped',
  rows: 5_000_000,
  run: async (setting) => {
    const { postgres, rows, seconds, signal, say } = setting;
    await using server = await startContender(jejak, postgres, signal);
    await using generator = startPeer(new URL('./support/generator.ts', import.meta.url), signal);
    const { url, key } = server;
    const order: Order = { ...logEvent, url, key, warmUpSeconds: WARM_UP_SECONDS, seconds };
    await generator.ask('warmUp', order);
    await generator.ask('finish');
    await fillExpired(server, setting);
    await generator.ask('warmUp', order);
    const measure = () => generator.ask<Generated>('measure');
    const before = await measure();
    const [during, run] = await Promise.all([measure(), later(() => runNow(server))]);
    const after = await measure();
    await generator.ask('finish');
    if (run.events !== rows) throw new Error(`${run.events} of ${rows} events were removed.`);
    const row = (name: string, { calls, seconds: took, p50Ms, p99Ms }: Generated) => [name, whole(calls / took), tenths(p50Ms), tenths(p99Ms), times(p99Ms / before.p99Ms)]; // oxfmt-ignore
    say(`  The run took ${run.ms} ms and freed ${whole(run.bytesFreed / MB)} MB.`);
    say(table([[logEvent.name, 'events/s', 'p50 ms', 'p99 ms', 'ratio'], row('before', before), row('while it goes', during), row('after', after)])); // oxfmt-ignore
  },
};

export const retention = { expiry, dropping } as const satisfies Record<string, Benchmark>;

const later = async <T>(work: () => Promise<T>): Promise<T> => {
  await new Promise((resolve) => void setTimeout(resolve, DROP_AFTER_MS));
  return work();
};

type Answer = {
  readonly events: number;
  readonly bytesFreed: number;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly error: string | null;
};
type Run = { readonly events: number; readonly bytesFreed: number; readonly ms: number };

const runNow = async ({ url, key }: Running): Promise<Run> => {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` },
    body: JSON.stringify({
      query: 'mutation { runRetention { events bytesFreed startedAt finishedAt error } }',
    }),
  });
  const { data, errors } = (await response.json()) as {
    data?: { runRetention?: Answer };
    errors?: unknown;
  };
  const run = data?.runRetention;
  if (!run || run.error !== null) throw new Error(JSON.stringify(errors ?? run));
  return { ...run, ms: Date.parse(run.finishedAt) - Date.parse(run.startedAt) };
};

const columns = fieldNames.map((name) => `"${fields[name].column}"`).join(', ');

/** One expired partition of INFO with copies of what was logged, as PostgreSQL leaves it after a while. */
const fillExpired = async ({ databaseUrl }: Running, { rows, say }: Setting): Promise<void> => {
  const sql = connect({ url: databaseUrl }, { name: 'bench', max: 1 });
  try {
    const first = Math.floor((Date.now() / DAY_MS - 60) / INFO_DAYS) * INFO_DAYS * DAY_MS;
    const [starts, ends] = [new Date(first), new Date(first + INFO_DAYS * DAY_MS)].map((date) => date.toISOString()); // oxfmt-ignore
    const values = fieldNames.map((name) => {
      if (name === 'id') return '-number';
      if (name === 'eventId') return `'old-' || number`;
      if (name === 'severity') return `'INFO'`;
      if (name === 'timestamp') return `'${starts}'::timestamptz + number * interval '${(INFO_DAYS * DAY_MS - 1) / rows} milliseconds'`; // oxfmt-ignore
      return `"${fields[name].column}"`;
    });
    await sql.unsafe(`SET maintenance_work_mem = '512MB'`);
    await sql.unsafe('CREATE TABLE expired (LIKE events_info INCLUDING DEFAULTS INCLUDING CONSTRAINTS)'); // oxfmt-ignore
    await sql.unsafe(`
      INSERT INTO expired (${columns}) SELECT ${values.join(', ')}
      FROM (SELECT *, row_number() OVER () - 1 AS place FROM (SELECT * FROM events LIMIT 1000) AS latest) AS sample
      JOIN generate_series(0, ${rows - 1}) AS number ON place = number % 1000`);
    await sql.unsafe(`ALTER TABLE events_info ATTACH PARTITION expired FOR VALUES FROM ('${starts}') TO ('${ends}')`); // oxfmt-ignore
    await sql`VACUUM (ANALYZE) expired`;
    await sql.unsafe('CHECKPOINT');
    const [{ bytes }] = await sql<[{ bytes: number }]>`SELECT pg_total_relation_size('expired')::float8 AS bytes`; // oxfmt-ignore
    say(`  ${whole(rows)} rows were put there, ${whole(bytes / MB)} MB with their indexes`);
  } finally {
    await sql.end();
  }
};
