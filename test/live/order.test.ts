// The order of the log under contention, judged by the checker, and the proof that the checker can tell: against batches
// numbered by a plain sequence, which is the log without its commit ticket, it must report loss.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Sql, connect } from '../../src/database/connection.ts';
import { BATCH_SPAN, eventColumns } from '../../src/database/schema.ts';
import { type Prepared, complete } from '../../src/events/complete.ts';
import type { Event } from '../../src/events/fields.ts';
import { append } from '../../src/ingest/append.ts';
import { formatCursor } from '../../src/live/cursor.ts';
import { createDoorbell } from '../../src/live/doorbell.ts';
import { createFollow } from '../../src/live/follow.ts';
import { type Want, createGroups } from '../../src/live/groups.ts';
import { createReader } from '../../src/live/reader.ts';
import { createLogger } from '../../src/logger.ts';
import { createMetrics } from '../../src/metrics.ts';
import { type Acknowledged, FAULTLESS, type Seen, check } from '../support/checker.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { createRandom, generateEvents } from '../support/generate.ts';
import { type TestServer, testServer } from '../support/server.ts';

const compared = [
  'id',
  'eventId',
  'code',
  'severity',
  'username',
  'timestamp',
  'metadata',
] as const;
const selection = `cursor event { ${compared.join(' ')} }`;
const logOne = `mutation($input: LogEventInput!) { logEvent(input: $input) { ${selection} } }`;
const logMany = `mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { ${selection} } } }`;
const subscription = `subscription { eventLogged(after: "earliest") { ${selection} } }`;

const WRITERS = 8;
const EVENTS_EACH = 6_250;

test('8 concurrent writers, 50,000 events: every subscriber from the beginning has each event once, in one order', async () => {
  const server = await testServer();
  await using early = server.subscribe<{ eventLogged: Seen }>(subscription);
  const acknowledged: Acknowledged[] = [];
  const writing = Promise.all(
    Array.from({ length: WRITERS }, (_, writer) => write(server, writer, acknowledged)),
  );

  // Another instance's reader joins in the middle, by when the beginning is in the table only.
  while (acknowledged.length < (WRITERS * EVENTS_EACH) / 2) await sleep(20);
  const late = followElsewhere(server.database, WRITERS * EVENTS_EACH);

  await writing;
  expect(acknowledged).toHaveLength(WRITERS * EVENTS_EACH);
  const delivered: Seen[] = [];
  while (delivered.length < acknowledged.length) delivered.push((await early.next()).eventLogged);
  expect(check(acknowledged, delivered)).toEqual(FAULTLESS);
  expect(check(acknowledged, await late)).toEqual(FAULTLESS);
  await sleep(300); // a poll later there is still nothing more
  expect(early.waiting()).toEqual([]);
}, 240_000);

/** Logs in calls of any size, every third of them a single event. */
const write = async (
  server: TestServer,
  seed: number,
  acknowledged: Acknowledged[],
): Promise<void> => {
  const random = createRandom(seed);
  const source = generateEvents({ seed, count: EVENTS_EACH, now: new Date(), spanMs: 3_600_000 });
  for (let left = EVENTS_EACH; left > 0;) {
    const size = random.chance(1 / 3) ? 1 : Math.min(left, 1 + random.below(250));
    left -= size;
    const input = Array.from({ length: size }, () => source.next().value!);
    const sent = performance.now();
    const { data } = await (size === 1
      ? server.graphql(logOne, { input: input[0] })
      : server.graphql(logMany, { input }));
    const answered = performance.now();
    const results: Seen[] = data!.logEvents?.results ?? [data!.logEvent];
    acknowledged.push(...results.map((seen) => ({ ...seen, sent, answered })));
  }
};

type Logged = { readonly event: Event; readonly cursor: string };
const everything: Want = {
  key: 'everything',
  wanted: () => true,
  need: {},
  pack: ({ events }) => events.map((placed) => ({ ...placed, cursor: formatCursor(placed) })),
};

/** Follows the log as another server would, with a connection and a reader of its own. */
const followElsewhere = async ({ url }: TestDatabase, count: number): Promise<Seen[]> => {
  const sql = connect({ url }, { name: 'elsewhere', max: 3 });
  const delivered: Seen[] = [];
  {
    const logger = createLogger('silent');
    using doorbell = createDoorbell(
      sql,
      () => connect({ url }, { name: 'listen', max: 1 }),
      logger,
    );
    const metrics = createMetrics();
    await using reader = createReader(sql, doorbell, logger, metrics);
    using groups = createGroups(reader, metrics);
    for await (const payloads of createFollow(
      sql,
      reader,
      groups,
      metrics,
    )(everything, 'earliest')) {
      for (const { event, cursor } of payloads as Logged[]) {
        const part = Object.fromEntries(compared.map((name) => [name, event[name]]));
        delivered.push({
          cursor,
          event: { ...part, id: String(event.id), eventId: event.eventId },
        });
      }
      if (delivered.length === count) break;
    }
  }
  await sql.end();
  return delivered;
};

// The negative control. Every other transaction is held open between its number and its commit, so that the next number
// is visible first wherever the commits are not made to wait for each other. The reader believes its last number.

const BATCHES_EACH = 12;

test('with the commit ticket, a reader that believes the last number loses nothing', async () => {
  const { acknowledged, delivered } = await race(await testDatabase());
  expect(check(acknowledged, delivered)).toEqual(FAULTLESS);
});

test('without the commit ticket the same reader loses events, and the checker reports it', async () => {
  const database = await testDatabase();
  await removeTicket(database.sql);
  const { acknowledged, delivered } = await race(database);
  const { lost, unacknowledged, altered } = check(acknowledged, delivered);
  expect(lost.length).toBeGreaterThan(0);
  expect(lost.length + delivered.length).toBe(acknowledged.length);
  expect([...unacknowledged, ...altered]).toEqual([]);
});

test('the checker names what is lost, doubled, altered, reordered and unacknowledged', () => {
  const key = randomUUID();
  const seen = (place: number, eventId: string, name = eventId): Seen => ({
    cursor: formatCursor({ seq: 1, place, key }),
    event: { eventId, name },
  });
  const acknowledged = ['a', 'b', 'c', 'd'].map((eventId, place) => seen(place, eventId));
  const [a, b, c, d] = acknowledged as [Seen, Seen, Seen, Seen];
  expect(check(acknowledged, [a, b, c, d])).toEqual(FAULTLESS);
  expect(check(acknowledged, [a, c, d])).toEqual({ ...FAULTLESS, lost: ['b'] });
  expect(check(acknowledged, [a, b, b, c, d])).toEqual({ ...FAULTLESS, doubled: ['b'] });
  expect(check(acknowledged, [a, c, b, d])).toEqual({ ...FAULTLESS, reordered: ['b'] });
  expect(check(acknowledged, [a, b, c, seen(3, 'd', 'D')])).toEqual({
    ...FAULTLESS,
    altered: ['d'],
  });
  expect(check(acknowledged, [a, b, c, d, seen(4, 'e')])).toEqual({
    ...FAULTLESS,
    unacknowledged: ['e'],
  });
  const timed = [
    { ...a, sent: 5, answered: 6 },
    { ...b, sent: 1, answered: 2 },
  ];
  expect(check(timed, [a, b])).toEqual({ ...FAULTLESS, reordered: ['b'] });
});

const removeTicket = (sql: Sql): Promise<unknown> =>
  sql.unsafe(`
    CREATE SEQUENCE plain_numbers;
    CREATE OR REPLACE FUNCTION take_ticket(of_number bigint, of_key uuid, of_size bigint, of_severities integer,
      of_categories integer, of_earliest timestamptz, of_latest timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
      plain bigint := nextval('plain_numbers');
    BEGIN
      INSERT INTO batches (seq, number, key, size, severities, categories, earliest, latest)
      VALUES (plain, of_number, of_key, of_size, of_severities, of_categories, of_earliest, of_latest);
      RETURN plain;
    END $$`);

const holdEveryOtherOpen = (sql: Sql): Promise<unknown> =>
  sql.unsafe(`
    CREATE FUNCTION hold_open() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_sleep(0.02 * (NEW.seq % 2) + 0.005 * random());
      RETURN NULL;
    END $$;
    CREATE TRIGGER hold_open AFTER INSERT ON batches FOR EACH ROW EXECUTE FUNCTION hold_open()`);

/** Writers against a reader that asks for `seq > last` again and again. */
const race = async ({
  url,
  sql,
}: TestDatabase): Promise<{ acknowledged: Acknowledged[]; delivered: Seen[] }> => {
  await holdEveryOtherOpen(sql);
  const writers = connect({ url }, { name: 'writers', max: WRITERS });
  const acknowledged: Acknowledged[] = [];
  let writing = true;
  const written = Promise.all(
    Array.from({ length: WRITERS }, async (_, seed) => {
      for (let batch = 0; batch < BATCHES_EACH; batch++)
        acknowledged.push(...(await appendSome(writers, seed * BATCHES_EACH + batch)));
    }),
  ).finally(() => (writing = false));

  const delivered: Seen[] = [];
  let last = 0;
  for (let again = true; again;) {
    again = writing; // what was committed before the last look is seen by it
    const rows = await sql.unsafe<(Event & { seq: number; key: string })[]>(
      `SELECT ${eventColumns}, seq, key FROM events JOIN batches ON number = id / ${BATCH_SPAN}
       WHERE seq > $1 ORDER BY seq, id`,
      [last],
    );
    for (const { seq, key, ...event } of rows) delivered.push(seenAt({ seq, key }, event));
    last = rows.at(-1)?.seq ?? last;
  }
  await written;
  await writers.end();
  return { acknowledged, delivered };
};

const appendSome = async (sql: Sql, seed: number): Promise<Acknowledged[]> => {
  const now = new Date();
  const events = generateEvents({ seed, count: 3, now, spanMs: 60_000 })
    .map((input) => complete(input, now) as Prepared)
    .toArray();
  const sent = performance.now();
  const { seq, key, number } = await append(sql, { key: randomUUID(), events, owners: [] });
  const answered = performance.now();
  return events.map(({ draft }, place) => ({
    ...seenAt({ seq: seq!, key }, { ...draft, id: number * BATCH_SPAN + place }),
    sent,
    answered,
  }));
};

const seenAt = (
  batch: { seq: number; key: string },
  {
    id,
    eventId,
    name,
    username,
    timestamp,
  }: Pick<Event, 'id' | 'eventId' | 'name' | 'username' | 'timestamp'>,
): Seen => ({
  cursor: formatCursor({ ...batch, place: id % BATCH_SPAN }),
  event: { id, eventId, name, username, timestamp },
});
