import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createQuarantine } from '../../src/ingest/quarantine.ts';
import { testDatabase } from '../support/database.ts';
import { ADMIN_KEY, testServer } from '../support/server.ts';

const LIST = '{ quarantinedEvents { id keyName rejectionCode reason source receivedAt } }';
const REPLAY = `mutation($id: ID!, $changes: LogEventInput) {
  replayQuarantined(id: $id, changes: $changes) { outcome rejectionCode event { eventId category name timestamp userId } }
}`;

test('I7: a refused event waits as it was sent, is mended, logged, and leaves the quarantine', async () => {
  const server = await testServer();
  await server.rest([
    { event_category: 'AUTH', event_type: 'X', event_name: 'Fine' },
    {
      event_id: 'UNK-20250619-143052-1a2b3c4d',
      event_name: 'Nobody knows',
      user_id: 7,
      odd: 'a\u0000b',
    },
  ]);
  const { data } = await server.graphql(LIST);
  expect(data.quarantinedEvents).toHaveLength(1);
  const [waiting] = data.quarantinedEvents;
  expect(waiting).toMatchObject({
    keyName: 'administrator',
    rejectionCode: 'MISSING_VALUE',
    source: {
      eventId: 'UNK-20250619-143052-1a2b3c4d',
      name: 'Nobody knows',
      userId: 7,
      odd: 'a\u0000b',
    },
  });

  const still = await server.graphql(REPLAY, { id: waiting.id, changes: { type: 'MYSTERY' } });
  expect(still.data.replayQuarantined).toMatchObject({
    outcome: 'REJECTED',
    rejectionCode: 'MISSING_VALUE',
  });
  const mended = await server.graphql(REPLAY, {
    id: waiting.id,
    changes: { type: 'MYSTERY', category: 'SYSTEM' },
  });
  expect(mended.data.replayQuarantined).toMatchObject({
    outcome: 'REPAIRED', // `odd` is no field, and neither action nor status were said
    event: {
      eventId: 'UNK-20250619-143052-1a2b3c4d',
      category: 'SYSTEM',
      userId: 7,
      timestamp: waiting.receivedAt,
    },
  });
  expect((await server.graphql(LIST)).data.quarantinedEvents).toEqual([]);
});

test('a refused event whose time was sent as null has the time it was refused', async () => {
  const server = await testServer();
  await server.rest({ event_name: 'Nobody knows', timestamp: null });
  const [waiting] = (await server.graphql(LIST)).data.quarantinedEvents;
  const changes = { type: 'MYSTERY', category: 'SYSTEM', timestamp: null };
  const { data } = await server.graphql(REPLAY, { id: waiting.id, changes });
  expect(data.replayQuarantined.event.timestamp).toBe(waiting.receivedAt);
});

test('I7: a refused event that is logged again twice at once is one event', async () => {
  const server = await testServer();
  await server.rest({ event_name: 'Nobody knows' });
  const { data } = await server.graphql(LIST);
  const { id } = data.quarantinedEvents[0];
  const changes = { type: 'MYSTERY', category: 'SYSTEM' };
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => server.graphql(REPLAY, { id, changes })),
  );
  const outcomes = answers.flatMap((answer) => answer.data?.replayQuarantined.outcome ?? []);
  expect(outcomes.filter((outcome) => outcome !== 'DUPLICATE')).toHaveLength(1);
  const [row] = await server.database.sql`SELECT count(*)::int FROM events WHERE event_name = 'Nobody knows'`; // oxfmt-ignore
  expect(row).toEqual({ count: 1 });
});

test('I7: nobody can take beforehand the id under which a refused event is logged again', async () => {
  const server = await testServer();
  const MAKE = 'mutation { createApiKey(name: "writer", scopes: [EVENTS_WRITE]) { key } }';
  const { key } = (await server.graphql(MAKE)).data.createApiKey;
  await server.rest({ event_name: 'Nobody knows' });
  const [{ id }] = (await server.graphql(LIST)).data.quarantinedEvents;
  await server.rest({ code: 'AUTH-001', event_id: `quarantined-${id}` }, key);
  const { data } = await server.graphql(REPLAY, { id, changes: { type: 'MYSTERY', category: 'SYSTEM' } }); // oxfmt-ignore
  expect(data.replayQuarantined).toMatchObject({
    outcome: 'REPAIRED',
    event: { eventId: expect.stringMatching(new RegExp(`^quarantined-${id}-[a-p]{20}$`)) },
  });
});

test('I7: the id under which a refused event is logged again is not taken for what is personal', async () => {
  const server = await testServer();
  await server.rest({ event_name: 'Nobody knows' });
  await server.database.sql`UPDATE quarantine SET tail = '081234567890abcdef01'`;
  const [{ id }] = (await server.graphql(LIST)).data.quarantinedEvents;
  const { data } = await server.graphql(REPLAY, { id, changes: { type: 'MYSTERY', category: 'SYSTEM', action: 'X', status: 'SUCCESS' } }); // oxfmt-ignore
  expect(data.replayQuarantined).toMatchObject({
    outcome: 'STORED',
    event: { eventId: `quarantined-${id}-gohijklmnopgabcdefgh` },
  });
});

test('what cannot be an event at all is kept too, and can be read though not replayed without changes', async () => {
  const server = await testServer();
  const lines = `{"event_category":"AUTH","event_type":"X","event_name":"Fine"}\n{"broken": \n`;
  const response = await fetch(`${server.url}/api/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      'content-type': 'application/x-ndjson',
      'content-encoding': 'gzip',
    },
    body: gzipSync(lines),
  });
  expect(response.status).toBe(207);
  const { results } = await response.json();
  expect(results.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
    'REPAIRED',
    'REJECTED',
  ]);
  const { data } = await server.graphql(LIST);
  expect(data.quarantinedEvents.map(({ source }: { source: unknown }) => source)).toEqual([
    '{"broken": ',
  ]);
});

test('I7: of what is too large the other fields wait whole, and are logged again without it', async () => {
  const server = await testServer();
  const large = { pupils: Array.from({ length: 9_000 }, (_, index) => `pupil "${index}"`) };
  const event = { event_id: 'large', event_category: 'AUTH', event_type: 'X', event_name: 'Rapor', user_id: 7 }; // oxfmt-ignore
  const many = Object.fromEntries(Array.from({ length: 9_000 }, (_, index) => [`odd ${index}`, index])); // oxfmt-ignore
  const text = 'long '.repeat(20_000);
  await server.rest([{ ...event, metadata: large, odd: text, event_description: 'short' }, many]);
  const [other, waiting] = (await server.graphql(LIST)).data.quarantinedEvents;
  expect(other.source).toMatch(/^\{"odd 0":0,.*…$/);
  const { metadata, odd, ...rest } = waiting.source;
  expect(rest).toEqual({ eventId: 'large', category: 'AUTH', type: 'X', name: 'Rapor', userId: 7, description: 'short' }); // oxfmt-ignore
  expect(metadata).toMatch(/^\d{6} bytes…$/);
  expect(text.startsWith(odd.slice(0, -1)) && odd.endsWith('…')).toBe(true);
  const replayed = await server.graphql(REPLAY, { id: waiting.id, changes: { metadata: null } });
  expect(replayed.data.replayQuarantined).toMatchObject({
    outcome: 'REPAIRED',
    event: { eventId: 'large', name: 'Rapor', userId: 7 },
  });
});

test('I7: what is nested deeper than is kept has a mark in its place, and is refused again', async () => {
  const server = await testServer();
  const lists = (levels: number, inmost: string) => '['.repeat(levels) + inmost + ']'.repeat(levels); // oxfmt-ignore
  const objects = (levels: number, inmost: string) => '{"a":'.repeat(levels) + inmost + '}'.repeat(levels); // oxfmt-ignore
  await server.rest(`{ "code": "AUTH-001", "metadata": ${lists(40, '1')}, "odd": ${objects(5_000, '1')} }`); // oxfmt-ignore
  const [waiting] = (await server.graphql(LIST)).data.quarantinedEvents;
  expect(JSON.stringify(waiting.source.metadata)).toBe(lists(33, '"…"'));
  expect(JSON.stringify(waiting.source.odd)).toBe(objects(32, '["…"]'));
  const again = await server.graphql(REPLAY, { id: waiting.id });
  expect(again.data.replayQuarantined).toMatchObject({ rejectionCode: 'TOO_LARGE' });
});

test('I7: what is cut of a large event has no text in which a score would be shown', async () => {
  const server = await testServer();
  const siswa = { name: 'Siti', nilai: { ipa: { uts: 98, uas: 97 }, fisika: 99 } };
  await server.rest({ event_id: 'cut', event_name: 'Rapor', request_data: { siswa, isi: 'x'.repeat(70_000) } }); // oxfmt-ignore
  const [waiting] = (await server.graphql(LIST)).data.quarantinedEvents;
  await server.graphql(REPLAY, { id: waiting.id, changes: { type: 'RAPOR', category: 'DATA' } });
  const { data } = await server.graphql('mutation { createApiKey(name: "reader", scopes: [EVENTS_READ]) { key } }'); // oxfmt-ignore
  const seen = await server.graphql('{ event(eventId: "cut") { requestData } }', {}, data.createApiKey.key); // oxfmt-ignore
  expect(seen.data.event.requestData).toMatch(/^\d{5} bytes…$/);
});

test('the quarantine is listed in pages, and only an administrator sees it', async () => {
  const server = await testServer();
  await server.rest(Array.from({ length: 5 }, (_, n) => ({ event_name: `lost ${n}` })));
  const { data } = await server.graphql('{ quarantinedEvents(first: 2) { id source } }');
  const rest = await server.graphql('query($b: ID) { quarantinedEvents(before: $b) { source } }', {
    b: data.quarantinedEvents[1].id,
  });
  expect(
    [...data.quarantinedEvents, ...rest.data.quarantinedEvents].map(({ source }) => source.name),
  ).toEqual([4, 3, 2, 1, 0].map((n) => `lost ${n}`));
  const made = await server.graphql(
    'mutation { createApiKey(name: "reader", scopes: [EVENTS_READ, EVENTS_WRITE]) { key } }',
  );
  const { errors } = await server.graphql(LIST, {}, made.data.createApiKey.key);
  expect(errors![0].extensions.code).toBe('FORBIDDEN');
});

test('of what could not be kept all hear who sent some of it', async () => {
  const { sql } = await testDatabase();
  const { keep } = createQuarantine(sql);
  await sql`ALTER TABLE quarantine RENAME TO away`;
  const rejection = { code: 'MISSING_VALUE', reason: 'r', warnings: [] } as const;
  const refused = [{ source: {}, rejection }];
  const kept = await Promise.allSettled([keep('one', refused), keep('other', refused)]);
  expect(kept.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await sql`ALTER TABLE away RENAME TO quarantine`;
  await keep('third', refused);
  expect(await sql`SELECT key_name FROM quarantine`).toEqual([{ key_name: 'third' }]);
});

test('what has waited longer than the shortest retention is purged', async () => {
  const server = await testServer();
  await server.rest([{ event_name: 'old' }, { event_name: 'new' }]);
  const { sql } = server.database;
  await sql`UPDATE quarantine SET received_at = now() - interval '7 days 1 minute' WHERE source LIKE '%old%'`;
  expect(await createQuarantine(sql).purge()).toBe(1);
  const { data } = await server.graphql(LIST);
  expect(data.quarantinedEvents.map(({ source }: any) => source.name)).toEqual(['new']);
});
