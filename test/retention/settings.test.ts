// What an administrator sets: periods of severities and codes, and holds.

import { expect, test } from 'vitest';
import { ensurePartitions } from '../../src/database/partitions.ts';
import { wholeSince } from '../../src/events/retention.ts';
import type { Category } from '../../src/events/vocabulary.ts';
import { isWaiting } from '../support/database.ts';
import { DAY, eventOf, outcomesOf, testRetention } from '../support/retention.ts';
import { testServer } from '../support/server.ts';

test('V3: what is accepted follows the periods that are set, of a severity and of a code before it', async () => {
  const { clock, log, retention } = await testRetention();
  const daysAgo = (days: number, more: object) => log([eventOf('INFO', clock, days, more)]);
  const grade = { code: 'DATA-004', category: undefined, type: undefined, name: undefined };
  expect(outcomesOf(await daysAgo(40, {}))).toEqual(['REJECTED']);
  await retention.setRule('INFO', 60, 'test');
  await retention.setRule('DATA-004', 1_000, 'test');
  expect(outcomesOf(await daysAgo(40, {}))).toEqual(['STORED']);
  expect(outcomesOf(await daysAgo(60, {}))).toEqual(['STORED']);
  expect(await daysAgo(61, {})).toMatchObject([{ rejection: { code: 'EXPIRED', reason: expect.stringContaining('60 days that INFO') } }]); // oxfmt-ignore
  expect(outcomesOf(await daysAgo(999, grade))).toEqual(['STORED']);
  expect(await daysAgo(1_001, grade)).toMatchObject([{ rejection: { reason: expect.stringContaining('1000 days that DATA-004') } }]); // oxfmt-ignore
  await retention.setRule('INFO', 3, 'test');
  expect(outcomesOf(await daysAgo(4, {}))).toEqual(['REJECTED']);
  await retention.setRule('INFO', null, 'test');
  expect(outcomesOf(await daysAgo(30, {}))).toEqual(['STORED']);
});

test('a code that is kept longer stays when its partition goes, one that is kept shorter goes before', async () => {
  const { clock, log, retention, stored } = await testRetention();
  await retention.setRule('DATA-004', 100, 'test');
  await retention.setRule('DATA-006', 2, 'test');
  const codes = async () => (await stored()).map(({ code }) => code).filter((code) => code?.startsWith('DATA')); // oxfmt-ignore
  await log([{ code: 'DATA-001' }, { code: 'DATA-004' }, { code: 'DATA-006', severity: 'INFO' }]);
  const before = (await stored()).find(({ code }) => code === 'DATA-004');
  clock.advance(2.5);
  await log([{ code: 'DATA-006', severity: 'INFO' }]);
  expect(await retention.run({ now: true })).toMatchObject({ removed: { INFO: 1 } });
  expect(await codes()).toEqual(['DATA-001', 'DATA-004', 'DATA-006']);
  clock.advance(45);
  expect(await retention.run({ now: true })).toMatchObject({ removed: { INFO: 2 }, error: null });
  expect((await stored()).find(({ code }) => code === 'DATA-004')).toEqual(before);
  clock.advance(53);
  await retention.run({ now: true });
  expect(await codes()).toEqual([]);
});

test('a shorter period removes at the next run what has expired, also of severities whose partitions are wide', async () => {
  const { clock, log, retention, stored } = await testRetention();
  const severities = ['WARNING', 'ERROR', 'CRITICAL'] as const;
  const daysAgo = (days: number) => log(severities.map((each) => eventOf(each, clock, days)));
  await daysAgo(17);
  await daysAgo(7);
  await daysAgo(1);
  for (const severity of severities) await retention.setRule(severity, 3, 'test');
  const gone = { WARNING: 2, ERROR: 2, CRITICAL: 2 };
  const planned = (await retention.plan()).partitions.reduce((sum, { events }) => sum + events, 0);
  expect(planned).toBe(6);
  expect(await retention.run({ now: true })).toMatchObject({ removed: gone, error: null });
  expect((await stored()).filter(({ code }) => code !== 'ADMIN-007' && code !== 'ADMIN-005')).toHaveLength(3); // oxfmt-ignore
});

test('a shorter period leaves no partitions to be made and dropped again by each run, or by each start', async () => {
  const { clock, retention, database } = await testRetention();
  await retention.setRule('INFO', 12, 'test');
  await retention.run({ now: true });
  expect(await ensurePartitions(database.sql, clock())).toBe(0);
  expect(await retention.run({ now: true })).toMatchObject({ partitionsMade: 0, partitionsDropped: 0 }); // oxfmt-ignore
});

test('a longer period finds what is not gone yet, and events of any age within it have a home', async () => {
  const { clock, log, retention, stored } = await testRetention();
  await log([eventOf('DEBUG', clock)]);
  clock.advance(20);
  await retention.setRule('DEBUG', 50, 'test');
  await retention.run({ now: true });
  expect((await stored()).filter(({ severity }) => severity === 'DEBUG')).toHaveLength(1);
  const ages = Array.from({ length: 50 }, (_, days) => eventOf('DEBUG', clock, days));
  expect(outcomesOf(await log(ages))).toEqual(Array(50).fill('STORED'));
});

test('a longer period does not bring back what may be gone: since when all is kept stays, until the period has passed', async () => {
  const { clock, policy, retention } = await testRetention();
  const whole = () => wholeSince(policy.current().periods, ['DEBUG'], clock()).getTime();
  const daysAgo = (days: number) => clock().getTime() - days * DAY;
  const before = whole();
  expect(before).toBe(daysAgo(7));
  await retention.setRule('DEBUG', 50, 'test');
  clock.advance(10);
  expect(whole()).toBe(before);
  clock.advance(40);
  expect(whole()).toBe(daysAgo(50));
  await retention.setRule('DEBUG', 3, 'test');
  await retention.setRule('DEBUG', null, 'test');
  expect(whole()).toBe(daysAgo(3));
  await retention.setRule('AUTH-001', 2, 'test');
  await retention.setRule('AUTH-001', null, 'test');
  expect(whole()).toBe(daysAgo(2));
  const ofInfo = (...categories: Category[]) => wholeSince(policy.current().periods, ['INFO'], clock(), categories.length > 0 ? categories : undefined).getTime(); // oxfmt-ignore
  expect(ofInfo()).toBe(daysAgo(2));
  expect(ofInfo('AUTH', 'DATA')).toBe(daysAgo(2));
  expect(ofInfo('DATA')).toBe(daysAgo(30)); // the code is of another category
  expect(Number.isFinite(wholeSince(policy.current().periods, [], clock(), []).getTime())).toBe(true); // oxfmt-ignore
});

test('a longer period that waits for another change counts from when it came in force, for a run may have removed more meanwhile', async () => {
  const { clock, database, policy, retention } = await testRetention();
  const changing = await database.sql.reserve();
  await changing`BEGIN`;
  await changing`SELECT FROM retention_policy FOR UPDATE`;
  const set = retention.setRule('DEBUG', 50, 'test');
  await expect.poll(() => isWaiting(database.sql)).toBe(true);
  clock.advance(1);
  await changing`COMMIT`;
  changing.release();
  await set;
  expect(wholeSince(policy.current().periods, ['DEBUG'], clock())).toEqual(
    new Date(clock().getTime() - 7 * DAY),
  );
});

test('held events survive any drop as they were, and go at the next run after the release', async () => {
  const { clock, log, retention, stored, database } = await testRetention();
  const of = (username: string) =>
    (['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const).map(
      (severity) =>
      eventOf(severity, clock, 0, { username, eventId: `${username}-${severity}`, metadata: { a: 1 } }), // oxfmt-ignore
    );
  await log([...of('guru01'), ...of('guru02')]);
  const whole = () => database.sql`SELECT * FROM events WHERE username = 'guru01' ORDER BY id`;
  const before = [...(await whole())];
  const hold = await retention.placeHold({ name: 'case 12', reason: 'a dispute about a grade', filter: { or: [{ username: ['guru01'] }, { not: { minSeverity: 'DEBUG' } }] } }, 'head'); // oxfmt-ignore
  for (let runs = 0; runs < 6; runs++) {
    clock.advance(100);
    expect(await retention.run({ now: true })).toMatchObject({ error: null, postponed: 0 });
  }
  expect([...(await whole())]).toEqual(before);
  expect((await stored()).filter(({ eventId }) => eventId.startsWith('guru02'))).toEqual([]);
  const [duplicate] = await log(of('guru01').slice(1, 2).map((event) => ({ ...event, timestamp: undefined }))); // oxfmt-ignore
  expect(duplicate).toMatchObject({ outcome: 'DUPLICATE', event: { id: before[1]!['id'] } });

  await retention.releaseHold(hold.id, 'head');
  await retention.run({ now: true });
  expect(await whole()).toHaveLength(0);
  expect(await database.sql`SELECT FROM event_partitions WHERE name LIKE '%kept%' AND severity <> 'INFO'`).toHaveLength(0); // oxfmt-ignore
  const told = await database.sql`
    SELECT action, resource_type, resource_id, metadata ->> 'by' AS by FROM events WHERE code = 'ADMIN-005' ORDER BY id`;
  expect([...told].at(-1)).toEqual({ action: 'RELEASE', resource_type: 'RETENTION_HOLD', resource_id: String(hold.id), by: 'head' }); // oxfmt-ignore
});

test('what was worked out is not acted upon where a rule, a hold or a late event came between', async () => {
  const { clock, log, retention, database } = await testRetention();
  const { sql } = database;
  await log([eventOf('DEBUG', clock, 0, { username: 'guru01' })]);
  const [partition] = await sql<{ name: string; starts: string; ends: string }[]>`
    SELECT name, starts, ends FROM event_partitions
    WHERE name IN (SELECT tableoid::regclass::text FROM events)`;
  const drop = async (policy: number, seen: number) => {
    const [row] = await sql<[{ done: boolean }]>`
      SELECT replace_event_partitions(0, 'DEBUG', ${[partition!.name]}, false, ${partition!.starts}, ${partition!.ends}, ${policy}, ${seen}, 1, 0, 0) AS done`;
    return row.done;
  };
  const version = async () => (await sql<[{ version: number }]>`SELECT version FROM retention_policy`)[0].version; // oxfmt-ignore
  const known = await version();
  await log([eventOf('DEBUG', clock)]);
  expect(await drop(known, 1)).toBe(false);
  await retention.placeHold({ name: 'h', reason: 'r', filter: { username: ['guru01'] } }, 'test');
  expect(await drop(known, 1_000)).toBe(false);
  expect(await sql`SELECT FROM events WHERE severity = 'DEBUG'`).toHaveLength(2);
  expect(await drop(await version(), 1_000)).toBe(true);
});

test('the plan says what the next run then does', async () => {
  const { clock, log, retention } = await testRetention();
  await retention.placeHold({ name: 'h', reason: 'r', filter: { username: ['guru01'] } }, 'test');
  await retention.setRule('AUTH-001', 60, 'test');
  await log([eventOf('INFO', clock, 0, { username: 'guru01' }), eventOf('INFO', clock), { code: 'AUTH-001' }, { code: 'AUTH-004' }]); // oxfmt-ignore
  expect((await retention.plan()).partitions.filter(({ events }) => events > 0)).toEqual([]);
  const then = new Date(clock().getTime() + 50 * 86_400_000);
  const [planned, ...others] = (await retention.plan(then)).partitions.filter(({ events }) => events > 0); // oxfmt-ignore
  expect(others).toEqual([]);
  expect(planned).toMatchObject({ severity: 'INFO', expired: true, events: 2, kept: 2, held: 1 });
  expect(planned!.bytes).toBeGreaterThan(8_000);
  clock.advance(50);
  expect(await retention.run({ now: true })).toMatchObject({ removed: { INFO: 2 }, kept: 2 });
});

test('an administrator does all of it through the API, and it is told in the log', async () => {
  const server = await testServer();
  const ask = async (query: string) => (await server.graphql(query)).data;
  const refusal = async (query: string) => {
    const { errors } = await server.graphql(query);
    return [errors?.[0]?.extensions.code, errors?.[0]?.message];
  };
  expect(
    await ask('mutation { setRetention(code: "DATA-004", days: 730) { code severity days setBy } }'),
  ).toEqual({ setRetention: [{ code: 'DATA-004', severity: null, days: 730, setBy: 'administrator' }] }); // oxfmt-ignore
  await ask('mutation { setRetention(severity: DEBUG, days: 14) { days } }');
  expect(
    await ask('{ severities { severity retentionDays } grade: eventDefinition(code: "DATA-004") { retentionDays } cleanup: eventDefinition(code: "ADMIN-007") { retentionDays } }'), // oxfmt-ignore
  ).toMatchObject({
    severities: [{ retentionDays: 14 }, { retentionDays: 30 }, { retentionDays: 90 }, { retentionDays: 180 }, { retentionDays: 365 }], // oxfmt-ignore
    grade: { retentionDays: 730 },
    cleanup: { retentionDays: 730 },
  });
  await ask('mutation { setRetention(severity: DEBUG, days: null) { days } }');
  expect(await ask('{ retentionRules { code days } }')).toEqual({ retentionRules: [{ code: 'DATA-004', days: 730 }] }); // oxfmt-ignore

  await ask('mutation { logEvent(input: { code: "AUTH-001", username: "guru01" }) { outcome } }');
  const { placeHold } = await ask(
    'mutation { placeHold(name: "case 7", reason: "a dispute", filter: { username: ["guru01"] }) { id filter placedBy releasedAt eventCount } }',
  );
  expect(placeHold).toMatchObject({ filter: { username: ['guru01'] }, placedBy: 'administrator', releasedAt: null, eventCount: 1 }); // oxfmt-ignore
  expect(await refusal('mutation { placeHold(name: "case 7", reason: "r", filter: { username: ["x"] }) { id } }')).toEqual(['BAD_USER_INPUT', expect.stringContaining('release it first')]); // oxfmt-ignore
  expect(await refusal('mutation { placeHold(name: "case 8", reason: "r", filter: {}) { id } }')).toEqual(['BAD_USER_INPUT', expect.stringContaining('at least one key')]); // oxfmt-ignore
  const much = Array.from(
    { length: 200 },
    (_, index) => `"/api/${index}${'x'.repeat(100)}"`,
  ).join();
  expect(await refusal(`mutation { placeHold(name: "case 8", reason: "r", filter: { endpoint: [${much}] }) { id } }`)).toEqual(['BAD_USER_INPUT', expect.stringContaining('place several')]); // oxfmt-ignore
  for (const filter of ['{ or: [] }', '{ code: [] }', '{ severity: [], username: ["x"] }', '{ username: [] }', '{ tagsAny: [] }', '{ ipAddress: [] }', '{ not: {} }', '{ not: { search: "." } }', '{ or: [{ userId: [] }, { and: [{ status: [] }] }] }']) // oxfmt-ignore
    expect(await refusal(`mutation { placeHold(name: "case 8", reason: "r", filter: ${filter}) { id } }`)).toEqual(['BAD_USER_INPUT', expect.stringContaining('would hold nothing')]); // oxfmt-ignore
  expect(await refusal('mutation { placeHold(name: "n", reason: "r", filter: { not: { json: [{ field: REQUEST_DATA, path: "password", equals: "hunter2" }] } }) { id } }')).toEqual(['BAD_USER_INPUT', expect.stringMatching(/`password` is not stored as it is/)]); // oxfmt-ignore
  expect(await refusal('mutation { placeHold(name: " ", reason: "r", filter: { username: ["x"] }) { id } }')).toEqual(['BAD_USER_INPUT', expect.stringContaining('1 to 100')]); // oxfmt-ignore
  expect(await refusal('mutation { placeHold(name: "n", reason: "r", filter: { ipAddress: ["nonsense"] }) { id } }')).toEqual(['BAD_USER_INPUT', expect.stringContaining('CIDR')]); // oxfmt-ignore
  expect(await ask(`mutation { releaseHold(id: "${placeHold.id}") { releasedBy } }`)).toEqual({ releaseHold: { releasedBy: 'administrator' } }); // oxfmt-ignore
  expect(await refusal(`mutation { releaseHold(id: "${placeHold.id}") { id } }`)).toEqual(['BAD_USER_INPUT', expect.stringContaining('no hold')]); // oxfmt-ignore
  expect(await ask('{ holds { id } all: holds(includeReleased: true) { name } }')).toEqual({ holds: [], all: [{ name: 'case 7' }] }); // oxfmt-ignore

  const early = await ask(
    '{ retentionPlan(at: "0001-01-01T00:00:00Z") { at partitions { name } } }',
  ); // before now nothing runs
  expect(early).toEqual({ retentionPlan: { at: expect.stringMatching(/^20/), partitions: [] } });
  for (const [args, why] of [
    ['code: "ADMIN-007", days: 1', 'longest period'],
    ['code: "AUTH-999", days: 1', 'catalog'],
    ['severity: INFO, days: 0', '1 to 36500'],
    ['severity: INFO, code: "AUTH-001", days: 1', 'not both'],
    ['days: 1', 'not both'],
    ['severity: WARNING', 'Say how many'],
  ])
    expect(await refusal(`mutation { setRetention(${args}) { days } }`)).toEqual(['BAD_USER_INPUT', expect.stringContaining(why!)]); // oxfmt-ignore

  expect(await ask('mutation { runRetention { events error finishedAt } }')).toMatchObject({ runRetention: { events: 0, error: null, finishedAt: expect.any(String) } }); // oxfmt-ignore
  expect(await ask('{ retentionRuns(first: 1) { id bySeverity { severity events } } retentionPlan { events } }')).toMatchObject({ retentionRuns: [{ bySeverity: [] }], retentionPlan: { events: 0 } }); // oxfmt-ignore
  const { events } = await ask('{ events(filter: { code: ["ADMIN-005"] }, order: OLDEST_FIRST) { edges { node { action resourceType resourceId metadata } } } }'); // oxfmt-ignore
  expect(events.edges.map(({ node }: any) => [node.action, node.resourceType, node.metadata.by])).toEqual([
    ['UPDATE', 'RETENTION_RULE', 'administrator'],
    ['UPDATE', 'RETENTION_RULE', 'administrator'],
    ['UPDATE', 'RETENTION_RULE', 'administrator'],
    ['HOLD', 'RETENTION_HOLD', 'administrator'],
    ['RELEASE', 'RETENTION_HOLD', 'administrator'],
    ['RUN', 'RETENTION_RUN', 'administrator'],
  ]); // oxfmt-ignore
});
