// What hangs in the database, as behind a lock or on a standby that is gone, keeps only its own kind of work waiting.

import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Sql } from '../../src/database/connection.ts';
import { temporaryDirectory, startProgram } from '../support/process.ts';
import { locked, testDatabase } from '../support/database.ts';
import { ADMIN_KEY, type TestServer, testServer } from '../support/server.ts';

/** Has every statement that inserts there take as long, whatever its lock_timeout. */
const slow = (sql: Sql, table: string, seconds: number): Promise<unknown> =>
  sql.unsafe(`
    CREATE FUNCTION rest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(${seconds}); RETURN NULL; END $$;
    CREATE TRIGGER rest AFTER INSERT OR UPDATE ON ${table} EXECUTE FUNCTION rest()`);

const createKey = async (server: TestServer): Promise<string> => {
  const made = await server.graphql(
    'mutation { createApiKey(name: "k", scopes: [EVENTS_WRITE, EVENTS_READ]) { key } }',
  );
  return made.data.createApiKey.key;
};

const timed = async <T>(work: Promise<T>): Promise<{ result: T; ms: number }> => {
  const begun = performance.now();
  const result = await work;
  return { result, ms: performance.now() - begun };
};

const EVENT = { event_category: 'SYSTEM', event_type: 'T', event_name: 'n', action: 'X', status: 'SUCCESS' }; // oxfmt-ignore
const READ = '{ events(first: 1) { edges { node { id } } } }';

test.each([
  ['a lock', (sql: Sql) => locked(sql, 'event_ids')],
  ['a commit that does not end', async (sql: Sql) => { await slow(sql, 'event_ids', 15); await slowKeys(sql); return { release: () => sql`DROP TRIGGER rest ON event_ids` }; }], // oxfmt-ignore
] as const)(
  'behind %s writers hear UNAVAILABLE, and who reads with a key that is new to the server reads at once',
  async (_name, block) => {
    const server = await testServer();
    const keys = await Promise.all(Array.from({ length: 6 }, () => createKey(server)));
    const { release } = await block(server.database.sql);
    const writing = Array.from({ length: 20 }, (_, index) =>
      timed(server.rest({ ...EVENT, event_id: `id-${index}` })),
    );
    for (const key of keys) {
      await sleep(200);
      const { result, ms } = await timed(server.graphql(READ, {}, key));
      expect(result.errors).toBeUndefined();
      expect(ms).toBeLessThan(1_500);
    }
    for (const { result, ms } of await Promise.all(writing)) {
      expect(result).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
      expect(ms).toBeLessThan(14_000);
    }
    await release();
    await expect
      .poll(async () => (await server.rest({ ...EVENT, event_id: 'id-0' })).body.outcome, {
        timeout: 30_000,
      }) // oxfmt-ignore
      .toMatch(/STORED|DUPLICATE/);
  },
);

const slowKeys = (sql: Sql): Promise<unknown> =>
  sql.unsafe('CREATE TRIGGER rest AFTER UPDATE ON api_keys EXECUTE FUNCTION rest()');

test('while keys cannot be written to, as while they are indexed, events are logged and read', async () => {
  const server = await testServer();
  const keys = await Promise.all(Array.from({ length: 12 }, () => createKey(server)));
  const { release } = await locked(server.database.sql, 'api_keys', 'SHARE');
  for (let times = 0; times < 3; times++)
    await Promise.all(
      keys.map(async (key) => {
        expect((await timed(server.graphql(READ, {}, key))).ms).toBeLessThan(1_500);
        expect((await timed(server.rest(EVENT, key))).ms).toBeLessThan(1_500);
      }),
    );
  await release();
});

test('while keys cannot be looked up, everybody hears so in time, and is served right after', async () => {
  const server = await testServer();
  const keys = await Promise.all(Array.from({ length: 40 }, () => createKey(server)));
  const { release } = await locked(server.database.sql, 'api_keys');
  const asked = keys.map((key, index) => sleep(index * 100).then(() => timed(server.rest(EVENT, key)))); // oxfmt-ignore
  for (const { result, ms } of await Promise.all(asked)) {
    expect(result).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
    expect(ms).toBeLessThan(3_500);
  }
  await release();
  await sleep(600);
  for (const key of keys) expect(await server.rest(EVENT, key)).toMatchObject({ status: 201 });
});

test('while the quarantine cannot be written to, what is refused is told so and what is good is stored', async () => {
  const server = await testServer();
  const { sql } = server.database;
  const refuse = async (): Promise<void> => {
    const { result, ms } = await timed(server.rest([{ event_name: 'refused' }]));
    expect(result).toMatchObject({ body: { results: [{ outcome: 'REJECTED' }] } });
    expect(ms).toBeLessThan(4_500);
  };
  const store = async (): Promise<void> => {
    const { result, ms } = await timed(server.rest(EVENT));
    expect(result.status).toBe(201);
    expect(ms).toBeLessThan(1_500);
  };
  const kept = async (): Promise<number> =>
    Number((await sql`SELECT count(*) FROM quarantine`)[0]!['count']);

  const { release } = await locked(sql, 'quarantine');
  const refusing = Array.from({ length: 10 }, async (_, index) => {
    await sleep(index * 500);
    await refuse();
    await store();
  });
  await Promise.all(refusing);
  await release();
  await refuse();
  expect(await kept()).toBe(1);

  await slow(sql, 'quarantine', 6);
  const begun = performance.now();
  await refuse();
  for (let times = 0; times < 5; times++) {
    const { ms } = await timed(refuse());
    expect(ms).toBeLessThan(500); // one still hangs, so that nobody waits for another
    await store();
  }
  await sql`DROP TRIGGER rest ON quarantine`; // waits for what hangs
  expect(performance.now() - begun).toBeGreaterThan(5_000);
  await sleep(200); // the server hears of it
  await refuse();
  expect(await kept()).toBe(3);
});

test('while nothing is counted, subscriptions go on from where they stood', async () => {
  const server = await testServer();
  await server.rest(EVENT);
  const { release } = await locked(server.database.sql, 'rollup_position');
  await sleep(1_500); // it is looked at in between
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      await using subscriber = server.subscribe('subscription { eventLogged(after: "earliest") { event { name } } }'); // oxfmt-ignore
      await subscriber.next(2_000);
    }),
  );
  expect(performance.now() - begun).toBeLessThan(2_000);
  await release();
});

test('one whose questions hang, however many, keeps nobody else from asking, and is told so in time', async () => {
  const server = await testServer(undefined, { JEJAK_QUESTION_TIMEOUT_MS: 6_000 });
  const quiet = await createKey(server);
  await server.rest({ code: 'AUTH-001' });
  const questions = (filter: string) => [
    `events(filter: ${filter}) { edges { node { id } } }`,
    `eventStats(range: { last: "PT1H" }, filter: ${filter}, groupBy: [SEVERITY]) { count }`,
  ];
  const { release } = await locked(server.database.sql, 'search_names');
  const hanging = Array.from({ length: 30 }, (_, index) =>
    questions(`{ search: "budi${index}" }`).map((asked) => timed(server.graphql(`{ ${asked} }`))),
  );
  await sleep(500);
  for (const asked of questions('{ severity: [INFO] }')) {
    const { result, ms } = await timed(server.graphql(`{ ${asked} }`, {}, quiet));
    expect(result.errors).toBeUndefined();
    expect(ms).toBeLessThan(4_000);
  }
  for (const { result, ms } of await Promise.all(hanging.flat())) {
    expect(result.errors?.[0]?.extensions?.code).toMatch(/^(TIMEOUT|OVERLOADED)$/);
    expect(ms).toBeLessThan(16_000);
  }
  await release();
});

test('what was asked by who has left is not asked any more, by whichever door it came', async () => {
  const server = await testServer(undefined, { JEJAK_QUESTION_TIMEOUT_MS: 3_000 });
  const { sql } = server.database;
  const { release } = await locked(sql, 'search_names');
  const searching = (name: string): string =>
    `{ eventStats(range: { last: "PT1H" }, filter: { search: "${name}" }) { count } }`;
  const leaving = new AbortController();
  const credential = { authorization: `Bearer ${ADMIN_KEY}` };
  const call = (path: string, init: RequestInit = {}): void => {
    const { signal } = leaving;
    const headers = { ...credential, accept: 'application/json', 'content-type': 'application/json' }; // oxfmt-ignore
    fetch(server.url + path, { ...init, headers, signal }).catch(() => {});
  };
  const post = (query: string) => call('/graphql', { method: 'POST', body: JSON.stringify({ query }) }); // oxfmt-ignore
  const client = createClient({ url: server.url.replace('http', 'ws') + '/graphql', webSocketImpl: WebSocket, connectionParams: credential, lazy: false }); // oxfmt-ignore
  for (let n = 0; n < 4; n++) post(searching(`first${n}`)); // so many have their turn
  await sleep(500);
  for (let n = 0; n < 4; n++) {
    post(searching(`lean${n}`));
    post(searching('shared'));
    call(`/graphql?query=${encodeURIComponent(searching(`full${n}`))}`);
    call(`/api/export?estimate=yes&filter={"search":"export${n}"}`);
  }
  const over = Array.from({ length: 4 }, (_, n) =>
    client.subscribe({ query: searching(`socket${n}`) }, { next() {}, error() {}, complete() {} }),
  );
  await sleep(500);
  leaving.abort();
  for (const leave of over) leave();
  const result = await server.graphql('{ eventStats(range: { last: "PT1H" }) { count } }');
  expect(result).toEqual({ data: { eventStats: [{ count: 0 }] } });
  const hanging = async (): Promise<number> =>
    (await sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).length; // oxfmt-ignore
  await expect.poll(hanging).toBe(0);
  await release();
  await client.dispose();
});

test('A6: on SIGTERM who waits for what hangs is told UNAVAILABLE, and the process ends', async () => {
  const directory = await temporaryDirectory();
  const { url, sql } = await testDatabase();
  const program = await startProgram({ directory, environment: { DATABASE_URL: url } });
  const { release } = await locked(sql, 'event_ids');
  onTestFinished(release);
  const calls = Array.from({ length: 10 }, (_, index) =>
    program.rest({ ...EVENT, event_id: `id-${index}` }),
  );
  await sleep(500);
  const { result, ms } = await timed(program.stop('SIGTERM'));
  expect(result).toBe(0);
  expect(ms).toBeLessThan(8_500); // docker kills after ten seconds
  for (const call of calls)
    expect(await call).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
});
