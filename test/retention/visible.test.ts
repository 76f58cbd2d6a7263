// What may be seen: the exact boundary of retention on every surface that shows events, whatever still lies on disk.

import { setTimeout as sleep } from 'node:timers/promises';
import { and } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { eventColumns } from '../../src/database/schema.ts';
import { type Event, fieldNames } from '../../src/events/fields.ts';
import { severities, severityNames } from '../../src/events/vocabulary.ts';
import { findPage } from '../../src/query/events.ts';
import { type EventFilter, filterSql, filterTest } from '../../src/query/filter.ts';
import { isWithin, periodsWith } from '../../src/events/retention.ts';
import { documentPolicy } from '../../src/retention/policy.ts';
import { visibleSql } from '../../src/retention/visible.ts';
import { DAY, eventOf, outcomesOf, testRetention } from '../support/retention.ts';
import { testServer } from '../support/server.ts';
import { isWaiting, testDatabase } from '../support/database.ts';

const seenAt = (of: Awaited<ReturnType<typeof testRetention>>, filter: EventFilter = {}) => {
  return async (now: Date) => {
    const where = and(filterSql(filter, now), visibleSql(of.policy.current(), filter, now));
    const page = await findPage(of.database.sql, { columns: fieldNames, where, order: 'OLDEST_FIRST', limit: 200, inverted: false }); // oxfmt-ignore
    return page.events.map(({ eventId }) => eventId);
  };
};

test('R1: an event is seen until the last microsecond of its retention and not one longer, whatever its severity', async () => {
  const here = await testRetention();
  const { clock, log } = here;
  const micros = (digits: string) => clock().toISOString().replace('Z', `${digits}Z`);
  const each = severityNames.flatMap(
    (severity) =>
    ['000', '001', '999'].map((digits) => eventOf(severity, clock, 0, { eventId: `${severity}-${digits}`, timestamp: micros(digits) })), // oxfmt-ignore
  );
  expect(outcomesOf(await log(each))).toEqual(Array(15).fill('STORED'));
  const seen = seenAt(here);
  for (const severity of severityNames) {
    const boundary = clock().getTime() + severities[severity].retentionDays * DAY;
    const left = async (ms: number) =>
      (await seen(new Date(boundary + ms))).filter((id) => id.startsWith(severity));
    expect(await left(-1)).toEqual([`${severity}-000`, `${severity}-001`, `${severity}-999`]);
    expect(await left(0)).toEqual([`${severity}-000`, `${severity}-001`, `${severity}-999`]);
    expect(await left(1)).toEqual([]);
    // Between two milliseconds, as an event in memory is tested.
    for (const digits of ['000', '001', '999']) {
      const event = { severity, code: null, timestamp: micros(digits) };
      expect(isWithin(documentPolicy.periods, event, new Date(boundary))).toBe(true);
      expect(isWithin(documentPolicy.periods, event, new Date(boundary + 1))).toBe(false);
    }
  }
});

test('the condition in SQL and the test in memory agree, under any rules', async () => {
  const here = await testRetention();
  const { clock, log, retention, database } = here;
  const codes = ['AUTH-001', 'AUTH-002', 'DATA-004', 'SEC-002', 'ADMIN-007', 'AUTH-006'];
  for (const days of [0, 1, 6]) await log([...codes.map((code) => ({ code, timestamp: new Date(clock().getTime() - days * DAY).toISOString() })), ...severityNames.map((severity) => eventOf(severity, clock, days))]); // oxfmt-ignore
  await retention.setRule('DATA-004', 400, 'test');
  await retention.setRule('SEC-002', 20, 'test');
  await retention.setRule('INFO', 60, 'test');
  await retention.setRule('WARNING', 15, 'test');
  const all = await database.sql<
    Event[]
  >`SELECT ${database.sql.unsafe(eventColumns)} FROM events ORDER BY timestamp, id`;
  const filters: EventFilter[] = [{}, { category: ['DATA'] }, { category: ['AUTH', 'ADMIN'] }, { code: ['SEC-002'] }, { severity: ['INFO'] }]; // oxfmt-ignore
  for (const days of [0, 1, 7, 8, 15, 16, 20, 30, 31, 60, 61, 180, 365, 366, 394, 400, 401]) {
    const now = new Date(clock().getTime() + days * DAY);
    const within = all.filter((event) => isWithin(here.policy.current().periods, event, now));
    for (const filter of filters) {
      const ids = within.filter(filterTest(filter, now)).map(({ eventId }) => eventId);
      expect({ days, filter, seen: await seenAt(here, filter)(now) }).toEqual({ days, filter, seen: ids }); // oxfmt-ignore
    }
  }
  expect(periodsWith({ 'DATA-004': 400 }).codes.get('ADMIN-007')).toBe(400);
});

test('a question about what is young enough for every severity in it pays nothing', () => {
  const now = new Date();
  expect(visibleSql(documentPolicy, { range: { last: 'P7D' } }, now)).toBeUndefined();
  expect(visibleSql(documentPolicy, { range: { last: 'P8D' } }, now)).toBeDefined();
  expect(visibleSql(documentPolicy, { minSeverity: 'INFO', range: { last: 'P30D' } }, now)).toBeUndefined(); // oxfmt-ignore
  expect(visibleSql(documentPolicy, { minSeverity: 'INFO', range: { last: 'P31D' } }, now)).toBeDefined(); // oxfmt-ignore
  const short = { ...documentPolicy, periods: periodsWith({ 'AUTH-001': 3 }) };
  expect(visibleSql(short, { range: { last: 'P7D' } }, now)).toBeDefined();
  expect(visibleSql(short, { range: { last: 'P3D' } }, now)).toBeUndefined();
  expect(visibleSql(documentPolicy, {}, now)).toBeDefined();
});

test('R1: on every surface an expired event that still lies on disk is as one that is gone', async () => {
  const server = await testServer();
  const { sql } = server.database;
  const old = new Date(Date.now() - 30 * DAY - 3_600_000);
  const young = new Date(Date.now() - 30 * DAY + 3_600_000);
  const log = async (eventId: string, timestamp: Date) => {
    // The order of the log, as it was when this happened.
    const [outcome] = (await server.rest([{ event_category: 'PRED', event_type: 'INDIVIDUAL_PREDICTION', event_name: 'P', action: 'A', status: 'SUCCESS', event_id: eventId, username: 'guru01', endpoint: '/x', processing_time_ms: 5, response_data: { confidence: 50 } }])).body.results ?? []; // oxfmt-ignore
    await sql`UPDATE events SET timestamp = ${timestamp.toISOString()}, created_at = ${timestamp.toISOString()} WHERE event_id = ${eventId}`;
    await sql`UPDATE batches SET earliest = least(earliest, ${timestamp.toISOString()}::timestamptz)`;
    return outcome;
  };
  await sql`SELECT create_event_partition('INFO', ${new Date(Math.floor(old.getTime() / (10 * DAY)) * 10 * DAY).toISOString()}, ${new Date((Math.floor(old.getTime() / (10 * DAY)) + 1) * 10 * DAY).toISOString()})`; // oxfmt-ignore
  await log('old', old);
  await log('young', young);
  expect(await sql`SELECT FROM events`).toHaveLength(2);

  const { data } = await server.graphql(`{
    old: event(eventId: "old") { eventId } young: event(eventId: "young") { eventId }
    events { totalCount edges { node { eventId } } }
    ranged: events(filter: { range: { last: "P60D" } }, order: OLDEST_FIRST) { edges { node { eventId } } }
    userActivity(range: { last: "P60D" }) { eventCount }
    endpointErrorRates(range: { last: "P60D" }, moreThan: 0) { totalRequests }
    modelPerformance(range: { last: "P60D" }) { predictionCount }
    systemPerformance(range: { last: "P60D" }) { requestCount }
  }`);
  expect(data).toMatchObject({
    old: null,
    young: { eventId: 'young' },
    events: { totalCount: 1, edges: [{ node: { eventId: 'young' } }] },
    ranged: { edges: [{ node: { eventId: 'young' } }] },
    userActivity: [{ eventCount: 1 }],
    endpointErrorRates: [{ totalRequests: 1 }],
    systemPerformance: [{ requestCount: 1 }],
  });
  // Roll-ups counted both when they were there; `eventStats` tells what they hold, and says so.
  const predictions = data.modelPerformance.map((row: any) => row.predictionCount);
  expect(predictions.reduce((sum: number, each: number) => sum + each, 0)).toBe(1);

  for (const query of [
    'subscription { eventLogged(after: "earliest") { event { eventId } } }',
    'subscription { eventLogged(after: "earliest", filter: { category: PRED }) { event { eventId } } }',
  ]) {
    await using subscriber = server.subscribe(query);
    expect(await subscriber.next()).toEqual({ eventLogged: { event: { eventId: 'young' } } });
    expect(subscriber.waiting()).toEqual([]);
  }
  const again = (eventId: string) =>
    server.graphql(
      `mutation { logEvent(input: { eventId: "${eventId}", category: PRED, type: "INDIVIDUAL_PREDICTION", name: "P" }) { outcome rejectionCode event { eventId } } }`,
    );
  expect((await again('old')).data.logEvent).toEqual({ outcome: 'REJECTED', rejectionCode: 'EXPIRED', event: null }); // oxfmt-ignore
  expect((await again('young')).data.logEvent).toMatchObject({ outcome: 'DUPLICATE' });

  // What a hold keeps is seen again, by who follows too.
  await server.graphql('mutation { placeHold(name: "case", reason: "r", filter: { endpoint: ["/x"] }) { id } }'); // oxfmt-ignore
  expect((await server.graphql('{ event(eventId: "old") { eventId } }')).data.event).not.toBeNull();
  await using follower = server.subscribe(
    'subscription { eventLogged(after: "earliest", filter: { category: PRED }) { event { eventId } } }',
  );
  expect(await follower.next()).toEqual({ eventLogged: { event: { eventId: 'old' } } });
});

test('a hold that looks at what a replay did not read ends none: it goes on with what the hold keeps', async () => {
  const database = await testDatabase();
  await database.sql`INSERT INTO retention_runs (started_at, finished_at) VALUES (now(), now())`; // none is due
  const server = await testServer(database);
  const timestamp = new Date(Date.now() - 25 * DAY).toISOString();
  const logged = (call: number) => Array.from({ length: 1_000 }, (_, place) => ({ code: 'AUTH-001', username: `${call}`, tags: ['x'], timestamp, eventId: `${call}-${place}` })); // oxfmt-ignore
  for (const call of [1, 2, 3, 4])
    await server.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { outcome } } }', { input: logged(call) }); // oxfmt-ignore
  await server.graphql('mutation { setRetention(severity: INFO, days: 20) { days } }');
  const query = 'subscription($after: String) { eventStream(after: $after, maxBatch: 1000) { events { username } } }'; // oxfmt-ignore
  await using live = server.subscribe(query); // memory reaches back for 2,000 events, the rest is in the table
  await live.next();
  const [{ partition }] = await database.sql<[{ partition: string }]>`
    SELECT tableoid::regclass::text AS partition FROM events WHERE username = '1' LIMIT 1`;
  await using replay = await database.sql.begin(async (transaction) => {
    await transaction`LOCK TABLE ${transaction(partition)} IN ACCESS EXCLUSIVE MODE`;
    const subscriber = server.subscribe(query, { after: 'earliest' });
    await subscriber.next();
    while (!(await isWaiting(database.sql))) await sleep(20);
    await server.graphql('mutation { placeHold(name: "case", reason: "r", filter: { tagsAll: ["x"] }) { id } }'); // oxfmt-ignore
    return subscriber;
  });
  const seen = new Set<string>();
  while (!seen.has('4'))
    for (const { username } of (await replay.next()).eventStream.events) seen.add(username);
  expect([...seen].filter((username) => Number(username) > 1)).toEqual(['2', '3', '4']);
});

test('R1: what a replay read under a longer period is not given to who asks the same under a shorter one', async () => {
  const server = await testServer();
  const log = (username: string, timestamp?: string) =>
    server.graphql('mutation($input: LogEventInput!) { logEvent(input: $input) { outcome } }', { input: { code: 'AUTH-001', username, timestamp } }); // oxfmt-ignore
  await log('old', new Date(Date.now() - 2 * DAY).toISOString());
  await log('young');
  const query = 'subscription { eventLogged(after: "earliest", filter: { code: ["AUTH-001"] }) { event { username } } }'; // oxfmt-ignore
  type Logged = { eventLogged: { event: { username: string } } };
  await using before = server.subscribe<Logged>(query);
  expect((await before.next()).eventLogged.event.username).toBe('old');
  await server.graphql('mutation { setRetention(code: "AUTH-001", days: 1) { days } }');
  await using after = server.subscribe<Logged>(query);
  expect((await after.next()).eventLogged.event.username).toBe('young');
});
