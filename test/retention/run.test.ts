// Runs of retention: what goes, what stays, who runs, and what is told of it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Sql, connect } from '../../src/database/connection.ts';
import { type Severity, severities, severityNames } from '../../src/events/vocabulary.ts';
import { removedBy } from '../../src/retention/run.ts';
import { isWaiting, locked } from '../support/database.ts';
import {
  DAY,
  type TestRetention,
  eventOf,
  movedClock,
  outcomesOf,
  testRetention,
} from '../support/retention.ts';

const ofAll = (clock: () => Date, daysAgo: number, more: object = {}) =>
  severityNames.map((severity) => eventOf(severity, clock, daysAgo, more));
const own = <T extends { code: string | null }>(events: T[]): T[] =>
  events.filter(({ code }) => code === 'ADMIN-007');
/** An event that is refused, and was so long ago. */
const logRefused = async (log: TestRetention['log'], sql: Sql): Promise<void> => {
  await log([{}]);
  await sql`UPDATE quarantine SET received_at = '2000-01-01'`;
};
const others = <T extends { code: string | null }>(events: T[]): T[] =>
  events.filter(({ code }) => code !== 'ADMIN-007');

test('R1: expired partitions are dropped, and nothing younger than its retention with them', async () => {
  const { clock, log, retention, stored, database } = await testRetention();
  let [gone, told] = [0, 0];
  const run = async () => {
    const removed = removedBy((await retention.run({ now: true }))!);
    gone += removed;
    if (removed > 0) told++;
  };
  for (let day = 0; day < 400; day += 5) {
    expect(outcomesOf(await log(ofAll(clock, 0)))).toEqual(Array(5).fill('STORED'));
    clock.advance(5);
    if (day % 20 === 0) await run();
  }
  await run();
  for (const severity of severityNames) {
    const { retentionDays, partitionDays } = severities[severity];
    const [{ oldest, count }] = await database.sql<[{ oldest: string; count: number }]>`
      SELECT min(timestamp) AS oldest, count(*) FILTER (WHERE timestamp >= ${new Date(clock().getTime() - retentionDays * 86_400_000).toISOString()})
      FROM events WHERE severity = ${severity} AND code IS NULL`;
    expect({ severity, count }).toEqual({ severity, count: Math.floor(retentionDays / 5) });
    const age = (clock().getTime() - Date.parse(oldest)) / 86_400_000;
    expect(age).toBeLessThan(retentionDays + partitionDays);
  }
  expect(gone).toBe(400 + told - (await stored()).length);
}, 240_000);

test('long periods make few partitions, and what a shorter one lets go of is gone soon', async () => {
  const { clock, log, retention, database } = await testRetention();
  const partitions = (of: string): Promise<{ starts: string; ends: string }[]> =>
    database.sql`SELECT starts, ends FROM event_partitions WHERE severity = ${of} ORDER BY starts`;
  const ages = async (of: string): Promise<number[]> => {
    const found = await database.sql<{ timestamp: string }[]>`
      SELECT timestamp FROM events WHERE severity = ${of} AND code IS NULL ORDER BY timestamp DESC`;
    return found.map(({ timestamp }) => Math.round((clock().getTime() - Date.parse(timestamp)) / DAY)); // oxfmt-ignore
  };
  for (const severity of severityNames) await retention.setRule(severity, 3_650, 'ani');
  // No run has been since: the first of them finds partitions of the old width beside its own.
  expect(outcomesOf(await log([1, 20, 300].flatMap((ago) => ofAll(clock, ago))))).toEqual(Array(15).fill('STORED')); // oxfmt-ignore
  for (let day = 0; day < 3_650; day += 100) {
    expect((await retention.run({ now: true }))!.error).toBeNull();
    expect(outcomesOf(await log(ofAll(clock, 0)))).toEqual(Array(5).fill('STORED'));
    clock.advance(100);
  }
  for (const severity of severityNames) {
    const there = await partitions(severity);
    expect(there.length).toBeLessThan(45);
    expect(there.slice(1).map(({ starts }) => starts)).toEqual(there.slice(0, -1).map(({ ends }) => ends)); // oxfmt-ignore
    expect((await ages(severity)).filter((age) => age <= 3_750)).toHaveLength(39); // the last run was 100 days ago
  }

  await log(ofAll(clock, 0));
  await retention.setRule('DEBUG', 7, 'ani');
  await retention.run({ now: true });
  expect(await ages('DEBUG')).toEqual([0]);
  clock.advance(8);
  await log(ofAll(clock, 0));
  await retention.run({ now: true });
  expect(await ages('DEBUG')).toEqual([0]); // though its partition is not over
  for (let day = 0; day < 200; day += 5) {
    clock.advance(5);
    await log(ofAll(clock, 0));
    await retention.run({ now: true });
  }
  expect(await ages('DEBUG')).toEqual([0, 5]);
  expect((await partitions('DEBUG')).length).toBeLessThan(12);
}, 240_000);

test('a code that is kept for long makes few partitions of every severity, however old its events come', async () => {
  const { clock, log, retention, database } = await testRetention(
    undefined,
    movedClock(new Date()),
  );
  await retention.setRule('DATA-004', 1_460, 'ani');
  for (let ago = 0; ago < 1_460; ago += 20)
    expect(outcomesOf(await log(ofAll(clock, ago, { code: 'DATA-004' })))).not.toContain(
      'REJECTED',
    );
  const [{ count }] = await database.sql<
    [{ count: number }]
  >`SELECT count(*) FROM event_partitions`;
  expect(count).toBeLessThan(80);
  expect((await retention.run({ now: true }))!.error).toBeNull();
  expect(await database.sql`SELECT FROM events WHERE code = 'DATA-004'`).toHaveLength(73 * 5);
  const [{ kept, unguarded }] = await database.sql<[{ kept: number; unguarded: number }]>`
    SELECT count(*) FILTER (WHERE name LIKE '%kept%') AS kept,
           count(*) FILTER (WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = name::regclass AND tgname = 'never_emptied')) AS unguarded
    FROM event_partitions`;
  expect(kept).toBeGreaterThan(0);
  expect(unguarded).toBe(0);
}, 120_000);

test('what goes stays counted in the roll-ups, though nobody counted it before', async () => {
  const { clock, log, retention, stored, database } = await testRetention();
  await log(ofAll(clock, 0));
  clock.advance(400);
  await retention.run({ now: true });
  expect(others(await stored())).toEqual([]);
  const [{ count }] = await database.sql<
    [{ count: number }]
  >`SELECT sum(count)::int AS count FROM rollup_hours`;
  expect(count).toBe(severityNames.length);
});

test('R2, R4: a run is told in the log as ADMIN-007 with its counts, and that is kept as long as the longest period', async () => {
  const { clock, log, retention, stored, database, metrics } = await testRetention();
  await log([...ofAll(clock, 6), ...ofAll(clock, 5)]);
  clock.advance(20);
  const run = await retention.run({ now: true });
  expect(run).toMatchObject({ removed: { DEBUG: 2 }, kept: 0, postponed: 0, error: null });
  expect(run!.bytesFreed).toBeGreaterThan(0);
  const [told] = await database.sql`SELECT * FROM events WHERE code = 'ADMIN-007'`;
  expect(told).toMatchObject({
    event_type: 'LOG_CLEANUP',
    severity: 'INFO',
    status: 'SUCCESS',
    resource_id: String(run!.id),
    metadata: {
      log_type: 'events',
      deleted_count: 2,
      deleted_by_severity: { DEBUG: 2 },
      retention_days: { DEBUG: 7, INFO: 30, WARNING: 90, ERROR: 180, CRITICAL: 365 },
    },
  });
  expect(await metrics.registry.metrics()).toContain(
    'jejak_retention_removed_total{severity="DEBUG"} 2',
  );

  // It outlives the other events of its severity by moving, and is the same event afterwards.
  const before = own(await stored());
  clock.advance(300);
  await retention.run({ now: true });
  expect(await stored()).toMatchObject([{ severity: 'CRITICAL' }, { severity: 'CRITICAL' }, { code: 'ADMIN-007' }, { code: 'ADMIN-007' }]); // oxfmt-ignore
  expect(own(await stored())).toEqual(expect.arrayContaining(before));
  clock.advance(80);
  await retention.run({ now: true });
  expect(own(await stored())).not.toEqual(expect.arrayContaining(before));
});

test('a run without anything to remove tells nothing, and the log does not grow by being kept', async () => {
  const { clock, log, retention, stored } = await testRetention();
  await log(ofAll(clock, 0));
  for (let runs = 0; runs < 3; runs++)
    expect(removedBy((await retention.run({ now: true }))!)).toBe(0);
  expect(await stored()).toHaveLength(5);
  expect(await retention.runs(10)).toHaveLength(3);
});

test('A4: partitions that cannot be made keep none that has expired', async () => {
  const { clock, log, retention, stored, database } = await testRetention();
  await log(ofAll(clock, 0));
  clock.advance(60);
  await database.sql`ALTER FUNCTION create_event_partition RENAME TO create_nothing`;
  const removed = { DEBUG: 1, INFO: 1 };
  const error = expect.stringContaining('create_event_partition');
  expect(await retention.run({ now: true })).toMatchObject({ removed, error });
  expect(await stored()).toHaveLength(3);
});

test('partitions are made ahead though none that has expired can be removed', async () => {
  const { clock, log, retention, database } = await testRetention();
  await log(ofAll(clock, 0));
  clock.advance(60);
  await database.sql`ALTER FUNCTION replace_event_partitions RENAME TO replace_nothing`;
  const error = expect.stringContaining('replace_event_partitions');
  const run = await retention.run({ now: true });
  expect(run).toMatchObject({ removed: {}, error });
  expect(run!.partitionsMade).toBeGreaterThan(0);
});

test('of several servers one runs, once in the time between two runs', async () => {
  const first = await testRetention();
  const second = await testRetention(first.database, first.clock);
  await first.log(ofAll(first.clock, 6));
  first.clock.advance(100);
  for (let round = 0; round < 3; round++) {
    const runs = await Promise.all([first, second, first, second].map(({ retention }) => retention.run())); // oxfmt-ignore
    expect(runs.filter((run) => run !== undefined)).toHaveLength(1);
    first.clock.advance(1 / 24);
  }
  expect(own(await first.stored())).toHaveLength(1);
});

test('a partition that is in use is waited for without holding up who logs, and left to the next run', async () => {
  const { clock, log, retention, database, stored } = await testRetention();
  await log(ofAll(clock, 6));
  clock.advance(60);
  const reader = connect({ url: database.url }, { name: 'long question', max: 1 });
  onTestFinished(() => reader.end());
  const done = Promise.withResolvers<void>();
  const reading = reader.begin(async (transaction) => {
    await transaction`SELECT count(*) FROM events`;
    await done.promise;
  });
  await sleep(100);
  let slowest = 0;
  let running = true;
  const logging = (async () => {
    while (running) {
      const begun = performance.now();
      expect(outcomesOf(await log(ofAll(clock, 0)))).toEqual(Array(5).fill('STORED'));
      slowest = Math.max(slowest, performance.now() - begun);
    }
  })();
  const run = retention.run({ now: true });
  await sleep(3_000);
  expect(
    others(await stored()).filter(({ severity }) => severity === 'DEBUG').length,
  ).toBeGreaterThan(1);
  done.resolve();
  await reading;
  expect(await run).toMatchObject({ removed: { DEBUG: 1, INFO: 1 }, postponed: 0, error: null });
  running = false;
  await logging;
  expect(slowest).toBeLessThan(2_000);
}, 120_000);

test('a run that lost its lock with its connection removes nothing beside another, and nothing held', async () => {
  const first = await testRetention();
  const second = await testRetention(first.database, first.clock);
  const { clock, log, retention } = first;
  const { sql, url } = first.database;
  await log([eventOf('DEBUG', clock), eventOf('DEBUG', clock, 0, { resourceId: 'HELD' })]);
  await retention.placeHold({ name: 'h', reason: 'r', filter: { resourceId: ['HELD'] } }, 'me');
  clock.advance(60);
  const reader = connect({ url }, { name: 'long question', max: 1 });
  onTestFinished(() => reader.end());
  const done = Promise.withResolvers<void>();
  const reading = reader.begin(async (transaction) => {
    await transaction`SELECT FROM events_debug`;
    await done.promise;
  });
  const running = retention.run({ now: true });
  const cut = () => sql`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jejak maintenance'
    AND datname = current_database() AND state = 'idle' AND query LIKE '%replace_event_partitions%'`;
  await vi.waitUntil(async () => (await cut()).length > 0, 10_000);
  const other = second.retention.run({ now: true });
  await vi.waitUntil(async () => (await retention.runs(9)).length > 1, 10_000);
  done.resolve();
  await reading;
  expect(await running).toMatchObject({ removed: {}, error: expect.stringContaining('cut off') });
  expect(await other).toMatchObject({ removed: { DEBUG: 1 }, error: null });
  const held = await sql`SELECT resource_id FROM events WHERE severity = 'DEBUG'`;
  expect([...held]).toEqual([{ resource_id: 'HELD' }]);
}, 120_000);

test.each([
  { way: 'drops', held: [], removed: { DEBUG: 3 } },
  { way: 'copies', held: ['A'], removed: { DEBUG: 2 } },
  { way: 'deletes', held: ['A', 'B'], removed: { DEBUG: 1 } },
  { way: 'does', held: ['A', 'B', 'C'], removed: {} },
])('a run that others have closed $way nothing, and purges nothing', async ({ held, removed }) => {
  const { clock, log, retention, stored, database } = await testRetention();
  const { sql } = database;
  const holdOn = (name: string, resourceId: string[]) => retention.placeHold({ name, reason: 'r', filter: { resourceId } }, 'me'); // oxfmt-ignore
  await log(['A', 'B', 'C'].map((resourceId) => eventOf('DEBUG', clock, 0, { resourceId })));
  const hold = await holdOn('all', ['A', 'B', 'C']);
  clock.advance(60);
  await retention.run({ now: true }); // empty partitions are gone
  if (held.length > 0) await holdOn('some', held);
  await retention.releaseHold(hold.id, 'me');
  await logRefused(log, sql);
  const before = others(await stored());
  await sql.unsafe(`
    CREATE FUNCTION close_at_once() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN NEW.finished_at := NEW.started_at; RETURN NEW; END';
    CREATE TRIGGER closed BEFORE INSERT ON retention_runs FOR EACH ROW EXECUTE FUNCTION close_at_once()`);
  expect(await retention.run({ now: true })).toMatchObject({ removed: {}, refusedRemoved: 0 });
  expect(others(await stored())).toEqual(before);
  expect(await sql`SELECT FROM quarantine`).toHaveLength(1);
  expect(await sql`SELECT FROM pg_class WHERE relname LIKE '%_staged'`).toHaveLength(0);
  await sql`DROP TRIGGER closed ON retention_runs`;
  expect(await retention.run({ now: true })).toMatchObject({ removed, refusedRemoved: 1 });
});

test('a partition that cannot be removed keeps no other, nor refused events, and the run says why', async () => {
  const { clock, log, retention, database } = await testRetention();
  await log(ofAll(clock, 0));
  await logRefused(log, database.sql);
  const [{ partition }] = await database.sql<[{ partition: string }]>`
    SELECT tableoid::regclass AS partition FROM events WHERE severity = 'DEBUG'`;
  await database.sql`CREATE VIEW of_others AS SELECT id FROM ${database.sql(partition)}`;
  clock.advance(60);
  const error = expect.stringContaining(`cannot drop table ${partition}`);
  expect(await retention.run({ now: true })).toMatchObject({
    removed: { INFO: 1 },
    refusedRemoved: 1,
    error,
  });
  await database.sql`DROP VIEW of_others`;
  expect(await retention.run({ now: true })).toMatchObject({ removed: { DEBUG: 1 }, error: null });
});

const victim = fileURLToPath(new URL('victim.ts', import.meta.url));

test('A1: a run that is killed in the middle is gone on with by the next, and everything that went is told once', async () => {
  const clock = movedClock();
  const { log, retention, database, stored } = await testRetention(undefined, clock);
  await log([...ofAll(clock, 6), ...ofAll(clock, 5)]);
  clock.advance(300);
  const blocker = connect({ url: database.url }, { name: 'blocker', max: 1 });
  onTestFinished(() => blocker.end());
  const done = Promise.withResolvers<void>();
  const blocking = blocker.begin(async (transaction) => {
    await transaction`SELECT FROM events_warning`;
    await done.promise;
  });
  const child = spawn(process.execPath, [victim, database.url, clock().toISOString()], { stdio: 'inherit' }); // oxfmt-ignore
  while ((await retention.runs(1))[0]?.removed.INFO !== 2) await sleep(20);
  child.kill('SIGKILL');
  await once(child, 'exit');
  done.resolve();
  await blocking;
  expect(others(await stored()).map(({ severity }) => severity).toSorted()).toEqual(['CRITICAL', 'CRITICAL', 'ERROR', 'ERROR', 'WARNING', 'WARNING']); // oxfmt-ignore
  let finished = await retention.run({ now: true });
  while (!finished) finished = await retention.run({ now: true }); // its lock goes with its connection
  expect(await retention.runs(10)).toMatchObject([
    { removed: { WARNING: 2, ERROR: 2 }, error: null },
    { removed: { DEBUG: 2, INFO: 2 }, error: expect.stringContaining('cut off') },
  ]);
  expect(others(await stored())).toMatchObject([
    { severity: 'CRITICAL' },
    { severity: 'CRITICAL' },
  ]);
  const told = await database.sql<{ count: number }[]>`
    SELECT (metadata ->> 'deleted_count')::int AS count FROM events WHERE code = 'ADMIN-007' ORDER BY resource_id::int`;
  expect([...told]).toEqual([{ count: 4 }, { count: 4 }]);
}, 120_000);

test('what a run could not tell is told later, once', async () => {
  const { clock, log, retention, stored, database } = await testRetention();
  await log(ofAll(clock, 6));
  clock.advance(20);
  await database.sql`ALTER TABLE batches RENAME TO elsewhere`; // nothing can be logged
  await retention.run({ now: true }).catch(() => {});
  await database.sql`ALTER TABLE elsewhere RENAME TO batches`;
  expect(own(await stored())).toHaveLength(0);
  await retention.run({ now: true });
  await retention.run({ now: true });
  expect(own(await stored()).length).toBeGreaterThan(0);
  expect(await database.sql`SELECT FROM retention_outbox`).toHaveLength(0);
});

test('R2: where no run comes to its end for three times as long as it should, it is overdue; a run mends that', async () => {
  const { clock, retention, metrics } = await testRetention();
  await retention.run({ now: true });
  const gauge = async () =>
    /\njejak_retention_overdue (\d)/.exec(await metrics.registry.metrics())?.[1];
  clock.advance(2.9 / 24);
  expect([retention.overdueSince(), await gauge()]).toEqual([undefined, '0']);
  const ranAt = (await retention.runs(1))[0]!.finishedAt!;
  clock.advance(0.2 / 24);
  expect([retention.overdueSince()?.toISOString(), await gauge()]).toEqual([ranAt, '1']);
  await retention.run();
  expect([retention.overdueSince(), await gauge()]).toEqual([undefined, '0']);
});

test('A8: with retention dead for a month and every partition made ahead used up, no valid event is refused', async () => {
  const { clock, log, retention, stored } = await testRetention();
  await log(ofAll(clock, 0));
  clock.advance(40);
  expect(retention.overdueSince()).toBeDefined();
  for (const daysAgo of [0, 6]) expect(outcomesOf(await log(ofAll(clock, daysAgo)))).toEqual(Array(5).fill('STORED')); // oxfmt-ignore
  expect(await retention.run()).toMatchObject({ removed: { DEBUG: 1, INFO: 1 }, error: null });
  expect(retention.overdueSince()).toBeUndefined();
  expect(others(await stored()).length).toBe(13);
});

test('a word of a name goes when nothing in the log was noted after it', async () => {
  const { clock, log, retention, database } = await testRetention();
  await log(['Siti', 'Rizki', 'Wulan'].map((resourceName) => eventOf('INFO', clock, 0, { resourceName })));
  const notedAgo = (days: number, word: string) =>
    database.sql`UPDATE search_names SET noted_on = noted_on - ${days}::int WHERE word = ${word}`;
  await notedAgo(1, 'rizki');
  await notedAgo(2, 'wulan');
  await retention.run({ now: true });
  const left = await database.sql<{ word: string }[]>`SELECT word FROM search_names ORDER BY word`;
  expect(left.map(({ word }) => word)).toEqual(['rizki', 'siti']);
}); // oxfmt-ignore

test('the cursor of a batch whose time is over has expired; batches of what is kept, and the last, stay', async () => {
  const { clock, log, retention, database } = await testRetention();
  const batches = () => database.sql<{ seq: number }[]>`SELECT seq FROM batches ORDER BY seq`;
  await log([eventOf('DEBUG', clock)]);
  await log([eventOf('INFO', clock, 0, { eventId: 'named' })]);
  await log([eventOf('CRITICAL', clock)]);
  await log([eventOf('DEBUG', clock)]);
  clock.advance(20);
  await retention.run({ now: true });
  expect((await batches()).map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
  expect(await database.sql`SELECT FROM event_ids WHERE event_id = 'named'`).toHaveLength(1);
  clock.advance(100);
  await retention.run({ now: true });
  expect((await batches())[0]).toEqual({ seq: 3 });
  expect(await database.sql`SELECT FROM event_ids WHERE event_id = 'named'`).toHaveLength(0);
  clock.advance(1_000);
  await retention.run({ now: true });
  const last = (await batches()).at(-1)!.seq;
  clock.advance(1_000);
  await retention.run({ now: true });
  const [outcome] = await log([eventOf('INFO', clock)]);
  expect(outcome).toMatchObject({ position: { seq: expect.any(Number) } });
  expect((outcome as { position: { seq: number } }).position.seq).toBeGreaterThan(last);
});

test('a log of very many batches is purged as any', async () => {
  const { clock, log, retention, database } = await testRetention();
  await database.sql`ALTER SEQUENCE batch_numbers RESTART 3000000`; // ids are beyond 32 bits
  await log([eventOf('DEBUG', clock, 0, { eventId: 'old' })]);
  await log([eventOf('CRITICAL', clock)]);
  clock.advance(20);
  expect(await retention.run({ now: true })).toMatchObject({ error: null });
  expect(await database.sql`SELECT FROM event_ids WHERE event_id = 'old'`).toHaveLength(0);
});

test('an event that is committed while a run purges keeps the guard of its id, whatever its number', async () => {
  const { clock, log, retention, stored, database } = await testRetention();
  const second = await testRetention(database, clock); // whose batches do not wait for the first one's
  const other = connect({ url: database.url }, { name: 'other', max: 2 });
  onTestFinished(() => other.end());
  const mine = eventOf('INFO', clock, 0, { eventId: 'mine' });
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const holding = other.begin(async (transaction) => {
    await transaction`INSERT INTO event_ids VALUES ('zero', 0)`;
    held.resolve();
    await released.promise;
    throw new Error('nothing of it stays');
  });
  holding.catch(() => {});
  await held.promise;
  const logging = log([mine, eventOf('INFO', clock, 0, { eventId: 'zero' })]);
  while (!(await isWaiting(other, 'WITH batch AS'))) await sleep(20);
  await second.log([eventOf('INFO', clock)]);
  const run = await database.sql.begin(async (transaction) => {
    await transaction`LOCK TABLE search_names IN SHARE MODE`;
    const running = retention.run({ now: true });
    while (!(await isWaiting(other, 'DELETE FROM search_names'))) await sleep(20);
    released.resolve();
    expect(outcomesOf(await logging)).toEqual(['STORED', 'STORED']);
    return { running };
  });
  expect(await run.running).toMatchObject({ error: null });
  expect(outcomesOf(await log([mine]))).toEqual(['DUPLICATE']);
  expect((await stored()).filter(({ eventId }) => eventId === 'mine')).toHaveLength(1);
});

test('what was kept stays in few partitions, however many it came from', async () => {
  const { clock, log, retention, database } = await testRetention();
  const kept: Severity[] = ['DEBUG', 'INFO'];
  await retention.placeHold({ name: 'case 7', reason: 'a dispute', filter: { username: ['guru07'] } }, 'test'); // oxfmt-ignore
  for (let days = 0; days < 60; days += 2) {
    await log(kept.flatMap((severity) => [eventOf(severity, clock, 0, { username: 'guru07' }), eventOf(severity, clock)])); // oxfmt-ignore
    clock.advance(2);
    await retention.run({ now: true });
  }
  const names = await database.sql<
    { name: string }[]
  >`SELECT name FROM event_partitions WHERE name LIKE '%kept%'`;
  expect(names).toHaveLength(2);
  const [{ held }] = await database.sql<
    [{ held: number }]
  >`SELECT count(*) AS held FROM events WHERE username = 'guru07'`;
  expect(held).toBe(60);
}, 120_000);

test('an event that comes between two partitions as they are joined stays, and they are looked at again', async () => {
  const { clock, log, retention, database } = await testRetention();
  await retention.setRule('DATA-004', 1_460, 'ani');
  const keep = async (daysAgo: number) =>
    expect(outcomesOf(await log([eventOf('DEBUG', clock, daysAgo, { code: 'DATA-004' })]))).not.toContain('REJECTED'); // oxfmt-ignore
  await keep(0);
  clock.advance(30);
  await keep(0);
  const [{ joined }] = await database.sql<[{ joined: string }]>`
    SELECT tableoid::regclass::text AS joined FROM events ORDER BY timestamp DESC LIMIT 1`;
  clock.advance(8); // all before it goes
  expect(await retention.run({ now: true })).toMatchObject({ kept: 1 });
  clock.advance(22);
  const { release } = await locked(database.sql, joined, 'ACCESS SHARE');
  const running = retention.run({ now: true });
  await vi.waitUntil(() => isWaiting(database.sql, 'replace_event_partitions'), { interval: 5, timeout: 20_000 }); // oxfmt-ignore
  await keep(45);
  await release();
  expect(await running).toMatchObject({ error: null, postponed: 0, kept: 1 });
  expect(await database.sql`SELECT FROM events WHERE code = 'DATA-004'`).toHaveLength(3);
}, 120_000);
