// What a key is kept within, and where and for how long it may be used. (How keys are made and revoked: test/graphql/access.)

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiKey, createKeys } from '../../src/access/keys.ts';
import { testDatabase } from '../support/database.ts';
import { type TestServer, createTestServer, testServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

type Made = { key: string; apiKey: ApiKey };

const KEY =
  'key apiKey { id name scopes narrowing { category severity } sources origins eventsPerSecond expiresAt lastUsedAt replaces revokedAt }';
const make = async (call: string, of = server): Promise<Made> => {
  const { data, errors } = await of.graphql(`mutation { made: ${call} { ${KEY} } }`);
  if (errors) throw new Error(errors[0].message);
  return data.made;
};
const readers = (rights: string) =>
  make(`createApiKey(name: "reader", scopes: [EVENTS_READ, EVENTS_WRITE], ${rights})`);
const outcome = async (key: string, query = '{ severities { severity } }', of = server) => {
  const { errors } = await of.graphql(query, {}, key);
  return errors?.[0].extensions.code ?? 'answered';
};
const ask = async (key: string, query: string) => (await server.graphql(query, {}, key)).data;

describe('a key that is narrowed', () => {
  const names = { category: 'DATA', severity: 'INFO', resourceType: 'STUDENT', resourceId: 'S-1' };
  const inside = { code: 'DATA-001', ...names };
  const outside = { code: 'SEC-002', username: 'stranger', responseData: { confidence: 9 } };
  let key: string;
  beforeAll(async () => {
    key = (await readers('narrowing: { category: [DATA, PRED], resourceType: ["STUDENT"] }')).key;
    await server.rest([
      { ...inside, eventId: 'inside' },
      { ...outside, eventId: 'outside' },
      { code: 'DATA-001', username: 'nobody', eventId: 'no student' },
    ]);
  }); // oxfmt-ignore

  test('sees nothing outside in pages, counts, single events and reports', async () => {
    const of = (filter: string) =>
      ask(key, `{ events(filter: ${filter}) { totalCount edges { node { eventId } } } }`);
    const only = { events: { totalCount: 1, edges: [{ node: { eventId: 'inside' } }] } };
    for (const filter of [
      '{}',
      'null',
      '{ or: [{ category: [SECURITY] }, { category: [DATA] }] }',
      '{ not: { action: ["x"] } }',
    ])
      expect(await of(filter)).toEqual(only);
    expect((await of('{ category: [SECURITY] }')).events).toEqual({ totalCount: 0, edges: [] });
    expect(
      await ask(
        key,
        `{ a: event(eventId: "inside") { eventId } b: event(eventId: "outside") { eventId } c: event(eventId: "no student") { eventId }
           recentCriticalEvents { totalCount edges { node { eventId } } }
           userActivity(includeAnonymous: true) { username eventCount }
           endpointErrorRates(moreThan: 0) { endpoint } securitySummary(includeRelated: true) { type }
           systemPerformance { name } eventStats(range: { last: "PT1H" }, groupBy: [CATEGORY]) { count } }`,
      ),
    ).toEqual({
      a: { eventId: 'inside' },
      b: null,
      c: null,
      recentCriticalEvents: { totalCount: 0, edges: [] },
      userActivity: [{ username: null, eventCount: 1 }],
      endpointErrorRates: [],
      securitySummary: [],
      systemPerformance: [],
      eventStats: [{ count: 1 }],
    });
  });

  test('is sent nothing outside by any subscription, beside others who are', async () => {
    const follow = (query: string, of: string) =>
      server.subscribe(`subscription { ${query} }`, {}, of);
    const { key: wide } = await readers('eventsPerSecond: 1000');
    const stream = 'eventStream(after: "earliest") { events { eventId } }';
    const security = 'securityEventLogged(after: "earliest") { event { eventId } }';
    const seen = async (query: string, of: string) => {
      await using subscriber = follow(query, of);
      const all: string[] = [];
      for (;;) {
        const data = await subscriber.next(1_000).catch(() => undefined);
        if (!data) return all;
        const events = data.eventStream?.events ?? [data.securityEventLogged.event];
        all.push(...events.map(({ eventId }: any) => eventId));
      }
    };
    const [narrow, all, none, some] = await Promise.all([
      seen(stream, key), seen(stream, wide), seen(security, key), seen(security, wide),
    ]); // oxfmt-ignore
    expect(all).toEqual(expect.arrayContaining(['inside', 'outside', 'no student']));
    expect([narrow, none, some]).toEqual([['inside'], [], ['outside']]);
  });

  test('logs nothing outside: that is refused with a code, and waits in the quarantine', async () => {
    const { body } = await server.rest([inside, outside, { ...inside, code: 'DATA-002' }], key);
    expect(body.results.map(({ outcome: of, code }: any) => code ?? of)).toEqual(['STORED', 'FORBIDDEN', 'STORED']);
    const { data } = await server.graphql('{ quarantinedEvents(first: 1) { rejectionCode keyName source } }');
    expect(data.quarantinedEvents).toEqual([{ rejectionCode: 'FORBIDDEN', keyName: 'reader', source: outside }]);
  }); // oxfmt-ignore

  test('is not told by DUPLICATE or CONFLICT what is in an event it may not see', async () => {
    const probe = (event: object) =>
      server.graphql(
        'mutation($e: LogEventInput!) { logEvent(input: $e) { outcome event { username } } }',
        { e: event },
        key,
      );
    const { data } = await probe({ code: 'DATA-001', eventId: 'no student', resourceType: 'STUDENT' }); // oxfmt-ignore
    expect(data).toBeNull();
    for (const guess of [{}, { username: 'nobody' }, { username: 'x' }]) {
      const { errors } = await probe({ ...inside, eventId: 'outside', ...guess });
      expect(errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
      expect(errors![0].message).toContain('belongs to another event;');
    }
  });
});

test('who may only log is answered a duplicate that is theirs, and told nothing of one that says more', async () => {
  const { key } = await make('createApiKey(name: "writer", scopes: [EVENTS_WRITE])');
  const log = async (event: object) => {
    const { data, errors } = await server.graphql(
      'mutation($e: LogEventInput!) { logEvent(input: $e) { outcome event { ipAddress errorCode } } }',
      { e: event },
      key,
    );
    return data?.logEvent ?? errors![0].message;
  };
  const event = { code: 'AUTH-001', eventId: 'theirs', errorCode: 'E-1', ipAddress: '1.2.3.999' };
  expect(await log(event)).toMatchObject({ outcome: 'REPAIRED' });
  expect(await log(event)).toEqual({
    outcome: 'DUPLICATE',
    event: { ipAddress: null, errorCode: 'E-1' },
  });
  const { errorCode: _, ...less } = event;
  expect(await log(less)).toContain('belongs to another event;');
});

describe('an event of somebody else', () => {
  const EVENT = { code: 'AUTH-001', ipAddress: '10.1.2.3', username: 'andi', metadata: {} };
  const conflict = [{ extensions: { code: 'CONFLICT' }, message: expect.stringContaining('belongs to another event;') }]; // oxfmt-ignore
  const tryWith = (key: string, input: object) =>
    server.graphql('mutation($e: LogEventInput!) { logEvent(input: $e) { outcome } }', { e: input }, key); // oxfmt-ignore

  test.each(['EVENTS_WRITE', 'EVENTS_WRITE, EVENTS_READ'])(
    'is not found out by trying, with %s',
    async (scopes) => {
      const eventId = `of another, for ${scopes}`;
      const { key } = await make(`createApiKey(name: "curious", scopes: [${scopes}])`);
      await server.rest({ ...EVENT, eventId, remark: 'not sent' });
      const { body } = await server.rest(EVENT);
      const shown = scopes === 'EVENTS_WRITE' ? [] : [body.event_id as string];
      for (const id of [eventId, ...shown])
        for (const guess of [{}, { username: 'budi' }, { ipAddress: '10.1.2.4' }]) {
          const { errors } = await tryWith(key, { ...EVENT, eventId: id, ...guess });
          expect(errors).toMatchObject(conflict);
        }
    },
  );

  test('is no other where its id is one of ours, and who sends it again may not read', async () => {
    const { key } = await make('createApiKey(name: "patient", scopes: [EVENTS_WRITE])');
    const { body } = await server.rest(EVENT, key);
    const eventId = body.event_id as string;
    const { data } = await tryWith(key, { ...EVENT, eventId });
    expect(data).toEqual({ logEvent: { outcome: 'DUPLICATE' } });
    const { username: _, ...less } = EVENT;
    for (const other of [less, { ...EVENT, username: 'budi' }])
      expect((await tryWith(key, { ...other, eventId })).errors).toMatchObject(conflict);
  });

  test('is not found out by trying where it is not known who named it', async () => {
    const { key } = await make('createApiKey(name: "curious", scopes: [EVENTS_WRITE])');
    await server.rest({ ...EVENT, event_id: 'unowned' });
    await server.database.sql.begin(async (sql) => {
      await sql`SET LOCAL jejak.maintenance = 'on'`;
      await sql`UPDATE event_ids SET owner = NULL WHERE event_id = 'unowned'`;
    });
    expect((await tryWith(key, { ...EVENT, eventId: 'unowned' })).errors).toMatchObject(conflict);
  });

  test('is of somebody else too where the other key has the same name, also once that one was rotated', async () => {
    const [mine, other] = [await make('createApiKey(name: "namesake", scopes: [EVENTS_WRITE])'), await make('createApiKey(name: "namesake", scopes: [EVENTS_WRITE])')]; // oxfmt-ignore
    const event = { ...EVENT, event_id: 'of a namesake' };
    expect((await server.rest(event, mine.key)).status).toBe(201);
    expect((await server.rest(event, other.key)).status).toBe(409);
    const rotated = await make(`rotateApiKey(id: "${other.apiKey.id}")`);
    expect((await server.rest(event, rotated.key)).status).toBe(409);
    expect((await server.rest(event, mine.key)).status).toBe(200);
  });

  test('is a DUPLICATE to who may see all of it', async () => {
    await server.rest({ ...EVENT, eventId: 'seen' });
    const { key } = await make('createApiKey(name: "seeing", scopes: [EVENTS_WRITE, EVENTS_READ, EVENTS_READ_PERSONAL])'); // oxfmt-ignore
    const { data } = await tryWith(key, { ...EVENT, eventId: 'seen' });
    expect(data).toEqual({ logEvent: { outcome: 'DUPLICATE' } });
  });

  test('is theirs that a key logged before it was rotated; what they leave out is said by nobody', async () => {
    const old = await make('createApiKey(name: "outbox", scopes: [EVENTS_WRITE])');
    const event = { ...EVENT, event_id: 'in the outbox', remark: 'once' };
    expect((await server.rest(event, old.key)).body.outcome).toBe('REPAIRED');
    const next = await make(`rotateApiKey(id: "${old.apiKey.id}")`);
    const { key } = await make(`rotateApiKey(id: "${next.apiKey.id}")`);
    for (const each of [next.key, key])
      expect((await server.rest(event, each)).body.outcome).toBe('DUPLICATE');
    const { remark: _, ...less } = event;
    expect((await server.rest(less, key)).status).toBe(409);
  });
});

describe('a key may be used', () => {
  test('until it expires, by any server', async () => {
    const other = await testServer(server.database);
    const soon = new Date(Date.now() + 1_500).toISOString();
    const { key } = await readers(`expiresAt: "${soon}"`);
    expect([await outcome(key), await outcome(key, undefined, other)]).toEqual(['answered', 'answered']); // oxfmt-ignore
    await sleep(1_600);
    expect([await outcome(key), await outcome(key, undefined, other)]).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']); // oxfmt-ignore
  });

  test('only from where it may be used from, past trusted proxies alone', async () => {
    const { key: here } = await readers('sources: ["127.0.0.0/8", "::1"]');
    const { key: elsewhere } = await readers('sources: ["10.1.0.0/16", "2001:db8::/32"]');
    expect([await outcome(here), await outcome(elsewhere)]).toEqual(['answered', 'FORBIDDEN']);
    const through = await testServer(server.database, {
      JEJAK_TRUSTED_PROXIES: await import('../../src/access/caller.ts').then(({ blocksOf }) => blocksOf(['127.0.0.1', '10.9.0.0/16'])),
    }); // oxfmt-ignore
    const event = { code: 'AUTH-001' };
    const by = async (of: TestServer, forwarded: string) =>
      (await of.rest(event, elsewhere, { 'x-forwarded-for': forwarded })).status;
    expect(await by(server, '10.1.2.3')).toBe(403); // nobody vouches for it
    expect(await by(through, '10.1.2.3')).toBe(201);
    expect(await by(through, '2001:db8::5')).toBe(201);
    expect(await by(through, '8.8.8.8, 10.1.2.3, 10.9.0.1')).toBe(201);
    expect(await by(through, '10.1.2.3, 8.8.8.8')).toBe(403); // what an untrusted one says
    expect(await by(through, '10.1.2.3, unknown')).toBe(403);
    expect(await by(through, '')).toBe(403);
  });

  test('so many times a second as it says, whatever others may', async () => {
    const { key } = await readers('eventsPerSecond: 5');
    const event = { code: 'AUTH-001' };
    const statuses = [];
    for (let times = 0; times < 7; times++) statuses.push((await server.rest(event, key)).status);
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(5);
    const { status, headers, body } = await server.rest(Array.from({ length: 5 }, () => event), key); // oxfmt-ignore
    expect([status, body.error]).toMatchObject([503, { code: 'OVERLOADED', retryAfterMs: expect.any(Number) }]); // oxfmt-ignore
    expect(headers.get('retry-after')).toBe('1');
    // To come again with as many would never help.
    expect((await server.rest(Array.from({ length: 6 }, () => event), key)).body.error).toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining('5 events per second') }); // oxfmt-ignore
    expect((await server.rest(Array.from({ length: 50 }, () => event))).status).toBe(201);
  });
});

test('when a key was last used is kept to the minute, at the cost of one statement a minute', async () => {
  const { key, apiKey } = await readers('eventsPerSecond: 100');
  const lastUse = async () => {
    const { data } = await server.graphql('{ apiKeys { id lastUsedAt } }');
    return data.apiKeys.find(({ id }: any) => id === apiKey.id).lastUsedAt;
  };
  expect(await lastUse()).toBeNull();
  await outcome(key);
  const used = await vi.waitFor(async () => {
    const at = await lastUse();
    expect(at).not.toBeNull();
    return at;
  }, 10_000);
  expect(Date.parse(used)).toBeGreaterThan(Date.now() - 5_000);
  const other = await testServer(server.database); // it looks the key up anew
  await outcome(key, undefined, other);
  await sleep(200);
  expect(await lastUse()).toBe(used);
});

describe('rotation', () => {
  test('makes another key of the same rights, and both are good while they overlap', async () => {
    const old = await readers('narrowing: { category: [DATA] }, sources: ["127.0.0.1"], eventsPerSecond: 9'); // oxfmt-ignore
    const made = await make(`rotateApiKey(id: "${old.apiKey.id}", overlap: "PT2S")`);
    expect(made.key).not.toBe(old.key);
    expect(made.apiKey).toMatchObject({
      ...old.apiKey,
      id: expect.any(String),
      replaces: String(old.apiKey.id),
      lastUsedAt: null,
      expiresAt: null,
    });
    expect([await outcome(old.key), await outcome(made.key)]).toEqual(['answered', 'answered']);
    await sleep(2_100);
    expect([await outcome(old.key), await outcome(made.key)]).toEqual(['UNAUTHENTICATED', 'answered']); // oxfmt-ignore
  });

  test('never lengthens the life of the old key, and the new one lives as long as that was to', async () => {
    const day = 86_400_000;
    const old = await readers(`expiresAt: "${new Date(Date.now() + day).toISOString()}"`);
    const made = await make(`rotateApiKey(id: "${old.apiKey.id}", overlap: "P30D")`);
    const life = Date.parse(made.apiKey.expiresAt!) - Date.now();
    expect(Math.abs(life - day)).toBeLessThan(60_000);
    const { data } = await server.graphql('{ apiKeys { id expiresAt } }');
    expect(data.apiKeys.find(({ id }: any) => id === old.apiKey.id).expiresAt).toBe(old.apiKey.expiresAt); // oxfmt-ignore
  });

  test('goes on from the key that is in its place: one that was replaced has only its overlap left to pass on', async () => {
    const old = await readers('eventsPerSecond: 9');
    const rotate = `rotateApiKey(id: "${old.apiKey.id}")`;
    const tries = await Promise.allSettled([make(rotate), make(rotate)]);
    const [made, ...more] = tries.flatMap((each) => each.status === 'fulfilled' ? [each.value] : []); // oxfmt-ignore
    expect(more).toEqual([]);
    const { errors } = await server.graphql(`mutation { ${rotate} { key } }`);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' }, message: expect.stringContaining(`Key ${made!.apiKey.id} is`) }]); // oxfmt-ignore
    const next = await make(`rotateApiKey(id: "${made!.apiKey.id}")`);
    expect(next.apiKey).toMatchObject({ replaces: made!.apiKey.id, expiresAt: null });
  });

  test('as long as a date goes on, where it was to live for ages', async () => {
    const { apiKey } = await make('createApiKey(name: "abadi", scopes: [EVENTS_READ], expiresAt: "9999-12-31T00:00:00Z")'); // oxfmt-ignore
    await server.database.sql`UPDATE api_keys SET created_at = created_at - interval '2 days' WHERE id = ${apiKey.id}`; // oxfmt-ignore
    const made = await make(`rotateApiKey(id: "${apiKey.id}")`);
    expect(made.apiKey.expiresAt).toMatch(/^9999-12-31T23:59:59/);
  });

  test('at once ends a key that was used a moment ago, and what was revoked cannot be rotated', async () => {
    const old = await readers('eventsPerSecond: 9');
    expect(await outcome(old.key)).toBe('answered');
    await make(`rotateApiKey(id: "${old.apiKey.id}", overlap: "PT0S")`);
    expect(await outcome(old.key)).toBe('UNAUTHENTICATED');
    for (const id of [old.apiKey.id, '999999', 'x', '-1'])
      await expect(make(`rotateApiKey(id: "${id}")`)).rejects.toThrow('There is no key');
  });
});

describe('a key for browsers', () => {
  const origin = 'https://portal.edupro.example';
  let made: Made;
  beforeAll(async () => {
    made = await make(
      `createBrowserKey(name: "portal", origins: ["${origin}", "http://localhost:3000"], codes: ["AUTH-001", "PRED-002", "SEC-002"], eventsPerSecond: 5)`,
    );
  });
  const post = (event: object, headers: Record<string, string> = { origin }) =>
    server.rest(event, made.key, headers);

  test('may log, up to WARNING, so often, and nothing else', () => {
    expect(made.apiKey).toMatchObject({
      scopes: ['EVENTS_WRITE'],
      narrowing: { severity: ['DEBUG', 'INFO', 'WARNING'] },
      eventsPerSecond: 5,
    });
  });

  test('logs what it is for, from the page it is for, and says itself where that came from', async () => {
    const { body } = await post(
      { code: 'AUTH-001', username: 'kepsek', user_id: 1, ip_address: '8.8.8.8', metadata: { source: 'server', page: '/' } },
      { origin, 'user-agent': 'Firefox' },
    ); // oxfmt-ignore
    const { data } = await server.graphql(
      'query($id: ID!) { event(eventId: $id) { username userId ipAddress userAgent metadata } }',
      { id: body.event_id },
    );
    expect(data.event).toEqual({
      username: null,
      userId: null,
      ipAddress: '127.0.0.1',
      userAgent: 'Firefox',
      metadata: {
        source: 'portal',
        page: '/',
        claimed: { username: 'kepsek', user_id: 1, ip_address: '8.8.8.8', source: 'server' },
      },
    });
  });

  test.each([
    ['another page', { origin: 'https://attacker.example' }],
    ['a page of another port', { origin: `${origin}:8443` }],
    ['a page without an origin', { origin: 'null' }],
    ['no page', {}],
  ])('is refused from %s', async (_name, headers) => {
    expect(await post({ code: 'AUTH-001' }, headers)).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN' } },
    });
  });

  test('logs no other code, nothing above its severity, and reads nothing', async () => {
    await sleep(1_000);
    for (const event of [{ code: 'AUTH-002' }, { code: 'SEC-002' }, { code: 'AUTH-001', severity: 'ERROR' }, { event_category: 'AUTH', event_type: 'T', event_name: 'N' }])
      expect((await post(event)).body.code).toBe('FORBIDDEN');
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${made.key}`, origin },
      body: JSON.stringify({ query: '{ events { totalCount } }' }),
    });
    expect(await response.text()).toContain('FORBIDDEN');
  }); // oxfmt-ignore

  test('is counted by address, so that one browser does not silence the others', async () => {
    const through = await testServer(server.database, {
      JEJAK_TRUSTED_PROXIES: await import('../../src/access/caller.ts').then(({ blocksOf }) => blocksOf(['127.0.0.1'])),
    }); // oxfmt-ignore
    const from = async (address: string) =>
      (await through.rest([1, 2, 3, 4].map(() => ({ code: 'AUTH-001' })), made.key, { origin, 'x-forwarded-for': address })).status; // oxfmt-ignore
    expect([await from('1.1.1.1'), await from('1.1.1.1'), await from('2.2.2.2')]).toEqual([201, 503, 201]); // oxfmt-ignore
    expect([await from('2001:db8:0:1::1'), await from('2001:db8:0:1:a::2'), await from('2001:db8:0:2::1')]).toEqual([201, 503, 201]); // oxfmt-ignore
  });

  test.each([
    ['origins: ["portal.example"], codes: ["AUTH-001"]', '"portal.example" is no origin'],
    ['origins: ["https://portal.example/path"], codes: ["AUTH-001"]', 'is no origin'],
    ['origins: ["null"], codes: ["AUTH-001"]', '"null" is no origin'],
    ['origins: [], codes: ["AUTH-001"]', '`origins` have 1 to 50'],
    ['origins: ["https://a.example"], codes: []', '`codes`: must have 1 to 100 values.'],
    ['origins: ["https://a.example"], codes: ["AUTH-001", "AUTH-999"]', '`codes[1]`: is not in the catalog.'],
    ['origins: ["https://a.example"], codes: ["AUTH-001"], eventsPerSecond: 0', '`eventsPerSecond`'],
  ])('is not made with %s', async (rights, why) => {
    await expect(make(`createBrowserKey(name: "x", ${rights})`)).rejects.toThrow(why);
  }); // oxfmt-ignore
});

test.each([
  ['a narrowed administrator', 'scopes: [ADMIN], narrowing: { category: [DATA] }'],
  ['an end that is past', 'scopes: [EVENTS_READ], expiresAt: "2020-01-01T00:00:00Z"'],
  ['a block that is none', 'scopes: [EVENTS_READ], sources: ["10.0.0.0/99"]'],
  ['a name for an address', 'scopes: [EVENTS_READ], sources: ["localhost"]'],
  ['nowhere', 'scopes: [EVENTS_READ], sources: []'],
  ['an empty narrowing', 'scopes: [EVENTS_READ], narrowing: { category: [] }'],
  ['a code that is none', 'scopes: [EVENTS_READ], narrowing: { code: ["AUTH-999"] }'],
  ['no events a second', 'scopes: [EVENTS_READ], eventsPerSecond: 0'],
])('a key with %s is not made', async (_name, rights) => {
  const { errors } = await server.graphql(`mutation { createApiKey(name: "x", ${rights}) { key } }`);
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
}); // oxfmt-ignore

test('an unknown, a revoked and an expired key cost the same statement and are told the same', async () => {
  const { sql } = await testDatabase();
  const statements: string[] = [];
  const watched = new Proxy(sql, {
    apply: (target, _this, [strings, ...values]: [TemplateStringsArray, ...never[]]) => {
      if (Array.isArray(strings) && 'raw' in strings) statements.push(strings.join('?'));
      return target(strings, ...values);
    },
  });
  const keys = createKeys({ write: watched, access: watched }, async (work) => work(), undefined);
  const kinds = {
    unknown: await keys.create({ name: 'unknown', scopes: ['admin'] }),
    revoked: await keys.create({ name: 'revoked', scopes: ['admin'] }),
    expired: await keys.create({ name: 'expired', scopes: ['admin'] }),
  };
  await keys.revoke(kinds.revoked.apiKey.id);
  await sql`DELETE FROM api_keys WHERE id = ${kinds.unknown.apiKey.id}`;
  await sql`UPDATE api_keys SET expires_at = created_at WHERE id = ${kinds.expired.apiKey.id}`;
  const told = [];
  for (const { key } of Object.values(kinds)) {
    statements.length = 0;
    const message = await keys.find(key).catch(({ message: of }: Error) => of);
    told.push({ message, statements: [...statements] });
  }
  expect(told[0]!.statements).toHaveLength(1);
  expect(told[0]!.statements[0]).toContain('WHERE hash =');
  expect(told[1]).toEqual(told[0]);
  expect(told[2]).toEqual(told[0]);
});
