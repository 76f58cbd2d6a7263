// What the log tells of its own use: reads of personal data by persons, exports, acts of administrators; and what a person may
// ask of it: the trail of a student, and whose data a breach concerns.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { SignJWT } from 'jose';
import { createClient } from 'graphql-ws';
import { beforeAll, afterAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { Config } from '../../src/config.ts';
import { createLogger } from '../../src/logger.ts';
import { temporaryDirectory } from '../support/process.ts';
import { ADMIN_KEY, type TestServer, createTestServer } from '../support/server.ts';

const SECRET = 'a secret that the issuer and the log share';
const TOKENS: Partial<Config> = {
  JEJAK_JWT_SECRET: SECRET,
  JEJAK_JWT_ISSUER: 'https://login.sch.id',
  JEJAK_JWT_AUDIENCE: 'jejak',
  JEJAK_JWT_ROLES: {
    GURU: { scopes: ['events:read', 'events:read_personal', 'events:export'] },
    TU: { scopes: ['events:read'] },
    ADMIN: { scopes: ['admin'] },
  },
};
let server: TestServer;
let teacher: string;
let counsellor: string;

const tokenOf = (claims: object): Promise<string> =>
  new SignJWT({ roles: ['GURU'], ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('https://login.sch.id')
    .setAudience('jejak')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));

beforeAll(async () => {
  server = await createTestServer(undefined, TOKENS);
  teacher = await tokenOf({ sub: '15', preferred_username: 'ibu.ratna' });
  counsellor = await tokenOf({ sub: '18', preferred_username: 'bk.maya' });
  const about = (resourceId: string, event: object) => ({ resourceType: 'STUDENT', resourceId, ...event }); // oxfmt-ignore
  await server.graphql(
    'mutation ($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }',
    {
      input: [
        about('STD-1', { code: 'DATA-005', username: 'pak.agus' }),
        about('STD-1', { code: 'PRED-002', username: 'ibu.sari' }),
        about('STD-1', { code: 'PRED-002', username: 'ibu.sari' }),
        about('STD-2', { code: 'DATA-009', username: 'pak.agus' }),
      ],
    },
  );
});
afterAll(() => server[Symbol.asyncDispose]());

const told = (code = 'ADMIN-008') =>
  server.database
    .sql`SELECT * FROM events WHERE code = ${code} AND username IS NOT NULL ORDER BY id`;

const TRAIL = `query ($id: String!) { subjectTrail(resourceType: "STUDENT", resourceId: $id) {
  dealings { dealing username eventCount first last } events(first: 100) { totalCount edges { node { code } } } } }`;

/** Who did that with data of a student, by the trail. */
const dealersOf = async (dealing: string, id: string): Promise<string[]> =>
  (await server.graphql(TRAIL, { id })).data.subjectTrail.dealings
    .filter((row: any) => row.dealing === dealing)
    .map((row: any) => row.username);

const taken = async (filter: object, token: string): Promise<string> => {
  const query = new URLSearchParams({ filter: JSON.stringify(filter) });
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${server.url}/api/export?${query}`, { headers })).text();
};

const LIST = '{ events(filter: { resourceType: ["STUDENT"] }) { edges { node { username resourceId } } } }'; // oxfmt-ignore

test('what a person saw of others is in the log before the answer is given, once for an operation', async () => {
  const before = (await told()).length;
  for (const query of [LIST, LIST, `${LIST} `]) {
    // the full stack, the lean lane
    const { data } = await server.graphql(query, {}, teacher);
    expect(data.events.edges).toHaveLength(4);
  }
  const records = (await told()).slice(before);
  expect(records).toHaveLength(3);
  expect(records[0]).toMatchObject({
    username: 'ibu.ratna',
    user_id: 15,
    resource_type: 'EVENT_LOG',
    status: 'SUCCESS',
    response_data: { findings_count: 4 },
    metadata: { subjects: expect.arrayContaining(['STUDENT/STD-1', 'STUDENT/STD-2']) },
  });
  expect(records[0]!['request_data'].audit_scope).toContain('resourceType: ["STUDENT"]');
});

test('a read of nothing personal, of a service, or of nothing at all is not told', async () => {
  const before = (await told()).length;
  await server.graphql('{ events { totalCount edges { node { timestamp code } } } }', {}, teacher);
  await server.graphql('{ event(eventId: "none") { username } }', {}, teacher);
  await server.graphql(LIST, {}, ADMIN_KEY);
  expect(await told()).toHaveLength(before);
});

test.each([
  '{ events(filter: { username: ["pak.agus"] }) { totalCount } }',
  '{ events(filter: { search: "ratna" }) { edges { cursor } } }',
  '{ events(filter: { not: { json: [{ field: REQUEST_DATA, path: "agama", equals: "x" }] } }) { totalCount } }',
  '{ eventStats(range: { last: "PT1H" }, filter: { username: ["pak.agus"] }) { count } }',
  '{ eventStats(range: { last: "PT1H" }) { data(path: "responseData.nilai") { average } } }',
  '{ subjectTrail(resourceType: "STUDENT", resourceId: "STD-1") { events { totalCount } } }',
  '{ breachSummary(filter: { username: ["pak.agus"] }) { eventCount } }',
])('S4: an answer to a question about what is personal is personal: %s', async (query) => {
  const before = (await told()).length;
  expect((await server.graphql(query, {}, teacher)).errors).toBeUndefined();
  expect(await told()).toHaveLength(before + 1);
});

test('S4: so is what the policy of a school masks, in reports too', async () => {
  const file = join(await temporaryDirectory(), 'policy.json');
  await writeFile(file, '{"fields": {"endpoint": "mask"}}');
  await using own = await createTestServer(undefined, { ...TOKENS, JEJAK_PRIVACY_POLICY: file });
  await own.graphql('mutation { logEvent(input: { code: "DATA-005", endpoint: "/api/siti" }) { outcome } }'); // oxfmt-ignore
  const { data } = await own.graphql(
    '{ endpointErrorRates(moreThan: 0) { endpoint } }',
    {},
    teacher,
  );
  expect(data.endpointErrorRates).toEqual([{ endpoint: '/api/siti' }]);
  const [{ count }] = await own.database
    .sql<[{ count: number }]>`SELECT count(*) FROM events WHERE code = 'ADMIN-008' AND username = 'ibu.ratna'`; // oxfmt-ignore
  expect(count).toBe(1);
});

test('S4: what is refused is personal too where a person reads it', async () => {
  await server.rest({ event_name: 'Nobody knows', resource_type: 'STUDENT', resource_id: 'STD-7' });
  const head = await tokenOf({ sub: '1', preferred_username: 'kepala', roles: ['ADMIN'] });
  const { data } = await server.graphql('{ quarantinedEvents { source } }', {}, head);
  expect(data.quarantinedEvents).toHaveLength(1);
  expect((await told()).at(-1)).toMatchObject({ username: 'kepala', metadata: { subjects: ['STUDENT/STD-7'] } }); // oxfmt-ignore
});

test('S5: all of whom much is read are told of, in as many records as that takes', async () => {
  const long = (index: number) => `${index} ${'🎓'.repeat(22)}`;
  const events = Array.from({ length: 200 }, (_, index) => ({ code: 'DATA-005', resourceType: 'PUPIL', resourceId: long(index) })); // oxfmt-ignore
  await server.graphql('mutation ($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', { input: events }); // oxfmt-ignore
  const busy = await tokenOf({ sub: '17', preferred_username: 'pak.budi' });
  const before = (await told()).length;
  const query = `{ events(filter: { resourceType: ["PUPIL"] }, first: 200) { edges { node { resourceId } } } } # ${'ü"'.repeat(9_000)}`;
  const { data, errors } = await server.graphql(query, {}, busy);
  expect(errors).toBeUndefined();
  expect(data.events.edges).toHaveLength(200);
  const records = (await told()).slice(before);
  expect(records.length).toBeGreaterThan(1);
  expect(records.map((record) => record['response_data']?.findings_count ?? 0)).toEqual([200, ...records.slice(1).map(() => 0)]); // oxfmt-ignore
  expect(new Set(records.flatMap((record) => record['metadata'].subjects))).toEqual(
    new Set(events.map(({ resourceId }) => `PUPIL/${resourceId}`)),
  );
});

test('S5: who follows a student is in the trail of that one', async () => {
  await server.rest({ code: 'DATA-005', resource_type: 'STUDENT', resource_id: 'STD-8' });
  const client = createClient({
    url: `${server.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${teacher}` },
  });
  const query = 'subscription ($of: [String!]) { eventLogged(after: "earliest", filter: { resourceId: $of }) { event { username } } }'; // oxfmt-ignore
  const following = client.iterate({ query, variables: { of: ['STD-8'] } });
  expect((await following.next()).value).toMatchObject({ data: { eventLogged: {} } });
  await following.return!();
  await client.dispose();
  expect(await dealersOf('READ', 'STD-8')).toEqual(['ibu.ratna']);
  expect(await dealersOf('READ', 'STD-9')).toEqual([]);
});

test.each([{ f: { resourceType: ['STUDENT'], or: [{ severity: ['INFO'] }] } }, {}])(
  'a subscription whose filter is a variable is told by the variables that were asked: %j',
  async (variables) => {
    const query = 'subscription ($f: EventFilter) { eventLogged(after: "earliest", filter: $f) { cursor } }'; // oxfmt-ignore
    await using live = server.subscribe(query, variables, teacher);
    await live.next(2_000);
    const { request_data: asked, status } = (await told()).at(-1)!;
    expect([asked.audit_scope, asked.audit_variables, status]).toEqual([query, variables, 'STARTED']); // oxfmt-ignore
  },
);

test('a person who sees only what is masked reads nothing personal', async () => {
  const clerk = await tokenOf({ sub: '16', preferred_username: 'tata', roles: ['TU'] });
  const before = (await told()).length;
  const { data } = await server.graphql('{ events { edges { node { username } } } subjectTrail(resourceType: "STUDENT", resourceId: "STD-1") { dealings { username } } }', {}, clerk); // oxfmt-ignore
  expect(JSON.stringify(data)).not.toMatch(/agus|sari/);
  expect(await told()).toHaveLength(before);
});

test('the names of a report are personal data', async () => {
  const before = (await told()).length;
  const { data } = await server.graphql('{ userActivity { username eventCount } }', {}, teacher);
  const records = (await told()).slice(before);
  expect(records).toHaveLength(1);
  expect(records[0]!['response_data'].findings_count).toBe(data.userActivity.length);
});

test.each([
  '{ userActivity { userId } }',
  '{ eventStats(range: { last: "PT1H" }, groupBy: [USER_ID]) { userId } }',
])('so are its numbers of persons: %s', async (query) => {
  const before = (await told()).length;
  expect((await server.graphql(query, {}, teacher)).errors).toBeUndefined();
  expect((await told()).slice(before)).toMatchObject([{ response_data: { findings_count: expect.any(Number) } }]); // oxfmt-ignore
});

test('why a person asks is told with it, over HTTP and over a socket', async () => {
  await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${teacher}`,
      'jejak-purpose': 'permintaan wali murid',
    },
    body: JSON.stringify({ query: LIST }),
  });
  expect((await told()).at(-1)!['metadata'].purpose).toBe('permintaan wali murid');

  const client = createClient({
    url: `${server.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${teacher}`, purpose: 'rapat' },
  });
  for await (const { data } of client.iterate({ query: LIST })) expect(data).toBeTruthy();
  expect((await told()).at(-1)).toMatchObject({ status: 'SUCCESS', metadata: { purpose: 'rapat' } }); // oxfmt-ignore

  const following = client.iterate({
    query: 'subscription { eventLogged { event { username } } }',
  });
  const first = following.next();
  await expect.poll(async () => (await told()).at(-1)!['status']).toBe('STARTED');
  await following.return!();
  void first;
  await client.dispose();
});

test('what cannot be told is to be tried again later, a subscription over server-sent events as a question', async () => {
  const { sql } = server.database;
  await sql`
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room' USING ERRCODE = '53100'; END $$`;
  await sql`CREATE TRIGGER no_room BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION no_room()`;
  try {
    for (const query of [LIST, 'subscription { eventLogged { event { username } } }'])
      for (const method of ['POST', 'GET']) {
        const response = await fetch(
          `${server.url}/graphql${method === 'GET' ? `?query=${encodeURIComponent(query)}` : ''}`,
          {
            method,
            headers: {
              'content-type': 'application/json',
              accept: 'text/event-stream, application/json',
              authorization: `Bearer ${teacher}`,
            },
            ...(method === 'POST' && { body: JSON.stringify({ query }) }),
          },
        );
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
        const { errors } = await response.json();
        expect(errors).toMatchObject([
          { extensions: { code: 'UNAVAILABLE', retryAfterMs: 5_000 } },
        ]);
      }
  } finally {
    // Alone it would lock the partitions before their table, which others lock first: a deadlock now and then.
    await sql.begin((transaction) => [
      transaction`LOCK TABLE events`,
      transaction`DROP FUNCTION no_room CASCADE`,
    ]);
  }
});

test.each([
  ['UTF-8', Buffer.from('évaluasi').toString('latin1')],
  ['Latin-1', 'évaluasi'],
])('why a person asks is read as it was written, in %s', async (_, purpose) => {
  await fetch(`${server.url}/graphql?query=${encodeURIComponent(LIST)}`, {
    headers: { authorization: `Bearer ${teacher}`, 'jejak-purpose': purpose },
  });
  expect((await told()).at(-1)!['metadata'].purpose).toBe('évaluasi');
});

test('telling does not tell of itself', async () => {
  const before = (await told()).length;
  await server.graphql('{ events(filter: { code: ["ADMIN-008"] }) { edges { node { username } } } }', {}, teacher); // oxfmt-ignore
  expect(await told()).toHaveLength(before + 1);
});

test('where it cannot be told nothing is shown', async () => {
  const { sql } = server.database;
  await sql`ALTER TABLE batches RENAME TO batches_away`;
  try {
    const { data, errors } = await server.graphql('{ event(eventId: "x") { username } severities { severity } }', {}, teacher); // oxfmt-ignore
    expect(errors).toBeUndefined(); // nothing personal was found
    expect(data.severities).toHaveLength(5);
  } finally {
    await sql`ALTER TABLE batches_away RENAME TO batches`;
  }
  await sql`CREATE OR REPLACE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`;
  await sql`CREATE TRIGGER forbid BEFORE INSERT ON batches FOR EACH ROW EXECUTE FUNCTION forbid()`;
  try {
    const { data, errors } = await server.graphql(LIST, {}, teacher);
    expect(data ?? null).toBeNull();
    expect(errors).toHaveLength(1);
    const client = createClient({
      url: `${server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${teacher}` },
      retryAttempts: 0,
    });
    const next = (query: string) => client.iterate({ query }).next();
    const other = next('subscription { eventLogged { cursor } }'); // of the same socket, which stays
    for (const query of [LIST, 'subscription { eventLogged { event { username } } }'])
      expect((await next(query)).value).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] }); // oxfmt-ignore
    expect((await other).value).toMatchObject({ errors: [{}] });
    await client.dispose();
  } finally {
    await sql`DROP TRIGGER forbid ON batches`;
  }
});

test('each act of an administrator is told before it is done, with what became of it after', async () => {
  const { data } = await server.graphql('mutation { createApiKey(name: "dapodik", scopes: [EVENTS_READ]) { apiKey { id } key } }'); // oxfmt-ignore
  const { id } = data.createApiKey.apiKey;
  await server.graphql('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', { id });
  await server.graphql('mutation { revokeApiKey(id: "999") { id } }');
  const acts = await told('ADMIN-004');
  expect(acts.map(({ username, status, request_data: { config_section, changes } }) => [username, config_section, changes.id ?? changes.name, status])).toEqual([
    ['administrator', 'createApiKey', 'dapodik', 'STARTED'],
    ['administrator', 'createApiKey', 'dapodik', 'SUCCESS'],
    ['administrator', 'revokeApiKey', id, 'STARTED'],
    ['administrator', 'revokeApiKey', id, 'SUCCESS'],
    ['administrator', 'revokeApiKey', '999', 'STARTED'],
    ['administrator', 'revokeApiKey', '999', 'FAILED'],
  ]); // oxfmt-ignore
  expect(JSON.stringify(acts)).not.toContain(data.createApiKey.key);
});

test('what an administrator does is not done where it cannot be told', async () => {
  const { sql } = server.database;
  const keys = async () => (await sql`SELECT count(*)::int AS count FROM api_keys`)[0]!['count'];
  const before = await keys();
  const make = (name: string) => server.graphql(`mutation { createApiKey(name: "${name}", scopes: [EVENTS_READ]) { key } }`); // oxfmt-ignore
  await sql`CREATE OR REPLACE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`;
  await sql`CREATE TRIGGER forbid BEFORE INSERT ON batches FOR EACH ROW EXECUTE FUNCTION forbid()`;
  try {
    expect((await make('untold')).errors).toHaveLength(1);
    expect(await keys()).toBe(before);
  } finally {
    await sql`DROP TRIGGER forbid ON batches`;
  }
});

test('how an act ended is said in the log of the server where it cannot be told', async () => {
  let lines = '';
  const stream = new Writable({ write: (chunk: Buffer, _, done) => ((lines += chunk.toString()), done()) }); // oxfmt-ignore
  await using own = await createTestServer(server.database, {}, createLogger('error', stream));
  const { sql } = server.database;
  await sql`CREATE OR REPLACE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`;
  await sql`CREATE OR REPLACE FUNCTION forbid_later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    CREATE TRIGGER forbid BEFORE INSERT ON batches FOR EACH ROW EXECUTE FUNCTION forbid(); RETURN NULL; END $$`;
  await sql`CREATE TRIGGER forbid_later AFTER INSERT ON api_keys FOR EACH STATEMENT EXECUTE FUNCTION forbid_later()`;
  try {
    const { data } = await own.graphql('mutation { createApiKey(name: "half told", scopes: [EVENTS_READ]) { key } }'); // oxfmt-ignore
    expect(data.createApiKey.key).toBeTruthy();
    expect(lines).toContain('How an act ended could not be told');
  } finally {
    await sql`DROP TRIGGER forbid_later ON api_keys`;
    await sql`DROP TRIGGER IF EXISTS forbid ON batches`;
  }
});

test('the limit of those who log does not keep the server from telling', async () => {
  const limited = await createTestServer(server.database, {
    JEJAK_KEY_EVENTS_PER_SECOND: 1,
    JEJAK_JWT_SECRET: SECRET,
    JEJAK_JWT_ISSUER: 'https://login.sch.id',
    JEJAK_JWT_AUDIENCE: 'jejak',
    JEJAK_JWT_ROLES: { GURU: { scopes: ['events:read', 'events:read_personal'] } },
  });
  const answers = await Promise.all(Array.from({ length: 5 }, () => limited.graphql(LIST, {}, teacher))); // oxfmt-ignore
  await limited[Symbol.asyncDispose]();
  expect(answers.flatMap(({ errors }) => errors ?? [])).toEqual([]);
});

test('S5: the trail of a student says who read, changed, exported or predicted', async () => {
  const answer = await fetch(
    `${server.url}/api/export?${new URLSearchParams({ filter: '{"resourceId":["STD-1"]}' })}`,
    { headers: { authorization: `Bearer ${teacher}` } },
  );
  expect((await answer.text()).trim().split('\n')).toHaveLength(3);
  await (
    await fetch(`${server.url}/api/export?${new URLSearchParams({ filter: '{"resourceId":["STD-2"]}' })}`, {
      headers: { authorization: `Bearer ${teacher}` },
    })
  ).text(); // oxfmt-ignore
  const { data } = await server.graphql(TRAIL, { id: 'STD-1' });
  const dealt = (dealing: string) =>
    data.subjectTrail.dealings
      .filter((row: any) => row.dealing === dealing)
      .map((row: any) => [row.username, row.eventCount]);
  expect(dealt('CHANGED')).toEqual([['pak.agus', 1]]);
  expect(dealt('PREDICTED')).toEqual([['ibu.sari', 2]]);
  expect(dealt('EXPORTED')).toEqual([['ibu.ratna', 1]]); // and not the one of the other student
  expect(dealt('READ')[0][0]).toBe('ibu.ratna');
  expect(data.subjectTrail.events.totalCount).toBe(data.subjectTrail.events.edges.length);
});

test('a breach summary says whose data and which kinds, what was read of the log among them', async () => {
  const { data } = await server.graphql(
    '{ breachSummary(filter: { username: ["ibu.ratna"] }) { eventCount subjectCount types first last subjects { resourceType resourceId eventCount } } }',
  );
  const summary = data.breachSummary;
  expect(summary.subjectCount).toBe(3);
  expect(summary.subjects.map(({ resourceId }: any) => resourceId).toSorted()).toEqual(['STD-1', 'STD-2', 'STD-8']); // oxfmt-ignore
  const before = (await told()).length;
  await server.graphql('{ breachSummary(filter: { code: ["DATA-009"] }) { subjects { resourceId } } }', {}, teacher); // oxfmt-ignore
  const records = (await told()).slice(before);
  expect(records).toMatchObject([{ metadata: { subjects: ['STUDENT/STD-2'] } }]);
  expect(summary.types).toContain('DATA_EXPORT');
  expect(Date.parse(summary.first)).toBeLessThanOrEqual(Date.parse(summary.last));
  const none = await server.graphql('{ breachSummary(filter: { username: ["nobody"] }) { eventCount subjectCount first subjects { resourceId } } }'); // oxfmt-ignore
  expect(none.data.breachSummary).toEqual({ eventCount: 0, subjectCount: 0, first: null, subjects: [] }); // oxfmt-ignore
});

test('S5: a trail finds whom an identifier names that is longer than what is stored of it', async () => {
  const resourceId = 'STD-'.padEnd(60, '7');
  await server.rest({ code: 'DATA-001', resource_type: 'STUDENT', resource_id: resourceId });
  const { edges } = (await server.graphql(TRAIL, { id: resourceId })).data.subjectTrail.events;
  expect(edges.map(({ node }: any) => node.code)).toContain('DATA-001');
});

test('S5: a kind and an identifier with slashes are told of as they are', async () => {
  const [resourceType, resourceId] = ['NILAI/RAPOR%2F', 'STD/9'];
  await server.rest({ code: 'DATA-001', resource_type: resourceType, resource_id: resourceId });
  const LOOK = 'query ($id: String!) { events(filter: { resourceId: [$id] }) { edges { node { username } } } }'; // oxfmt-ignore
  expect((await server.graphql(LOOK, { id: resourceId }, counsellor)).errors).toBeUndefined();
  const OF = 'query ($type: String!, $id: String!) { subjectTrail(resourceType: $type, resourceId: $id) { dealings { dealing username } } }'; // oxfmt-ignore
  const { subjectTrail } = (await server.graphql(OF, { type: resourceType, id: resourceId })).data;
  expect(subjectTrail.dealings).toContainEqual({ dealing: 'READ', username: 'bk.maya' });
  const { data } = await server.graphql('{ breachSummary(filter: { code: ["ADMIN-008"], username: ["bk.maya"] }) { subjects { resourceType resourceId } } }'); // oxfmt-ignore
  expect(data.breachSummary.subjects).toContainEqual({ resourceType, resourceId });
});

test('who may not see what is personal does not see what others looked for', async () => {
  const filter = { search: '"Siti Wulandari"', or: [{ json: [{ field: 'METADATA', path: 'wali', equals: 'Dewi Rahasia' }] }, { resourceType: ['STUDENT'] }] }; // oxfmt-ignore
  await server.graphql('query ($filter: EventFilter) { events(filter: $filter) { edges { node { username } } } a: event(eventId: "Ayu Rahasia") { username } b: events(filter: { resourceType: ["STUDENT"] }) { edges { node { username } } } }', { filter }, teacher); // oxfmt-ignore
  const query = new URLSearchParams({ filter: JSON.stringify(filter) });
  await (await fetch(`${server.url}/api/export?${query}`, { headers: { authorization: `Bearer ${teacher}` } })).text(); // oxfmt-ignore
  const RECORDS = '{ events(first: 3, filter: { code: ["ADMIN-008", "DATA-012"] }) { edges { node { code requestData } } } }'; // oxfmt-ignore
  const seenWith = async (key: string) =>
    JSON.stringify((await server.graphql(RECORDS, {}, key)).data.events.edges);
  const clerk = await tokenOf({ sub: '16', preferred_username: 'tata', roles: ['TU'] });
  const masked = await seenWith(clerk);
  expect(masked).not.toMatch(/Siti|Dewi|Ayu/);
  expect(masked).toContain('"audit_scope":"***"');
  expect(masked).toContain('"path":"wali"'); // of an export it is told of which events
  const whole = await seenWith(ADMIN_KEY);
  for (const name of ['Siti Wulandari', 'Dewi Rahasia', 'Ayu Rahasia'])
    expect(whole).toContain(name);
});

test.each([
  ['null', { resourceId: null, severity: ['CRITICAL'] }],
  ['several, too many to be told', { resourceId: Array.from({ length: 300 }, (_, index) => `a rather long identifier ${index}`) }], // oxfmt-ignore
])('S5: a subscription whose filter has a resourceId of %s is in each trail', async (_, filter) => {
  const username = `pak.${Object.keys(filter).length}`;
  const token = await tokenOf({ sub: '18', preferred_username: username });
  await using live = server.subscribe('subscription ($f: EventFilter) { eventLogged(filter: $f) { cursor } }', { f: filter }, token); // oxfmt-ignore
  void live.next(1).catch(() => {});
  await expect.poll(async () => (await told()).at(-1)!['username']).toBe(username);
  expect(await dealersOf('READ', 'STD-10')).toContain(username);
});

test('S5: an export whose filter says null for resourceId is in each trail', async () => {
  const token = await tokenOf({ sub: '20', preferred_username: 'pak.ekspor' });
  await taken({ resourceId: null, severity: ['CRITICAL'] }, token);
  expect(await dealersOf('EXPORTED', 'STD-10')).toContain('pak.ekspor');
});

test('S5: who asks about a person by what is stored as a hash is in the trail of that one, and is told by the hash', async () => {
  const email = 'budi@sekolah.sch.id';
  await server.rest({ code: 'DATA-005', resource_type: 'STUDENT', resource_id: email });
  const names = ['ikut', 'ambil', 'lacak'] as const;
  const [following, exporting, asking] = await Promise.all(
    names.map((name, index) => tokenOf({ sub: `3${index}`, preferred_username: name })),
  );
  const query = 'subscription ($f: EventFilter) { eventLogged(after: "earliest", filter: $f) { event { code } } }'; // oxfmt-ignore
  await using live = server.subscribe(query, { f: { resourceId: [email] } }, following);
  expect(await live.next()).toMatchObject({ eventLogged: { event: { code: 'DATA-005' } } });
  expect(await taken({ resourceId: [email] }, exporting!)).toContain('DATA-005');
  await server.graphql(TRAIL, { id: email }, asking);
  expect(await dealersOf('READ', email)).toEqual(expect.arrayContaining(['ikut', 'lacak']));
  expect(await dealersOf('EXPORTED', email)).toContain('ambil');
  const [{ resource_id: hash }] = (await server.database.sql`SELECT resource_id FROM events WHERE resource_type = 'STUDENT' AND resource_id LIKE 'h:%'`) as any; // oxfmt-ignore
  expect(await dealersOf('READ', hash)).toEqual(expect.arrayContaining(['ikut', 'lacak']));
  const records = [...(await told()), ...(await told('DATA-012'))].filter(({ username }) => names.includes(username)); // oxfmt-ignore
  expect(records.length).toBeGreaterThanOrEqual(3);
  expect(JSON.stringify(records.map(({ request_data: { filter }, metadata }) => [filter, metadata]))).not.toContain('budi'); // oxfmt-ignore
});

test('of an act that is too large to be told no value is shown that its key would mask, and all else is told', async () => {
  const nilai = { fisika: 99, isi: 'x'.repeat(7_000) };
  const REPLAY = 'mutation ($id: ID!, $changes: LogEventInput) { replayQuarantined(id: $id, changes: $changes) { outcome } }'; // oxfmt-ignore
  await server.graphql(REPLAY, { id: '999999', changes: { requestData: { nilai } } });
  const clerk = await tokenOf({ sub: '16', preferred_username: 'tata', roles: ['TU'] });
  const ACTS = '{ events(first: 1, filter: { code: ["ADMIN-005"] }) { edges { node { requestData } } } }'; // oxfmt-ignore
  for (const key of [clerk, ADMIN_KEY]) {
    const { data } = await server.graphql(ACTS, {}, key);
    expect(data.events.edges[0].node.requestData).toEqual({
      config_section: 'replayQuarantined',
      changes: { id: '999999', changes: expect.stringMatching(/^70\d\d bytes…$/) },
    });
  }
});

test('what is too deep to be told keeps no question from its answer, and no export', async () => {
  let deep: unknown[] = [];
  for (let level = 1; level < 31; level++) deep = [deep];
  const filter = { code: ['AUTH-001'], json: [{ field: 'METADATA', path: 'x', equals: deep }] };
  const query = 'query ($filter: EventFilter) { events(filter: $filter) { totalCount } }';
  for (const text of [query, query, `${query} `]) {
    expect((await server.graphql(text, { filter }, teacher)).errors).toBeUndefined();
    expect((await told()).at(-1)!['request_data'].audit_variables).toEqual({ filter: expect.stringMatching(/bytes…$/) }); // oxfmt-ignore
  }
  await using live = server.subscribe('subscription ($f: EventFilter) { eventLogged(filter: $f) { cursor } }', { f: filter }, teacher); // oxfmt-ignore
  void live.next(1).catch(() => {});
  const kept = { code: ['AUTH-001'], json: expect.stringMatching(/bytes…$/) };
  await expect.poll(async () => (await told()).at(-1)!['request_data'].filter).toEqual(kept);
  expect(await taken(filter, teacher)).toBe('');
  expect((await told('DATA-012')).at(-1)!['request_data'].filter).toEqual(kept);
});

const STATS = 'eventStats(range: { last: "PT1H" }';
// oxfmt-ignore
test.each([
  ['a number of one student', `{ ${STATS}, filter: { resourceType: ["STUDENT"], resourceId: ["@"] }) { data(path: "metadata.nilai") { average } } }`],
  ['who had to do with one student', `{ ${STATS}, filter: { resourceType: ["STUDENT"], resourceId: ["@"] }, groupBy: [USERNAME]) { username } }`],
  ['groups of resources', `{ ${STATS}, filter: { resourceId: ["@"] }, groupBy: [RESOURCE_TYPE, RESOURCE_ID, USERNAME]) { resourceType resourceId username } }`],
  ['groups of one kind', `{ ${STATS}, filter: { resourceType: ["STUDENT"], tagsAny: ["@"] }, groupBy: [RESOURCE_ID]) { resourceId } }`],
  ['groups whose kind nobody says', `{ ${STATS}, filter: { tagsAny: ["@"] }, groupBy: [RESOURCE_ID]) { resourceId } }`],
  ['a count', `{ events(filter: { resourceId: ["@"], json: [{ field: METADATA, path: "nilai", gte: 91 }] }) { totalCount } }`],
  ['a count by parts of a filter', `{ events(filter: { and: [{ resourceType: ["STUDENT", "TEACHER"] }, { or: [{ resourceId: ["@"] }] }], search: "x" }) { totalCount } }`],
  ['what is not denied', `{ events(filter: { not: { or: [{ not: { resourceId: ["@"] } }] }, search: "x" }) { totalCount } }`],
  ['a summary', `{ breachSummary(filter: { resourceId: ["@"], search: "x" }) { eventCount } }`],
])('S5: who asks about a student and sees no event is in the trail of that one: %s', async (what, query) => {
  const [asked, another] = [`STD-A ${what}`, `STD-B ${what}`];
  const about = (resourceId: string) => ({ code: 'DATA-005', resourceType: 'STUDENT', resourceId, username: 'pak.agus', metadata: { nilai: 92 } });
  await server.graphql('mutation ($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', { input: [{ ...about(asked), tags: [asked] }, about(another)] });
  const { errors } = await server.graphql(query.replace('@', asked), {}, counsellor);
  expect(errors).toBeUndefined();
  const readsOf = async (id: string) => (await server.graphql(TRAIL, { id })).data.subjectTrail.dealings
    .filter(({ username }: any) => username === 'bk.maya').map(({ dealing, eventCount }: any) => [dealing, eventCount]);
  expect(await readsOf(asked)).toEqual([['READ', 1]]);
  expect(await readsOf(another)).toEqual([]);
});

test('S5: whom a question leaves out, and what is of another kind, is not read by it', async () => {
  const filter = '{ resourceType: ["CLASS"], resourceId: ["STD-C"], not: { resourceId: ["STD-D"] }, search: "x" }'; // oxfmt-ignore
  expect((await server.graphql(`{ events(filter: ${filter}) { totalCount } }`, {}, counsellor)).errors).toBeUndefined(); // oxfmt-ignore
  expect((await told()).at(-1)).toMatchObject({ response_data: { findings_count: 0 }, metadata: { subjects: ['CLASS/STD-C'] } }); // oxfmt-ignore
  for (const id of ['STD-C', 'STD-D']) expect(await dealersOf('READ', id)).not.toContain('bk.maya');
});

test('S5: all whom a filter names are told of, and hundreds of kinds and identifiers by the identifier', async () => {
  const names = (what: string, count: number) => Array.from({ length: count }, (_, index) => `${what}${index} ${'🎓'.repeat(20)}`); // oxfmt-ignore
  const ask = 'query ($types: [String!], $ids: [String!]) { events(filter: { resourceType: $types, resourceId: $ids, search: "x" }) { totalCount } }'; // oxfmt-ignore
  const subjectsOf = async (types: string[], ids: string[]) => {
    const before = (await told()).length;
    expect((await server.graphql(ask, { types, ids }, counsellor)).errors).toBeUndefined();
    return (await told()).slice(before).flatMap(({ metadata }) => metadata.subjects);
  };
  const [one, many] = [names('T', 1), names('S', 490)];
  expect(await subjectsOf(one, many)).toEqual(many.map((id) => `${one[0]}/${id}`));
  const [types, ids] = [names('T', 100), names('S', 100)];
  expect(await subjectsOf(types, ids)).toEqual(ids.map((id) => `/${id}`));
});

const SEEN = 'seen: events(filter: { search: "x" }) { totalCount }';
const refused = (condition: string) => `asked: events(filter: { and: [{ json: [${condition}] }] }) { totalCount }`; // oxfmt-ignore
// oxfmt-ignore
test.each<[string, string, object?]>([
  ['in the document', `{ ${SEEN} ${refused('{ field: REQUEST_DATA, path: "a.password", equals: "hunter2" }')} }`],
  ['in a list', `{ ${SEEN} ${refused('{ field: METADATA, path: "api_key", in: ["hunter2"] }')} }`],
  ['in an object', `{ ${SEEN} ${refused('{ field: METADATA, path: "a", contains: { password: "hunter2" } }')} }`],
  ['below a secret', `{ ${SEEN} ${refused('{ field: METADATA, path: "password.0.old", equals: "hunter2" }')} }`],
  ['in a fragment', `query { ...F } fragment F on Query { ${SEEN} ${refused('{ field: METADATA, path: "pin", equals: "hunter2" }')} }`],
  ['in a variable', `query ($v: JSON!) { ${SEEN} ${refused('{ field: METADATA, path: "password", equals: $v }')} }`, { v: 'hunter2' }],
  ['in a default', `query ($v: JSON! = "hunter2") { ${SEEN} ${refused('{ field: METADATA, path: "password", equals: $v }')} }`],
  ['at a variable', `query ($p: String!) { ${SEEN} ${refused('{ field: METADATA, path: $p, equals: "hunter2" }')} }`, { p: 'password' }],
  ['in a condition', `query ($c: JsonCondition!) { ${SEEN} ${refused('$c')} }`, { c: { field: 'METADATA', path: 'password', equals: 'hunter2' } }],
  ['in the default of a condition', `query ($c: JsonCondition! = { field: METADATA, path: "password", equals: "hunter2" }) { ${SEEN} ${refused('$c')} }`],
  ['in a session', `{ ${SEEN} ${refused('{ field: METADATA, path: "session_id", equals: "hunter2" }')} }`],
])('S1: what is never stored is asked for in vain, and is not in the log of the question: %s', async (_, query, variables = {}) => {
  const before = (await told()).length;
  const { errors } = await server.graphql(query, variables, counsellor);
  expect(errors).toMatchObject([{ message: expect.stringContaining('is not stored as it is'), extensions: { code: 'BAD_USER_INPUT' } }]);
  expect(JSON.stringify(errors)).not.toContain('hunter2');
  const records = (await told()).slice(before);
  expect(records).toHaveLength(1);
  expect(JSON.stringify(records)).not.toContain('hunter2');
  expect(JSON.stringify(records[0]!['request_data'])).toContain('[dropped:secret]');
});

test('S1: whether a secret exists may be asked, and what the log shows in its place', async () => {
  const metadata = { password: 'rahasia-sekali', session_id: 'sesi-123' };
  await server.graphql('mutation ($metadata: JSON) { logEvent(input: { code: "AUTH-001", tags: ["S1"], metadata: $metadata }) { outcome } }', { metadata }); // oxfmt-ignore
  const counted = async (condition: string) => (await server.graphql(`{ events(filter: { tagsAny: ["S1"], json: [{ field: METADATA, ${condition} }] }) { totalCount edges { node { metadata } } } }`, {}, counsellor)).data.events; // oxfmt-ignore
  const found = await counted('path: "password", exists: true');
  expect(found.totalCount).toBe(1);
  const shown = found.edges[0].node.metadata;
  for (const path of ['password', 'session_id'])
    expect(await counted(`path: "${path}", equals: "${shown[path]}"`)).toMatchObject({ totalCount: 1 }); // oxfmt-ignore
});

test('whom an event without a kind is about is told by the identifier alone, so that the trail of a student has the read', async () => {
  await server.graphql(
    'mutation ($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }',
    { input: [{ code: 'DATA-009', username: 'pak.joko', resourceId: 'STD-KINDLESS' }] },
  );
  const query = '{ events(filter: { username: ["pak.joko"] }) { edges { node { username } } } }';
  const principal = await tokenOf({ sub: '19', preferred_username: 'pak.kepala' });
  await server.graphql(query, {}, principal);
  const [record] = (await told()).slice(-1);
  expect(record!['metadata'].subjects).toContain('/STD-KINDLESS');
  expect(await dealersOf('READ', 'STD-KINDLESS')).toContain('pak.kepala');
});
