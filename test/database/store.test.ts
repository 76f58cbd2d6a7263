// The tables: the document's columns, a home for every acceptable event, checks that the database itself holds, and
// migrations that any number of servers may run at once and that a crash does not leave half done.

import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { is } from 'drizzle-orm';
import { PgTable, getTableConfig } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { type Sql, connect } from '../../src/database/connection.ts';
import { migrate } from '../../src/database/migrate.ts';
import { ensurePartitions, partitionsAt, widthOf } from '../../src/database/partitions.ts';
import * as tables from '../../src/database/schema.ts';
import { type Prepared, complete } from '../../src/events/complete.ts';
import { type Field, fieldNames, fields } from '../../src/events/fields.ts';
import {
  categoryNames,
  severities,
  severityNames,
  statusNames,
} from '../../src/events/vocabulary.ts';
import { append } from '../../src/ingest/append.ts';
import { type TestDatabase, createTestDatabase, testDatabase } from '../support/database.ts';
import { createRandom, generateEvents, inCalls } from '../support/generate.ts';
import { createTestLog } from '../support/log.ts';
import { testServer } from '../support/server.ts';

const DAY = 86_400_000;

type Column = { name: string; type: string; required: boolean };

/** The columns of a table as PostgreSQL describes them. */
const columnsOf = (sql: Sql, table: string): Promise<Column[]> =>
  sql<Column[]>`
    SELECT column_name AS name, is_nullable = 'NO' AS required,
           CASE data_type WHEN 'character varying' THEN format('varchar(%s)', character_maximum_length)
                          WHEN 'timestamp with time zone' THEN 'timestamptz'
                          WHEN 'ARRAY' THEN 'text[]' ELSE data_type END AS type
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ${table}
    ORDER BY ordinal_position`;

/** An empty database, dropped after the test; and a pool on it. */
const emptyDatabase = async (max = 4) => {
  const server = inject('databaseUrl');
  const name = `jejak_empty_${randomBytes(6).toString('hex')}`;
  const admin = connect({ url: server }, { name: 'test admin', max: 1 });
  await admin.unsafe(`CREATE DATABASE ${name}`);
  const url = server.replace(/\/[^/]*$/, `/${name}`);
  const sql = connect({ url }, { name: 'test', max });
  onTestFinished(async () => {
    await sql.end({ timeout: 5 });
    await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });
  return { url, sql };
};

const tablesOf = (sql: Sql) =>
  sql`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`;

describe('the columns', () => {
  let sql: Sql;
  let shared: TestDatabase;
  beforeAll(async () => {
    shared = await createTestDatabase();
    sql = shared.sql;
  });
  afterAll(() => shared[Symbol.asyncDispose]());

  test('of events are the document’s thirty, by name and type, and code; its id has 64 bits (V5)', async () => {
    const document = `
      id bigint, event_id varchar(50), event_category varchar(20), event_type varchar(50), event_name varchar(100),
      event_description text, user_id integer, username varchar(50), user_role varchar(20), ip_address inet,
      user_agent text, session_id varchar(100), resource_type varchar(50), resource_id varchar(50),
      resource_name varchar(200), action varchar(50), status varchar(20), http_method varchar(10),
      endpoint varchar(200), request_data jsonb, response_data jsonb, error_message text, error_code varchar(20),
      processing_time_ms integer, timestamp timestamptz, metadata jsonb, tags text[], severity varchar(20),
      created_at timestamptz, updated_at timestamptz`;
    const columns = await columnsOf(sql, 'events');
    const own = columns.filter(({ name }) => name === 'code');
    expect(own).toMatchObject([{ type: 'varchar(20)', required: false }]);
    const theirs = columns.filter(({ name }) => name !== 'code');
    expect(theirs).toHaveLength(30);
    expect(theirs.map(({ name, type }) => `${name} ${type}`)).toEqual(
      document.trim().split(/,\s+/),
    );
  });

  test('of events are nullable only where the document’s are, and V2, V3: severity and timestamp are not', async () => {
    const required = (await columnsOf(sql, 'events')).filter((column) => column.required);
    expect(required.map(({ name }) => name)).toEqual([
      'id', 'event_id', 'event_category', 'event_type', 'event_name', 'action', 'status', 'timestamp', 'severity',
      'created_at', 'updated_at',
    ]); // oxfmt-ignore
  });

  const drizzleTables = Object.values(tables).filter((value) => is(value, PgTable));

  test('are described to drizzle as they are, in every table', async () => {
    const described = drizzleTables.map((table) => getTableConfig(table));
    expect(described.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['events', 'batches']),
    );
    for (const { name, columns } of described)
      expect({
        [name]: columns.map((column) => ({
          name: column.name,
          type: column.getSQLType(),
          required: column.notNull,
        })),
      }).toEqual({ [name]: [...(await columnsOf(sql, name))] });
  });

  test('of events are one each of the fields, in their order and no wider', async () => {
    const columns = await columnsOf(sql, 'events');
    expect(columns.map(({ name }) => name)).toEqual(fieldNames.map((name) => fields[name].column));
    const widths = columns.filter(({ type }) => type.startsWith('varchar'));
    const caps = fieldNames.map((name): Field => fields[name]).filter((field) => field.max && !field.unbounded && field.kind !== 'tags'); // oxfmt-ignore
    expect(widths.map(({ name, type }) => ({ name, type }))).toEqual(
      caps.map(({ column, max }) => ({ name: column, type: `varchar(${max})` })),
    );
  });
});

describe('partitions, R1', () => {
  const random = createRandom(1);
  const chance = Array.from({ length: 300 }, () => random.below(100 * 365 * DAY));
  const dates = [
    ...['2026-01-01T00:00:00Z', '2025-12-31T23:59:59.999Z', '2028-02-29T12:00:00Z', '2026-11-23T06:00:00Z'].map((text) => Date.parse(text)),
    ...chance,
  ]; // oxfmt-ignore

  test('cover all that is kept and ten days ahead, without holes or overlaps, whatever the date', () => {
    for (const now of dates)
      for (const severity of severityNames) {
        const own = partitionsAt(new Date(now)).filter((each) => each.severity === severity);
        expect(own[0]!.starts.getTime()).toBeLessThanOrEqual(now - severities[severity].retentionDays * DAY); // oxfmt-ignore
        expect(own.at(-1)!.ends.getTime()).toBeGreaterThan(now + 10 * DAY);
        expect(own.slice(1).map(({ starts }) => starts)).toEqual(own.slice(0, -1).map(({ ends }) => ends)); // oxfmt-ignore
      }
  });

  test('are cut at the same places on every date, so that those of two dates never overlap', () => {
    for (const now of dates)
      for (const { severity, starts, ends } of partitionsAt(new Date(now))) {
        const width = severities[severity].partitionDays * DAY;
        expect(Math.abs(starts.getTime() % width)).toBe(0);
        expect(ends.getTime() - starts.getTime()).toBe(width);
      }
  });

  test('are no more than are needed: none ends before retention begins', () => {
    for (const now of dates) {
      const midnight = Math.floor(now / DAY) * DAY;
      for (const { severity, ends } of partitionsAt(new Date(now)))
        expect(ends.getTime()).toBeGreaterThan(midnight - severities[severity].retentionDays * DAY);
      expect(partitionsAt(new Date(now)).length).toBeLessThan(40);
    }
  });

  test('are few for any period', () => {
    for (const severity of severityNames)
      for (let days = 1; days <= 36_500; days++)
        expect(days / widthOf(severity, days)).toBeLessThan(64);
  });

  /** The partitions of a database, by severity and range. */
  const inDatabase = (sql: Sql) =>
    sql<{ name: string; bounds: string }[]>`
      SELECT relname AS name, pg_get_expr(relpartbound, oid) AS bounds FROM pg_class
      WHERE relispartition AND relkind = 'r' ORDER BY relname`;
  const boundsOf = (now: Date) =>
    partitionsAt(now)
      .map(({ severity, starts, ends }) => {
        const [from, to] = [starts, ends].map((date) => date.toISOString().slice(0, 10));
        return {
          name: `events_${severity.toLowerCase()}_${from!.replaceAll('-', '')}`,
          bounds: `FOR VALUES FROM ('${from} 00:00:00+00') TO ('${to} 00:00:00+00')`,
        };
      })
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));

  test('of a migrated database are those of its day', async () => {
    const { url, sql } = await emptyDatabase();
    const before = new Date();
    await migrate({ url });
    expect([boundsOf(before), boundsOf(new Date())]).toContainEqual([...(await inDatabase(sql))]);
  });

  test('are made once: a second time there is nothing to do, and a later day adds its own', async () => {
    const { sql } = await testDatabase();
    const [now, later] = [new Date(), new Date(Date.now() + 200 * DAY)];
    await ensurePartitions(sql, now);
    expect(await ensurePartitions(sql, now)).toBe(0);
    const [{ count }] = await sql<[{ count: number }]>`SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'`; // oxfmt-ignore
    const added = await ensurePartitions(sql, later);
    expect(added).toBeGreaterThan(10);
    expect(await inDatabase(sql)).toHaveLength(count + added);
    expect(await ensurePartitions(sql, later)).toBe(0);
  });

  test('are made once by twenty servers at once', async () => {
    const { url, sql } = await testDatabase();
    const crowd = connect({ url }, { name: 'crowd', max: 20 });
    onTestFinished(() => crowd.end({ timeout: 5 }));
    await Promise.all(Array.from({ length: 20 }, () => crowd`SELECT pg_sleep(0.05)`));
    const later = new Date(Date.now() + 1000 * DAY);
    const made = await Promise.all(
      Array.from({ length: 20 }, () => ensurePartitions(crowd, later)),
    );
    expect(made.reduce((sum, each) => sum + each)).toBe(partitionsAt(later).length);
    expect([...(await inDatabase(sql))]).toEqual(expect.arrayContaining(boundsOf(later)));
  });

  test('an event of any severity has a home from the first moment that is kept to ten days ahead', async () => {
    const { sql } = await testDatabase();
    const now = Date.now();
    await ensurePartitions(sql, new Date(now));
    for (const severity of severityNames)
      for (const days of [-severities[severity].retentionDays, -1, 0, 10])
        await insert(sql, { severity, timestamp: new Date(now + days * DAY).toISOString() });
    expect(await sql`SELECT FROM events`).toHaveLength(20);
  });

  test('are made while events are logged and read: nobody waits, nothing fails', async () => {
    const server = await testServer();
    const { sql } = server.database;
    let making = true;
    const slowest = { write: 0, read: 0 };
    const repeat = async (kind: keyof typeof slowest, act: () => Promise<{ errors?: unknown }>) => {
      while (making) {
        const start = performance.now();
        expect((await act()).errors).toBeUndefined();
        slowest[kind] = Math.max(slowest[kind], performance.now() - start);
      }
    };
    const log = () => server.graphql('mutation { logEvent(input: { code: "AUTH-001" }) { outcome } }'); // oxfmt-ignore
    const read = () => server.graphql('{ events(first: 5) { totalCount edges { cursor } } }');
    const work = [repeat('write', log), repeat('write', log), repeat('read', read)];
    for (let day = 100; day <= 300; day += 100)
      expect(await ensurePartitions(sql, new Date(Date.now() + day * DAY))).toBeGreaterThan(0);
    making = false;
    await Promise.all(work);
    expect(slowest.write).toBeLessThan(1_000);
    expect(slowest.read).toBeLessThan(1_000);
  });
});

let inserted = 0;
/** Inserts an event by hand, as nobody does but who goes around the log. */
const insert = (sql: Sql, columns: Record<string, string | null>) => {
  const row: Record<string, string | null> = {
    id: String(++inserted),
    event_id: `by-hand-${inserted}`,
    event_category: 'AUTH',
    event_type: 'T',
    event_name: 'N',
    action: 'A',
    status: 'SUCCESS',
    severity: 'INFO',
    timestamp: new Date().toISOString(),
    ...columns,
  };
  return sql`INSERT INTO events ${sql(row)}`;
};

describe('the database itself', () => {
  let sql: Sql;
  let shared: TestDatabase;
  beforeAll(async () => {
    shared = await createTestDatabase();
    sql = shared.sql;
  });
  afterAll(() => shared[Symbol.asyncDispose]());

  test.each([
    ['V1', { status: 'OK' }],
    ['V1', { status: 'success' }],
    ['V1', { status: null }],
    ['V2', { severity: 'FATAL!!' }],
    ['V2', { severity: 'info' }],
    ['V2', { severity: null }],
    ['V3', { timestamp: null }],
    ['I7', { event_category: 'UNK' }],
    ['I7', { event_category: null }],
    ['I7', { event_name: null }],
    ['P1', { ip_address: '192.168.1.999' }],
    ['a width', { username: 'u'.repeat(51) }],
    ['the past', { timestamp: '2001-01-01T00:00:00Z' }],
    ['a row’s number', { id: null }],
  ])('refuses nonsense, %s: %j', async (_, columns) => {
    await insert(sql, {}); // which is as good without them
    await expect(insert(sql, columns)).rejects.toThrow(/violates|invalid|too long|no partition/);
    expect(await sql`SELECT FROM events WHERE id = ${inserted}`).toHaveLength(0);
  });

  test('V1, V2: takes every category, status and severity of the vocabulary', async () => {
    const before = inserted;
    for (const event_category of categoryNames) await insert(sql, { event_category });
    for (const status of statusNames) await insert(sql, { status });
    for (const severity of severityNames) await insert(sql, { severity });
    expect(await sql`SELECT FROM events WHERE id > ${before}`).toHaveLength(20);
  });

  test('V5: numbers go on beyond 31 bits, and events are found and followed by them', async () => {
    const database = await testDatabase();
    const beyond = 2 ** 32;
    await database.sql`SELECT setval('batch_numbers', ${beyond})`;
    await database.sql`
      INSERT INTO batches (seq, number, key, size, severities, categories, earliest, latest)
      VALUES (${beyond}, 1, ${randomUUID()}, 1, 2, 1, now(), now())`;
    const server = await testServer(database);
    const log = async () =>
      (
        await server.graphql(
          'mutation { logEvent(input: { code: "AUTH-001" }) { cursor event { id eventId } } }',
        )
      ).data.logEvent;
    const first = await log();
    expect(Number(first.event.id)).toBe((beyond + 1) * 1024);
    const second = await log();
    const found = await server.graphql('query($eventId: ID!) { event(eventId: $eventId) { id eventId } }', { eventId: second.event.eventId }); // oxfmt-ignore
    expect(found.data.event).toEqual(second.event);
    await using after = server.subscribe(
      'subscription($after: String) { eventLogged(after: $after) { event { id eventId } } }',
      { after: first.cursor },
    );
    expect((await after.next()).eventLogged.event).toEqual(second.event);
    const page = await server.graphql('{ events(first: 1) { edges { cursor } } }');
    const next = await server.graphql('query($after: String) { events(after: $after) { edges { node { id } } } }', { after: page.data.events.edges[0].cursor }); // oxfmt-ignore
    expect(next.data.events.edges).toEqual([{ node: { id: first.event.id } }]);
  });

  test('V4: created_at is when an event was stored, and not when its transaction began', async () => {
    await sql.begin(async (transaction) => {
      const [{ began }] = await transaction<[{ began: string }]>`SELECT now() AS began`;
      await sleep(100);
      const event = complete({ code: 'AUTH-001' }, new Date()) as Prepared;
      const { createdAt } = await append(transaction as unknown as Sql, { key: randomUUID(), events: [event], owners: [] }); // oxfmt-ignore
      expect(Date.parse(createdAt) - Date.parse(began)).toBeGreaterThanOrEqual(99);
    });
  });

  test('V6: created_at is when the batch was stored, and updated_at is never another', async () => {
    const server = await testServer();
    const before = new Date().toISOString();
    const events = generateEvents({ seed: 6, count: 300, now: new Date(), spanMs: DAY });
    for (const input of inCalls(events, 100))
      await server.graphql(
        'mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }',
        { input },
      );
    const rows = await server.database.sql`
      SELECT id / 1024 AS batch, count(DISTINCT created_at) AS times, sum((created_at = updated_at)::int) AS same,
             min(created_at) > ${before} AS later FROM events GROUP BY 1`;
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row).toMatchObject({ times: 1, same: 100, later: true });
  });
});

describe('migrating', () => {
  // drizzle passes over what is not later than the last one that was applied, and says nothing.
  test('each migration is later than the one before it, and named in that order', async () => {
    const { entries } = JSON.parse(await readFile(new URL('../../drizzle/meta/_journal.json', import.meta.url), 'utf8')); // oxfmt-ignore
    for (const [place, { when, idx, tag }] of entries.entries()) {
      const before = entries[place - 1] ?? { when: 0, idx: -1, tag: '' };
      expect([when > before.when, idx > before.idx, tag > before.tag], tag).toEqual([true, true, true]); // oxfmt-ignore
    }
    const files = (await readdir(new URL('../../drizzle', import.meta.url))).filter((file) => file.endsWith('.sql')); // oxfmt-ignore
    expect(files.toSorted()).toEqual(entries.map(({ tag }: { tag: string }) => `${tag}.sql`));
  });

  const applied = async (sql: Sql): Promise<number> => {
    const [{ count }] = await sql<[{ count: number }]>`SELECT count(*) FROM drizzle.__drizzle_migrations`; // oxfmt-ignore
    return count;
  };
  const works = async (url: string): Promise<void> => {
    const sql = connect({ url }, { name: 'test', max: 1 });
    await insert(sql, {});
    expect(await sql`SELECT FROM events`).toHaveLength(1);
    await sql.end();
  };

  test('A9: twenty servers at once on an empty database migrate it once', async () => {
    const { url, sql } = await emptyDatabase();
    await Promise.all(Array.from({ length: 20 }, () => migrate({ url })));
    const { sql: template } = await testDatabase();
    expect(await applied(sql)).toBe(await applied(template));
    expect(await tablesOf(sql)).toHaveLength((await tablesOf(template)).length);
    await works(url);
  });

  test('A9: on a migrated database does nothing and waits for nobody but another that migrates', async () => {
    const { url, sql } = await testDatabase();
    const before = [await applied(sql), (await tablesOf(sql)).length];
    await migrate({ url });
    expect([await applied(sql), (await tablesOf(sql)).length]).toEqual(before);
    const open = await sql.reserve();
    await open`BEGIN`;
    await insert(open, {});
    await migrate({ url });
    await open`COMMIT`;
    open.release();
  });

  test('A9: while others log it loses nothing and refuses nothing', async () => {
    const { url, sql } = await olderDatabase('0017_owner_hashes');
    await ensurePartitions(sql, new Date());
    using log = createTestLog(sql);
    const migrating = Promise.withResolvers<void>();
    let done = false;
    const outcomes: string[] = [];
    const write = async (writer: number): Promise<void> => {
      for (let count = 0; !done || count < 20; count++) {
        const [outcome] = await log([{ code: 'AUTH-001', eventId: `${writer}-${count}` }]);
        outcomes.push(outcome!.outcome);
        if (outcomes.length === 200) migrating.resolve();
      }
    };
    const writing = Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
    await migrating.promise;
    await migrate({ url });
    done = true;
    await writing;
    expect(new Set(outcomes)).toEqual(new Set(['STORED']));
    const [{ count }] = await sql<[{ count: number }]>`SELECT count(*) FROM events`;
    expect(count).toBe(outcomes.length);
    const { sql: template } = await testDatabase();
    expect(await applied(sql)).toBe(await applied(template));
  });

  test('what stood there before is as the shape wants it', async () => {
    const { url, sql } = await olderDatabase('0017_owner_hashes');
    await sql`INSERT INTO event_ids (event_id, id, owner) VALUES ('a', 1, 'user 3273014506900002'), ('b', 2, NULL)`;
    for (const replaces of [null, 1, 2, null])
      await sql`INSERT INTO api_keys (name, hint, hash, scopes, replaces) VALUES ('one', '', ${randomBytes(32)}, '{events:write}', ${replaces})`;
    const refused = { key_name: 'one', code: 'CONFLICT', reason: '', source: '{}' };
    await sql`INSERT INTO quarantine ${sql([refused, refused])}`;
    await migrate({ url });
    expect(await sql`SELECT FROM event_ids WHERE owner IS NOT NULL`).toHaveLength(0);
    const roots = await sql`SELECT root FROM api_keys ORDER BY id`;
    expect(roots.map(({ root }) => root)).toEqual([null, 1, 1, null]);
    const tails = await sql`SELECT tail FROM quarantine`;
    expect(new Set(tails.map(({ tail }) => tail)).size).toBe(2);
  });

  /** A database in the shape that it had before a migration. */
  const olderDatabase = async (before: string) => {
    const folder = await mkdtemp(join(tmpdir(), 'jejak-migrations-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(new URL('../../drizzle', import.meta.url), folder, { recursive: true });
    const journal = join(folder, 'meta/_journal.json');
    const { entries, ...rest } = JSON.parse(await readFile(journal, 'utf8'));
    const end = entries.findIndex(({ tag }: { tag: string }) => tag === before);
    await writeFile(journal, JSON.stringify({ ...rest, entries: entries.slice(0, end) }));
    const database = await emptyDatabase();
    await applyMigrations(drizzle(database.sql), { migrationsFolder: folder });
    return database;
  };

  /** Holds the name of a table until released, so that a migration stops where it makes it. */
  const holdName = async (sql: Sql, table: string) => {
    const holder = await sql.reserve();
    await holder`BEGIN`;
    await holder.unsafe(`CREATE TABLE ${table} ()`);
    return async () => {
      await holder`ROLLBACK`;
      holder.release();
    };
  };
  const blockedMigrator = async (sql: Sql): Promise<number> => {
    for (;;) {
      const [row] = await sql<{ pid: number }[]>`
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'jejak migrate' AND wait_event_type = 'Lock'
          AND query LIKE '%CREATE TABLE%'`;
      if (row) return row.pid;
      await sleep(10);
    }
  };

  /** A server that only migrates, in a process of its own; its exit code. */
  const migrateApart = async (url: string): Promise<number> => {
    const migrateFile = new URL('../../src/database/migrate.ts', import.meta.url).href;
    const script = `await (await import(${JSON.stringify(migrateFile)})).migrate({ url: ${JSON.stringify(url)} })`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: 'ignore',
    });
    const [code] = await once(child, 'exit');
    return code as number;
  };

  test.each(['batches', 'api_keys'])(
    'A9: a server whose connection dies in the middle, before %s, leaves the old shape, and the next resumes',
    async (table) => {
      const { url, sql } = await emptyDatabase();
      const release = await holdName(sql, table);
      const migration = migrateApart(url);
      await sql`SELECT pg_terminate_backend(${await blockedMigrator(sql)})`;
      expect(await migration).not.toBe(0);
      await release();
      expect(await tablesOf(sql)).toHaveLength(0);
      await migrate({ url });
      await works(url);
    },
  );

  test('A9: of three servers the one at work loses its connection, and the others finish', async () => {
    const { url, sql } = await emptyDatabase();
    const release = await holdName(sql, 'batches');
    const migrations = Promise.all([1, 2, 3].map(() => migrateApart(url)));
    await sql`SELECT pg_terminate_backend(${await blockedMigrator(sql)})`;
    await release();
    expect((await migrations).filter((code) => code === 0)).toHaveLength(2);
    await works(url);
  });
});
