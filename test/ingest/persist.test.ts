// Storing a batch through whatever comes between: an answer that was lost, a partition that is missing, no database at all.

import { randomUUID } from 'node:crypto';
import { type AddressInfo, type Socket, createConnection, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Sql, connect } from '../../src/database/connection.ts';
import { createPulse } from '../../src/database/pulse.ts';
import { type Prepared, complete, isRejection } from '../../src/events/complete.ts';
import { type Batch, append } from '../../src/ingest/append.ts';
import { createPersist } from '../../src/ingest/persist.ts';
import { createLogger } from '../../src/logger.ts';
import { locked, testDatabase } from '../support/database.ts';
import { ADMIN_KEY, type TestServer, testServer } from '../support/server.ts';

const event = (said: object = {}): Prepared => {
  const result = complete({ code: 'AUTH-001', ...said }, new Date());
  if (isRejection(result)) throw new Error(result.reason);
  return result;
};
const batchOf = (...events: Prepared[]): Batch => ({
  key: randomUUID(),
  events,
  owners: events.map(() => 'test'),
});
const countOf = async (sql: Sql, table: 'events' | 'batches' | 'event_ids'): Promise<number> => {
  const [row] = await sql.unsafe<[{ count: number }]>(`SELECT count(*) FROM ${table}`);
  return row.count;
};
const lost = Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED' });

/** The same database, but the first `times` statements that append fail with `error`, after they ran or instead of it. */
const failing = (
  sql: Sql,
  { times = 1, error = lost, ran = true }: { times?: number; error?: unknown; ran?: boolean } = {},
): Sql => {
  let left = times;
  return new Proxy(sql, {
    get: (target, name) =>
      name === 'unsafe'
        ? async (...args: Parameters<Sql['unsafe']>) => {
            if (left-- <= 0) return target.unsafe(...args);
            if (ran) await target.unsafe(...args);
            throw error;
          }
        : Reflect.get(target, name),
  });
};

test('a try of which nothing is heard is UNAVAILABLE after a while, and the next one is not kept from its way', async () => {
  const { sql } = await testDatabase();
  const { release } = await locked(sql, 'events');
  const persist = createPersist(sql, undefined, 300);
  const batch = batchOf(event({ eventId: 'late' }));
  await expect(persist(batch)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await release();
  await persist(batchOf(event({ eventId: 'late' })));
  await sleep(200); // the first is through as well
  expect(await countOf(sql, 'events')).toBe(1);
});

test('B4: a batch that was committed without our hearing of it is found by its key, and not stored twice', async () => {
  const { sql } = await testDatabase();
  for (const events of [
    [event(), event(), event()], // ids of the server's
    [event({ eventId: 'a' }), event({ eventId: 'b' })],
    [event({ eventId: 'a' }), event({ eventId: 'c' }), event({ eventId: 'c' }), event()], // two of them taken
  ]) {
    const before = await countOf(sql, 'events');
    const batch = batchOf(...events);
    const appended = await createPersist(failing(sql))(batch);
    const [row] = await sql`SELECT seq, number, size FROM batches WHERE key = ${batch.key}`;
    expect(row).toEqual({
      seq: appended.seq,
      number: appended.number,
      size: events.length - appended.taken.length,
    });
    expect(await countOf(sql, 'events')).toBe(before + events.length - appended.taken.length);
    const stored =
      await sql`SELECT event_id, created_at FROM events WHERE id / 1024 = ${appended.number} ORDER BY id`;
    expect(stored.map((each) => each['event_id'])).toEqual(
      events
        .filter((_, place) => !appended.taken.includes(place))
        .map(({ draft }) => draft.eventId),
    );
    expect(new Set(stored.map((each) => each['created_at']))).toEqual(
      new Set([appended.createdAt]),
    );
  }
});

test('B4: what is found again is what would have been answered', async () => {
  const { sql } = await testDatabase();
  await append(sql, batchOf(event({ eventId: 'taken' })));
  const batch = batchOf(
    event(),
    event({ eventId: 'taken' }),
    event({ eventId: 'twice' }),
    event({ eventId: 'twice' }),
  );
  const answered = await append(sql, batch);
  expect(answered.taken).toEqual([1, 3]);
  expect(await createPersist(failing(sql, { ran: false }))(batch)).toEqual(answered);
});

test('B4: a try with a key that is committed already never stores a second time', async () => {
  const { sql } = await testDatabase();
  const batch = batchOf(event(), event());
  const first = await createPersist(sql)(batch);
  expect(await createPersist(sql)(batch)).toEqual(first);
  expect(await countOf(sql, 'events')).toBe(2);
  expect(await countOf(sql, 'batches')).toBe(1);
});

test('B4: a batch of duplicates alone, tried again, is duplicates still', async () => {
  const { sql } = await testDatabase();
  await append(sql, batchOf(event({ eventId: 'a' })));
  expect(await createPersist(failing(sql))(batchOf(event({ eventId: 'a' })))).toMatchObject({
    seq: null,
    taken: [0],
  });
  expect(await countOf(sql, 'events')).toBe(1);
});

test('B1: what passes is tried again, once and more', async () => {
  const { sql } = await testDatabase();
  for (const code of [
    '40001',
    '40P01',
    '55P03',
    '57014',
    '57P01',
    '53300',
    '08006',
    'ECONNRESET',
    'CONNECT_TIMEOUT',
  ]) {
    const error = Object.assign(new Error(code), { code });
    const batch = batchOf(event());
    expect(
      (await createPersist(failing(sql, { times: 3, error, ran: false }))(batch)).taken,
    ).toEqual([]);
  }
  expect(await countOf(sql, 'events')).toBe(9);
});

test('what does not pass is not tried again', async () => {
  const { sql } = await testDatabase();
  for (const code of ['22P05', '42P01', 'UNDEFINED_VALUE']) {
    const error = Object.assign(new Error(code), { code });
    await expect(createPersist(failing(sql, { error, ran: false }))(batchOf(event()))).rejects.toBe(
      error,
    );
  }
  expect(await countOf(sql, 'events')).toBe(0);
});

test('I6: a statement that fails leaves nothing behind: neither a row, nor a claimed id, nor a batch', async () => {
  const { sql } = await testDatabase();
  const bad = event({ eventId: 'bad' });
  const broken = { ...bad, draft: { ...bad.draft, httpMethod: 'longer than the column' } };
  await expect(
    createPersist(sql)(batchOf(event({ eventId: 'good' }), broken)),
  ).rejects.toMatchObject({
    code: '22001',
  });
  for (const table of ['events', 'batches', 'event_ids'] as const)
    expect(await countOf(sql, table)).toBe(0);
  expect((await createPersist(sql)(batchOf(event({ eventId: 'good' })))).taken).toEqual([]);
});

test('I6: batches with the same ids in opposite orders wait for each other, and never deadlock', async () => {
  const { sql } = await testDatabase();
  for (let round = 0; round < 10; round++) {
    const events = Array.from({ length: 500 }, (_, index) =>
      event({ eventId: `${round}-${index}` }),
    );
    // Not through persist, which would try again what was chosen as the victim.
    const appended = await Promise.all(
      [events, events.toReversed(), events].map((each) => append(sql, batchOf(...each))),
    );
    expect(appended.reduce((sum, { taken }) => sum + taken.length, 0)).toBe(1000);
  }
  expect(await countOf(sql, 'events')).toBe(5000);
});

test('A8: a missing partition is made on demand, the event is stored, and an alarm is raised', async () => {
  const said: string[] = [];
  const logger = createLogger('warn', { write: (line) => void said.push(line) });
  const server = await testServer(undefined, {}, logger);
  const timestamp = new Date(Date.now() - 20 * 86_400_000).toISOString();
  const partitionOf = async (): Promise<string | undefined> => {
    const [row] = await server.database.sql<
      { name: string }[]
    >`SELECT tableoid::regclass::text AS name FROM events WHERE "timestamp" = ${timestamp}`;
    return row?.name;
  };
  const log = (eventId: string) => server.rest({ code: 'AUTH-001', event_id: eventId, timestamp });
  expect((await log('before')).status).toBe(201);
  const name = await partitionOf();
  expect(name).toMatch(/^events_info_\d{8}$/);
  await server.database.sql.unsafe(`DROP TABLE ${name}`);
  expect(said).toEqual([]);
  expect((await log('after')).status).toBe(201);
  expect(await partitionOf()).toBe(name);
  const [{ msg, partitions }] = said.map((line) => JSON.parse(line)) as [any];
  expect(msg).toContain('missing');
  expect(partitions).toMatchObject([{ severity: 'INFO', starts: expect.any(String) }]);
  expect(partitions[0].starts <= timestamp && timestamp < partitions[0].ends).toBe(true);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('\njejak_partitions_missing_total 1\n');
});

test('a partition that is not there because its severity is kept longer than the document says raises no alarm', async () => {
  const said: string[] = [];
  const logger = createLogger('warn', { write: (line) => void said.push(line) });
  const server = await testServer(undefined, {}, logger);
  await server.graphql('mutation { setRetention(severity: INFO, days: 300) { days } }');
  const timestamp = new Date(Date.now() - 200 * 86_400_000).toISOString();
  expect((await server.rest({ code: 'AUTH-001', timestamp })).status).toBe(201);
  expect(said).toEqual([]);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('\njejak_partitions_missing_total 0\n');
});

test('A8: with every partition gone, events of every severity are stored at once', async () => {
  const server = await testServer();
  const partitions = await server.database.sql<{ name: string }[]>`
    SELECT relid::text AS name FROM pg_partition_tree('events') WHERE isleaf`;
  await server.database.sql.unsafe(`DROP TABLE ${partitions.map(({ name }) => name).join(', ')}`);
  const answers = await Promise.all(
    ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'].map((severity) =>
      server.rest({ event_category: 'AUTH', event_type: 'T', event_name: 'N', severity }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
});

test('B1: with nobody listening at the address, UNAVAILABLE comes within 2 s', async () => {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => void probe.close(resolve));
  const [error, ms] = await refusalOf(`postgres://x:x@127.0.0.1:${port}/x`);
  expect(error).toMatchObject(away);
  expect(ms).toBeLessThan(2_000);
});

test('A3: with a database that accepts and never answers, UNAVAILABLE comes within 2 s', async () => {
  const silent = createServer((socket) => void socket.on('error', () => {}));
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as AddressInfo;
  const [error, ms] = await refusalOf(`postgres://x:x@127.0.0.1:${port}/x`);
  expect(error).toMatchObject(away);
  expect(ms).toBeLessThan(2_000);
});

const away = {
  code: 'UNAVAILABLE',
  message: expect.stringContaining('same `eventId`'),
  retryAfterMs: expect.any(Number),
};
/** What a batch is answered with the database at that address, and after how long. */
const refusalOf = async (url: string): Promise<[error: unknown, ms: number]> => {
  const sql = connect({ url }, { name: 'test', max: 1 });
  onTestFinished(() => sql.end({ timeout: 0 }));
  using pulse = createPulse(sql, sql.renew);
  const started = performance.now();
  const error = await pulse
    .guard(() => createPersist(sql)(batchOf(event())))
    .catch((reason: unknown) => reason);
  return [error, performance.now() - started];
};

/** A server whose way to the database can be cut off, or fall silent, and be mended. */
const serverBehindProxy = async () => {
  const database = await testDatabase();
  const { hostname, port, pathname, username, password } = new URL(database.url);
  const open = new Set<Socket>();
  let state: 'through' | 'cut' | 'silent' = 'through';
  const proxy = createServer((near) => {
    const far = createConnection(`${decodeURIComponent(hostname)}/.s.PGSQL.${port}`);
    if (state === 'cut') near.destroy();
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('data', (bytes) => void (state === 'through' && other.write(bytes)));
      one.on('error', () => other.destroy());
      one.on('close', () => void (other.destroy(), open.delete(one)));
    }
  });
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
  const through = `postgres://${username}:${password}@127.0.0.1:${(proxy.address() as AddressInfo).port}${pathname}`;
  const server = await testServer({ ...database, url: through });
  const turn = (next: typeof state): void => {
    state = next;
    if (next !== 'silent') for (const socket of open) socket.destroy(); // what was swallowed cannot be taken up again
  };
  onTestFinished(() => {
    turn('through');
    proxy.close();
  });
  return { server, database, turn };
};

const KNOWN = '{ events { totalCount } }';
const ask = ({ url }: TestServer, query: string): Promise<Response> =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ query }),
  });

for (const [row, fault] of [
  ['B1', 'cut'],
  ['A3', 'silent'],
] as const)
  test(`${row}: with the way to the database ${fault}, callers hear UNAVAILABLE within 2 s, and are served again without a restart`, async () => {
    const { server, database, turn } = await serverBehindProxy();
    expect((await server.rest({ code: 'AUTH-001', event_id: 'before' })).status).toBe(201);
    expect((await ask(server, KNOWN)).status).toBe(200);
    turn(fault);
    for (let attempt = 0; attempt < 2; attempt++) {
      const started = performance.now();
      const answers = await Promise.all(
        ['before', 'away', 'away'].map((event_id) => server.rest({ code: 'AUTH-001', event_id })),
      );
      expect(performance.now() - started).toBeLessThan(2_000);
      for (const answer of answers)
        expect(answer).toMatchObject({
          status: 503,
          body: {
            error: {
              code: 'UNAVAILABLE',
              message: expect.stringContaining('same `event_id`'),
              retryAfterMs: expect.any(Number),
            },
          },
        });
      // The full stack, then the lean lane.
      const asked = ['{ events { totalCount } } ', KNOWN].map((query) => ask(server, query));
      for (const { status, headers } of [...answers, ...(await Promise.all(asked))])
        expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    }
    turn('through');
    const again = async () => (await server.rest({ code: 'AUTH-001', event_id: 'away' })).status;
    await expect.poll(again, { timeout: 10_000, interval: 100 }).toBeLessThan(300);
    expect(await database.sql`SELECT FROM events WHERE event_id = 'away'`).toHaveLength(1);
  });

test('B4: an answer that is lost on its way from the database neither loses nor doubles an event', async () => {
  const { server, database, turn } = await serverBehindProxy();
  await server.rest({ code: 'AUTH-001' });
  turn('silent'); // from here on nothing passes; then the connections break
  const answers = ['a', 'b', 'c'].map((username) => server.rest({ code: 'AUTH-001', username }));
  await sleep(300);
  turn('through');
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(await countOf(database.sql, 'events')).toBe(4);
});
