// The log only grows: by rights where the service has a role of its own, by triggers for whoever owns everything.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sql, connect } from '../../src/database/connection.ts';
import { appendOnly } from '../../src/database/privileges.ts';
import { createLogger } from '../../src/logger.ts';
import { type Service, startService } from '../../src/service.ts';
import { type TestDatabase, createTestDatabase } from '../support/database.ts';
import { type Clients, clientsOf, testConfig, testServer } from '../support/server.ts';

/** What would change or empty the log, with the table it is about. */
const changes = [
  "UPDATE events SET event_name = 'other'",
  'UPDATE events SET updated_at = updated_at',
  'DELETE FROM events',
  'TRUNCATE events CASCADE',
  'DELETE FROM batches',
  'UPDATE batches SET seq = seq + 1',
  'TRUNCATE batches',
  'DELETE FROM event_ids',
  'TRUNCATE event_ids',
  "UPDATE hash_key SET proof = ''",
  'DELETE FROM hash_key',
];
const partitionOf = async (sql: Sql): Promise<string> => {
  const [{ name }] = await sql<[{ name: string }]>`SELECT tableoid::regclass::text AS name FROM events LIMIT 1`; // oxfmt-ignore
  return name;
};

describe('a service with a role of its own', () => {
  const role = `jejak_test_${randomBytes(6).toString('hex')}`;
  let database: TestDatabase;
  let url: string;
  let service: Service;
  let clients: Clients;
  let asService: Sql;
  const start = (more: object = {}) =>
    startService(
      testConfig({ DATABASE_URL: url, JEJAK_MAINTENANCE_DATABASE_URL: database.url, ...more }),
      createLogger('silent'),
    );
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.sql.unsafe(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    url = database.url.replace(/\/\/[^@]*@/, `//${role}:secret@`);
    service = await start();
    clients = clientsOf(service);
    asService = connect({ url }, { name: 'as the service', max: 1, maintenance: true });
    await clients.rest([{ code: 'AUTH-001', event_id: 'one' }, { code: 'SYS-012' }]);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await asService.end();
    await database.sql.unsafe(`DROP OWNED BY ${role}`);
    await database.sql.unsafe(`DROP ROLE ${role}`);
    await database[Symbol.asyncDispose]();
  });

  test.each(changes)('V6: has no right to %s', async (change) => {
    await expect(asService.unsafe(change)).rejects.toMatchObject({
      code: '42501',
      message: expect.stringContaining('permission denied'),
    });
  });

  test('V6: nor to partitions, to drop anything, or to give itself the right', async () => {
    const partition = await partitionOf(asService);
    for (const change of [
      `UPDATE ${partition} SET event_name = 'other'`,
      `DELETE FROM ${partition}`,
      `TRUNCATE ${partition}`,
      `DROP TABLE ${partition}`,
      `INSERT INTO ${partition} SELECT * FROM ${partition}`,
      'DROP TABLE events',
      'ALTER TABLE events DISABLE TRIGGER ALL',
      `GRANT DELETE ON events TO ${role}`,
      'SET ROLE postgres',
    ])
      expect([change, await asService.unsafe(change).then(() => 'done', () => 'refused')]).toEqual([change, change.startsWith('GRANT') ? 'done' : 'refused']); // oxfmt-ignore
    // PostgreSQL only warns where nothing was granted.
    await expect(asService`DELETE FROM events`).rejects.toMatchObject({ code: '42501' });
  });

  test('V6: and can do all it is for: log, ask, follow, make keys and partitions, mend, retain', async () => {
    await using live = clients.subscribe('subscription { eventLogged(after: "earliest") { event { eventId } } }'); // oxfmt-ignore
    expect((await live.next()).eventLogged.event.eventId).toBe('one');
    expect((await clients.rest({ code: 'AUTH-001', event_id: 'one' })).body.outcome).toBe('DUPLICATE'); // oxfmt-ignore
    const { data, errors } = await clients.graphql('mutation { createApiKey(name: "x", scopes: [EVENTS_READ]) { key apiKey { id } } }'); // oxfmt-ignore
    expect(errors).toBeUndefined();
    const { key, apiKey } = data.createApiKey;
    const read = await clients.graphql('{ events { totalCount } userActivity(includeAnonymous: true) { eventCount } eventStats(range: {last: "P1D"}) { count } subjectTrail(resourceType: "A", resourceId: "B") { dealings { eventCount } } }', {}, key); // oxfmt-ignore
    expect(read.errors).toBeUndefined();
    expect((await clients.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { id } }', { id: apiKey.id })).errors).toBeUndefined(); // oxfmt-ignore

    await clients.rest({ event_name: 'Nobody knows' });
    const waiting = await clients.graphql('{ quarantinedEvents { id } }');
    const mended = await clients.graphql('mutation($id: ID!) { replayQuarantined(id: $id, changes: {category: SYSTEM, type: "X"}) { outcome } }', { id: waiting.data.quarantinedEvents[0].id }); // oxfmt-ignore
    expect(mended.data.replayQuarantined.outcome).toBe('REPAIRED');

    const retained = await clients.graphql('mutation { setRetention(severity: DEBUG, days: 3) { days } runRetention { events error } }'); // oxfmt-ignore
    expect(retained.errors).toBeUndefined();
    expect(retained.data.runRetention.error).toBeNull();
    expect((await clients.graphql('{ retentionPlan { events } }')).errors).toBeUndefined();
    const [{ made }] = await asService<[{ made: boolean }]>`SELECT create_event_partition('INFO', '2040-01-01Z', '2040-02-01Z') AS made`; // oxfmt-ignore
    expect(made).toBe(true);
  });

  test('a role that would lose what it acknowledged is refused, though the owner is not like that', async () => {
    await database.sql.unsafe(`ALTER ROLE ${role} SET synchronous_commit = off`);
    await expect(start()).rejects.toThrow('synchronous_commit is off');
    await (await start({ JEJAK_ACCEPT_UNSAFE_DATABASE: 'yes' }))[Symbol.asyncDispose]();
    await database.sql.unsafe(`ALTER ROLE ${role} RESET ALL`);
  });

  test('V6: every table is one that only grows, or state that the service keeps', async () => {
    const rows = await database.sql<{ name: string; may: boolean }[]>`
      SELECT relname AS name, has_table_privilege(${role}, oid, 'UPDATE') AND has_table_privilege(${role}, oid, 'DELETE') AS may
      FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`;
    for (const { name, may } of rows)
      expect([name, may]).toEqual([name, !(appendOnly as readonly string[]).includes(name)]);
  });
});

test('V6: where one role owns everything the triggers refuse it, to people with psql too', async () => {
  const { database, rest } = await testServer();
  await rest({ code: 'AUTH-001', event_id: 'one' });
  const sql = connect({ url: database.url }, { name: 'like psql', max: 1 });
  try {
    const partition = await partitionOf(sql);
    const more = ['UPDATE', 'DELETE FROM', 'TRUNCATE'].map((verb) => `${verb} ${partition}${verb === 'UPDATE' ? ' SET id = id' : ''}`); // oxfmt-ignore
    for (const change of [...changes, ...more, 'TRUNCATE events_info'])
      await expect(sql.unsafe(change), change).rejects.toMatchObject({
        code: '42501',
        message: expect.stringContaining('append-only'),
      });
    const [row] = await sql`SELECT event_name, updated_at = created_at AS same FROM events`;
    expect(row).toEqual({ event_name: 'User Login Success', same: true });
  } finally {
    await sql.end();
  }
});
