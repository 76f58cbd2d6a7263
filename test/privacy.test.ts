// Forty canaries, values of every kind that a policy is about, sent everywhere an event has text, through both doors. What is
// dropped or hashed is nowhere afterwards; what is masked is only where somebody may see it.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Action } from '../src/events/privacy.ts';
import { createLogger } from '../src/logger.ts';
import { type Service, startService } from '../src/service.ts';
import { type TestDatabase, createTestDatabase } from './support/database.ts';
import { temporaryDirectory } from './support/process.ts';
import { type Clients, clientsOf, testConfig, testServer } from './support/server.ts';

/** The action it falls under, the key it is found by, and the value. `free` is one that is told from its form alone. */
type Canary = readonly [action: Exclude<Action, 'keep'>, key: string, value: string, free?: 'free'];
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJrZW5hcmkifQ.kenari_tanda_tangan';
// oxfmt-ignore
const canaries: readonly Canary[] = [
  ['drop', 'password', 'kenari-sandi-1a'], ['drop', 'kata_sandi', 'kenari-sandi-2b'], ['drop', 'newPassword', 'kenari-sandi-3c'],
  ['drop', 'passwd', 'kenari-sandi-4d'], ['drop', 'token', 'kenari-token-5e'], ['drop', 'refreshToken', 'kenari-token-6f'],
  ['drop', 'X-API-Key', 'kenari-kunci-7g'], ['drop', 'client_secret', 'kenari-rahasia-8h'], ['drop', 'cookie', 'kenari-kue-9i'],
  ['drop', 'Authorization', `Bearer kenari.9876.tanda`, 'free'], ['drop', 'private_key', 'kenari-kunci-1j'], ['drop', 'pin', '908172635'],
  ['drop', 'otp', '817263549'], ['drop', 'credentials', 'kenari-kredensial-1k'], ['drop', 'jwt', JWT, 'free'],
  ['drop', 'nik', '3273015508090007', 'free'], ['drop', 'nik_ayah', '32.73.01.550809.0008', 'free'], ['drop', 'no_kk', '3273010101090009', 'free'],
  ['drop', 'npwp', '3174-5508-0900-0010', 'free'], ['drop', 'nomor_kartu', '4539 1488 0343 6467', 'free'], ['drop', 'sidik_jari', 'kenari-jari-1l'],
  ['hash', 'session_id', 'sess_kenari1234567', 'free'], ['hash', 'PHPSESSID', 'kenari-sesi-2m'], ['hash', 'no_rekening', '7712345678901'],
  ['mask', 'nisn', '0087654321'], ['mask', 'nis', '87654329'], ['mask', 'nip', '198765432100'], ['mask', 'no_hp', '0812-8765-4321', 'free'],
  ['mask', 'telepon', '+62 813 8765 4322', 'free'], ['mask', 'surel', 'kenari.budi@sekolah.sch.id', 'free'], ['mask', 'nama_siswa', 'Kenari Rahmawati'],
  ['mask', 'nama_ibu', 'Kenari Sulastri'], ['mask', 'username', 'kenari.guru'], ['mask', 'agama', 'Kenarisme'],
  ['mask', 'penghasilan', 'kenari-7654321'], ['mask', 'nilai', 'kenari-97'], ['mask', 'alamat', 'Jalan Kenari 12'], ['mask', 'tanggal_lahir', '2009-08-15-kenari'],
  ['mask', 'ip_address', '203.0.113.77', 'free'], ['mask', 'riwayat_penyakit', 'kenari-asma'],
];
const never = canaries.filter(([action]) => action !== 'mask').map(([, , value]) => value);
const personal = canaries.filter(([action]) => action === 'mask').map(([, , value]) => value);

const TEXTS = ['description', 'errorMessage', 'userAgent', 'endpoint', 'name', 'type', 'action'] as const; // oxfmt-ignore

/** Events with a canary in every place: by its key in JSON and in labelled text, and alone where its form tells it. */
const eventsWith = ([, key, value, free]: Canary, index: number, door: string): object[] => {
  const labelled = `${key}=${value}`;
  const text = free ? `lihat ${value} ini` : labelled;
  const base = { category: 'DATA', type: 'KENARI', name: 'Kenari', severity: 'CRITICAL' };
  return [
    {
      ...base,
      ...Object.fromEntries(TEXTS.map((name) => [name, name === 'endpoint' ? `/api/x?${labelled}` : labelled.slice(0, 50)])), // oxfmt-ignore
      description: `${text}; {"${key}": "${value}"}`,
      tags: [labelled, ...(free ? [value] : [])],
      metadata: {
        [key]: value,
        dalam: [{ lagi: { [key]: [value] } }],
        teks: text,
        json: JSON.stringify({ [key]: value }),
      },
      requestData: {
        [labelled]: 1,
        headers: [[key, value]],
        ubah: { field: key, old: value, new: value },
      },
      responseData: free ? [value, { [value]: value }] : { [key]: { isi: value } },
      [key]: value, // a field of no event: kept in metadata._original, or one of its own
      userId: free ? value : undefined,
    },
    {
      ...base,
      eventId: `${door}-${index}-${free ? value : ''}`.slice(0, 50),
      resourceId: free ? value.slice(0, 50) : 'STD-1',
    },
    { category: 'DATA', description: labelled, metadata: { [key]: value } }, // refused: quarantined
  ];
};

let database: TestDatabase;
let service: Service;
let clients: Clients;
let ownLog = '';
beforeAll(async () => {
  database = await createTestDatabase();
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      ownLog += chunk.toString();
      done();
    },
  });
  service = await startService(testConfig({ DATABASE_URL: database.url }), createLogger('trace', stream)); // oxfmt-ignore
  clients = clientsOf(service);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const keyFor = async (scopes: string[], of: Clients = clients): Promise<string> => {
  const made = await of.graphql(
    'mutation($scopes: [Scope!]!) { createApiKey(name: "kenari", scopes: $scopes) { key } }',
    { scopes: scopes.map((scope) => scope.toUpperCase().replace(':', '_')) },
  );
  return made.data.createApiKey.key;
};

const found = (text: string, values: readonly string[]): string[] =>
  values.filter((value) => text.includes(value) || text.includes(JSON.stringify(value).slice(1, -1))); // oxfmt-ignore

const FIELDS = 'eventId code category type name description userId username userRole ipAddress userAgent sessionId resourceType resourceId resourceName action status endpoint requestData responseData errorMessage errorCode metadata tags'; // oxfmt-ignore
const LIST = `query($after: String) { events(first: 200, after: $after, filter: {severity: [CRITICAL]}) { pageInfo { endCursor hasNextPage } edges { node { ${FIELDS} } } } }`;
const LIVE = `subscription { eventLogged(after: "earliest") { event { ${FIELDS} } } }`;
const REPORTS = `{
  userActivity(includeAnonymous: true) { username userId eventCount }
  endpointErrorRates(moreThan: 0) { endpoint } securitySummary(includeRelated: true) { type }
  systemPerformance { name } recentCriticalEvents { edges { node { ${FIELDS} } } }
  eventStats(range: {last: "PT1H"}, groupBy: [USERNAME, IP_ADDRESS, ENDPOINT, NAME]) { username ipAddress endpoint name count }
}`;

describe('forty canaries in every field, through both doors', () => {
  const answers: string[] = [];
  let total = 0;
  beforeAll(async () => {
    for (const [index, canary] of canaries.entries()) {
      const LOG = `mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { outcome reason warnings { field message } event { ${FIELDS} } } } }`;
      const known = eventsWith(canary, index, 'g').map(
        (event) =>
        Object.fromEntries(Object.entries(event).filter(([name]) => FIELDS.split(' ').includes(name) && name !== 'userId')), // oxfmt-ignore
      );
      const graphql = await clients.graphql(LOG, { input: known });
      if (graphql.errors) throw new Error(JSON.stringify(graphql.errors));
      answers.push(JSON.stringify(graphql));
      answers.push(JSON.stringify(await clients.rest(eventsWith(canary, index, 'r'))));
      // What the libraries refuse, they repeat.
      answers.push(JSON.stringify(await clients.graphql('mutation($input: LogEventInput!) { logEvent(input: $input) { outcome } }', { input: { code: 'AUTH-001', [canary[1].replaceAll(/\W/g, '_')]: canary[2] } }))); // oxfmt-ignore
      answers.push(JSON.stringify(await clients.rest(`{"code": "AUTH-001", "${canary[1]}": "${canary[2]}" oops`))); // oxfmt-ignore
    }
    const { sql } = database;
    const session = canaries.find(([, key]) => key === 'session_id')![2];
    await clients.rest({ code: 'AUTH-001', username: 'kenari.guru', ip_address: '203.0.113.77', session_id: session, resource_type: 'STUDENT', resource_name: 'Kenari Rahmawati', event_description: 'Data siswa Kenari Rahmawati dibuka kenari.guru dari 203.0.113.77' }); // oxfmt-ignore
    const [{ count }] = await sql<[{ count: number }]>`SELECT count(*) FROM events`;
    total = count;
  });

  test('S1, S2: what is dropped or hashed is in no table', async () => {
    const { sql } = database;
    const tables = await sql<{ name: string }[]>`
      SELECT quote_ident(relname) AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`;
    let dump = '';
    for (const { name } of tables) {
      const rows = await sql.unsafe<{ row: string }[]>(`SELECT t::text AS row FROM ${name} AS t`);
      dump += rows.map(({ row }) => row).join('\n').replaceAll('""', '"'); // oxfmt-ignore
    }
    expect(dump).toContain('Kenari Rahmawati'); // what is masked is kept
    expect(found(dump, never)).toEqual([]);
  });

  test('S1: nor in an answer, an error, our own log, the metrics or the quarantine', async () => {
    expect(found(answers.join('\n'), never)).toEqual([]);
    expect(found(ownLog, never)).toEqual([]);
    expect(found(await (await fetch(`${service.url}/metrics`)).text(), [...never, ...personal])).toEqual([]); // oxfmt-ignore
    const { data } = await clients.graphql('{ quarantinedEvents(first: 200) { reason source } }');
    expect(data.quarantinedEvents).toHaveLength(canaries.length * 2);
    expect(found(JSON.stringify(data), never)).toEqual([]);
  });

  const everythingSeenWith = async (key: string): Promise<string> => {
    let seen = '';
    for (let after: string | null = null; ;) {
      const { data, errors }: { data?: any; errors?: unknown } = await clients.graphql(
        LIST,
        { after },
        key,
      );
      expect(errors).toBeUndefined();
      seen += JSON.stringify(data);
      after = data.events.pageInfo.endCursor;
      if (!data.events.pageInfo.hasNextPage) break;
    }
    const reports = await clients.graphql(REPORTS, {}, key);
    expect(reports.errors).toBeUndefined();
    seen += JSON.stringify(reports);
    await using live = clients.subscribe<object>(LIVE, {}, key);
    for (let index = 0; index < total; index++) seen += JSON.stringify(await live.next()); // oxfmt-ignore
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream', 'content-type': 'application/json' }, // oxfmt-ignore
      body: JSON.stringify({ query: LIVE }),
    });
    const decoder = new TextDecoder();
    let events = 0;
    for await (const chunk of response.body!) {
      const text = decoder.decode(chunk, { stream: true });
      seen += text;
      events += text.split('event: next').length - 1;
      if (events >= total) break;
    }
    const exported = await fetch(`${service.url}/api/export`, { headers: { authorization: `Bearer ${key}` } }); // oxfmt-ignore
    expect(exported.status).toBe(200);
    const lines = await exported.text();
    expect(lines.split('\n').length).toBeGreaterThan(total);
    return seen + lines;
  };

  test('S1: who may not see what is personal sees it nowhere: lists, reports, statistics, WebSocket, server-sent events, exports', async () => {
    const seen = await everythingSeenWith(await keyFor(['events:read', 'events:export']));
    expect(found(seen, [...never, ...personal])).toEqual([]);
    expect(seen).toContain('k***u'); // but that there was a user
    expect(seen).toContain('203.0.113.***');
  });

  test('S1: a text is masked by what the rest of its event says, whether that is asked for or not', async () => {
    const key = await keyFor(['events:read']);
    const filter = '{code: ["AUTH-001"], resourceType: ["STUDENT"]}';
    const { data } = await clients.graphql(`{ events(first: 200, filter: ${filter}) { edges { node { description } } } }`, {}, key); // oxfmt-ignore
    await using live = clients.subscribe(`subscription { eventLogged(after: "earliest", filter: ${filter}) { event { description } } }`, {}, key); // oxfmt-ignore
    const texts = [JSON.stringify(data), JSON.stringify(await live.next())];
    for (const text of texts) {
      expect(text).toContain('dibuka k***u dari 203.0.113.***');
      expect(found(text, personal)).toEqual([]);
    }
  });

  test('S1: so are its JSON, in values, keys and pairs', async () => {
    const key = await keyFor(['events:read', 'events:export']);
    await clients.graphql('mutation($input: LogEventInput!) { logEvent(input: $input) { outcome } }', {
      input: {
        code: 'DATA-001', username: 'budi.santoso', resourceType: 'SISWA', resourceId: 'SIS-7', resourceName: 'Siti Wulandari',
        requestData: { note: 'Ahmad Rizki ikut', pasangan: [['Siti Wulandari', 'hadir']], nama: [[['Dewi Lestari', 'Ayu Ningsih']]] },
        metadata: { note: 'budi.santoso melihat SITI WULANDARI', nama_wali: 'Ahmad Rizki', 'budi.santoso': [{ oleh: 'budi.santoso' }] },
      },
    }); // oxfmt-ignore
    const filter = '{resourceType: ["SISWA"]}';
    const { data } = await clients.graphql(`{ events(filter: ${filter}) { edges { node { ${FIELDS} } } } }`, {}, key); // oxfmt-ignore
    const alone = await clients.graphql(`{ events(filter: ${filter}) { edges { node { eventId } } } }`, {}, key); // oxfmt-ignore
    const exported = await fetch(`${service.url}/api/export?${new URLSearchParams({ filter: '{"resourceType":["SISWA"]}' })}`, { headers: { authorization: `Bearer ${key}` } }); // oxfmt-ignore
    const seen = JSON.stringify([data, alone]) + (await exported.text());
    expect(seen).not.toMatch(/budi|siti|ahmad|dewi|ayu/i);
    expect(data.events.edges[0].node).toMatchObject({
      requestData: { note: 'A***i ikut', pasangan: [['S***i', 'hadir']], nama: [[['D***i', 'A***h']]] },
      metadata: { note: 'b***o melihat S***I', 'b***o': [{ oleh: 'b***o' }] },
    }); // oxfmt-ignore
  });

  test('S4: what an event is counted and followed by is shown as it is: to who logs, in lists and in statistics', async () => {
    const sent = { code: 'DATA-001', eventId: 'login-andi-17', username: 'andi', resourceType: 'KELAS', resourceId: 'kelas-andi' }; // oxfmt-ignore
    const ids = { eventId: sent.eventId, resourceId: sent.resourceId };
    const LOG = 'mutation($input: LogEventInput!) { logEvent(input: $input) { event { eventId resourceId username } } }'; // oxfmt-ignore
    const logged = await clients.graphql(LOG, { input: sent }, await keyFor(['events:write']));
    expect(logged.data.logEvent.event).toEqual({ ...ids, username: 'a***i' });
    const { data } = await clients.graphql('{ events(filter: {resourceType: ["KELAS"]}) { edges { node { eventId resourceId } } } eventStats(range: {last: "PT1H"}, filter: {resourceType: ["KELAS"]}, groupBy: [RESOURCE_ID]) { resourceId } }', {}, await keyFor(['events:read'])); // oxfmt-ignore
    expect(data.events.edges).toEqual([{ node: ids }]);
    expect(data.eventStats).toEqual([{ resourceId: ids.resourceId }]);
  });

  test('S4: who may, sees it', async () => {
    const seen = await everythingSeenWith(
      await keyFor(['events:read', 'events:export', 'events:read_personal']),
    );
    expect(found(seen, never)).toEqual([]);
    expect(found(seen, personal)).toEqual(personal);
  });

  test('S4: a duplicate shows who logs no more than that', async () => {
    const key = await keyFor(['events:write', 'events:read']);
    const sent = { code: 'DATA-001', eventId: 'kenari-ganda', resourceName: 'Kenari Rahmawati', requestData: { agama: 'Kenarisme' } }; // oxfmt-ignore
    const LOG = `mutation($input: LogEventInput!) { logEvent(input: $input) { outcome event { ${FIELDS} } } }`;
    await clients.graphql(LOG, { input: sent }, key);
    const again = await clients.graphql(LOG, { input: sent }, key);
    expect(again.errors).toBeUndefined();
    expect(again.data.logEvent.outcome).toBe('DUPLICATE');
    expect(found(JSON.stringify(again), personal)).toEqual([]);
    const less = await clients.graphql(LOG, { input: { code: 'DATA-001', eventId: 'kenari-ganda' } }, key); // oxfmt-ignore
    expect(less.errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
    expect(found(JSON.stringify(less), personal)).toEqual([]);
  });
});

test('S1: a breach summary shows kinds and families as masked as events have them', async () => {
  const about = { category: 'DATA', type: 'RAPOR siswa Wulandari', name: 'Lihat', resource_type: 'siswa Budi Santoso', resource_id: 'S-1' }; // oxfmt-ignore
  const read = { code: 'ADMIN-008', metadata: { subjects: ['budi@sekolah.id/7'] } };
  const own = await testServer();
  await own.rest([about, read]);
  const SUMMARY = '{ breachSummary(filter: {}) { types subjects { resourceType types } } }';
  const masked = JSON.stringify((await own.graphql(SUMMARY, {}, await keyFor(['events:read'], own))).data); // oxfmt-ignore
  expect(masked).not.toMatch(/Wulandari|Santoso|budi@/);
  expect(masked).toContain('RAPOR siswa W***i');
  const whole = JSON.stringify((await own.graphql(SUMMARY)).data);
  for (const text of ['RAPOR siswa Wulandari', 'siswa Budi Santoso', 'budi@sekolah.id']) expect(whole).toContain(text); // oxfmt-ignore
});

describe('what is masked cannot be asked about either', () => {
  test.each([
    ['username', '{username: ["kenari.guru"]}'],
    ['ipAddress', '{or: [{severity: [INFO]}, {not: {ipAddress: ["203.0.113.77"]}}]}'],
    ['`json`', '{not: {json: [{field: REQUEST_DATA, path: "agama", contains: "Kenarisme"}]}}'],
    ['`search`', '{search: "kenari"}'],
  ])(
    'a filter by %s is refused, in queries, statistics and subscriptions',
    async (name, filter) => {
      const key = await keyFor(['events:read']);
      for (const query of [
        `{ events(filter: ${filter}) { totalCount } }`,
        `{ eventStats(range: {last: "PT1H"}, filter: ${filter}) { count } }`,
      ]) {
        const { errors } = await clients.graphql(query, {}, key);
        expect(errors![0]).toMatchObject({ message: expect.stringContaining(name), extensions: { code: 'FORBIDDEN' } }); // oxfmt-ignore
      }
      await using live = clients.subscribe(`subscription { eventLogged(filter: ${filter}) { cursor } }`, {}, key); // oxfmt-ignore
      await expect(live.next()).rejects.toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    },
  );

  test('nor are scores averaged, while other numbers are', async () => {
    const key = await keyFor(['events:read']);
    const STATS = 'query($path: String!) { eventStats(range: {last: "PT1H"}) { data(path: $path) { average } } }'; // oxfmt-ignore
    // What a value is may stand beside it: { field: "nilai", new: 85 }, ["nilai", 91].
    for (const path of ['requestData.siswa.nilai', 'requestData.new', 'metadata.rincian.0.1']) {
      const refused = await clients.graphql(STATS, { path }, key);
      expect(refused.errors![0].extensions.code).toBe('FORBIDDEN');
    }
    expect((await clients.graphql(STATS, { path: 'responseData.confidence' }, key)).errors).toBeUndefined(); // oxfmt-ignore
  });

  test('nor are numbers told that an event itself masks, while whoever may see them has them', async () => {
    const numbers = [6281234567890, '6281234567890', '081234567', '+623456789', '-0812345678', '20251234', '62.81234567890', '6281234567890e-9', 7, ' 93.5e0']; // oxfmt-ignore
    const sent = numbers.map((nomor) => ({ code: 'PRED-002', description: 'nomor', username: '20251234', metadata: { nomor }, responseData: { confidence: nomor } })); // oxfmt-ignore
    await clients.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', { input: sent }); // oxfmt-ignore
    const STATS = '{ eventStats(range: {last: "PT1H"}) { metadata: data(path: "metadata.nomor") { count maximum minimum p99 } confidence: data(path: "responseData.confidence") { count maximum minimum p99 } } }'; // oxfmt-ignore
    const rest = { count: 2, maximum: 93.5, minimum: 7, p99: expect.closeTo(92.635) };
    const withShare = { ...rest, count: 3, p99: expect.any(Number) }; // 62.81234567890
    const masked = await clients.graphql(STATS, {}, await keyFor(['events:read']));
    expect(masked.data.eventStats).toEqual([{ metadata: rest, confidence: withShare }]);
    const whole = await clients.graphql(STATS);
    expect(whole.data.eventStats[0].metadata).toMatchObject({
      count: numbers.length,
      maximum: 6281234567890,
    });
  });
});

test('a policy that masks userId and resourceId is kept by reports, statistics and trails', async () => {
  const file = join(await temporaryDirectory(), 'policy.json');
  await writeFile(file, '{"fields": {"userId": "mask", "resourceId": "mask"}}');
  const own = await testServer(undefined, { JEJAK_PRIVACY_POLICY: file });
  const sent = { code: 'DATA-001', userId: 4711, username: 'guru', resourceType: 'STUDENT', resourceId: 'STD-4711' }; // oxfmt-ignore
  await own.graphql('mutation($input: LogEventInput!) { logEvent(input: $input) { outcome } }', { input: sent }); // oxfmt-ignore
  const ASK = '{ events(filter: {code: ["DATA-001"]}) { edges { node { userId resourceId } } } userActivity { userId } eventStats(range: {last: "PT1H"}, filter: {code: ["DATA-001"]}, groupBy: [USER_ID, RESOURCE_ID, DAY_OF_WEEK]) { userId resourceId dayOfWeek } }'; // oxfmt-ignore
  const TRAIL = '{ subjectTrail(resourceType: "STUDENT", resourceId: "STD-4711") { dealings { userId } } }'; // oxfmt-ignore
  const reader = await keyFor(['events:read'], own);
  const masked = await own.graphql(ASK, {}, reader);
  expect(masked.errors).toBeUndefined();
  expect(JSON.stringify(masked.data)).not.toContain('4711');
  expect(masked.data.eventStats).toEqual([{ userId: null, resourceId: 'S***1', dayOfWeek: expect.any(Number) }]); // oxfmt-ignore
  const refused = await own.graphql(TRAIL, {}, reader);
  expect(refused.errors).toMatchObject([{ message: expect.stringContaining('resourceId'), extensions: { code: 'FORBIDDEN' } }]); // oxfmt-ignore
  const whole = await own.graphql(ASK);
  expect(whole.data).toMatchObject({ userActivity: expect.arrayContaining([{ userId: 4711 }]), eventStats: [{ userId: 4711 }] }); // oxfmt-ignore
  expect((await own.graphql(TRAIL)).data.subjectTrail.dealings).toEqual([{ userId: 4711 }]);
});

test('a policy that masks what events are counted by is kept by lists, filters, statistics and reports', async () => {
  const file = join(await temporaryDirectory(), 'policy.json');
  await writeFile(file, '{"fields": {"name": "mask", "endpoint": "mask", "tags": "mask"}}');
  const own = await testServer(undefined, { JEJAK_PRIVACY_POLICY: file });
  const sent = { code: 'DATA-001', name: 'Kenari dibuat', endpoint: '/api/kenari', tags: ['kenari'], processingTimeMs: 5 }; // oxfmt-ignore
  await own.graphql('mutation($input: LogEventInput!) { logEvent(input: $input) { outcome } }', { input: sent }); // oxfmt-ignore
  const ASK = '{ events { edges { node { name endpoint tags } } } eventStats(range: {last: "PT1H"}, groupBy: [NAME, ENDPOINT]) { name endpoint } endpointErrorRates(moreThan: 0) { endpoint } systemPerformance { name } }'; // oxfmt-ignore
  const reader = await keyFor(['events:read'], own);
  const masked = await own.graphql(ASK, {}, reader);
  expect(masked.errors).toBeUndefined();
  expect(JSON.stringify(masked.data)).not.toMatch(/kenari/i);
  expect(masked.data).toMatchObject({ endpointErrorRates: [{ endpoint: '/***i' }], systemPerformance: [{ name: 'K***t' }] }); // oxfmt-ignore
  for (const filter of [
    'endpoint: ["/api/kenari"]',
    'tagsAny: ["kenari"]',
    'not: {tagsAll: ["kenari"]}',
  ]) {
    const { errors } = await own.graphql(`{ events(filter: {${filter}}) { totalCount } }`, {}, reader); // oxfmt-ignore
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  }
  expect(JSON.stringify((await own.graphql(ASK)).data)).toContain('/api/kenari');
});

test('a policy that masks userId is kept by the trail of a person', async () => {
  const file = join(await temporaryDirectory(), 'policy.json');
  await writeFile(file, '{"fields": {"userId": "mask"}}');
  const own = await testServer(undefined, { JEJAK_PRIVACY_POLICY: file });
  await own.graphql('mutation { logEvent(input: { code: "DATA-001", userId: 4711, resourceType: "STUDENT", resourceId: "STD-1" }) { outcome } }'); // oxfmt-ignore
  const TRAIL = '{ subjectTrail(resourceType: "STUDENT", resourceId: "STD-1") { dealings { userId } } }'; // oxfmt-ignore
  const { data } = await own.graphql(TRAIL, {}, await keyFor(['events:read'], own));
  expect(data.subjectTrail.dealings).toEqual([{ userId: null }]);
});
