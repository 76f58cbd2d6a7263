// User tokens, and every way to forge one that we know of: each is refused. A token is made here by hand where a library would
// refuse to make it.

import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { readConfig } from '../../src/config.ts';
import { ADMIN_KEY, type TestServer, createTestServer, testServer } from '../support/server.ts';

const SECRET = 'a secret of the school that is long enough for HS512, so of 64 characters';
const ISSUER = 'https://sso.edupro.example';
const AUDIENCE = 'jejak';
const ROLES = {
  GURU: { scopes: ['events:read', 'events:read_personal', 'events:write'] },
  PENULIS: { scopes: ['events:write'] },
  BK: { scopes: ['events:read'], narrowing: { category: ['DATA'] } },
  WALI: { scopes: ['events:read'], narrowing: { category: ['AUTH', 'DATA'] } },
  PIKET: { scopes: ['events:read'], narrowing: { category: ['AUTH'] } },
  KEPALA_SEKOLAH: { scopes: ['admin'] },
} as const;

const seconds = (): number => Math.floor(Date.now() / 1000);
const claims = () => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: '12',
  preferred_username: 'guru01',
  roles: ['GURU'],
  exp: seconds() + 300,
});
const base64 = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

type Header = Record<string, unknown>;
const signedBy =
  (signature: (text: string) => string) =>
  (payload: object | string = claims(), header: Header = {}): string => {
    const text = `${base64({ typ: 'JWT', ...header })}.${base64(payload)}`;
    return `${text}.${signature(text)}`;
  };
const hmac = (text: string, secret: string | Buffer = SECRET, hash = 'sha256'): string =>
  createHmac(hash, secret).update(text).digest('base64url');

const hs256 = (payload?: object | string, header: Header = {}, secret = SECRET): string =>
  signedBy((text) => hmac(text, secret))(payload, { alg: 'HS256', ...header });

const QUERY = '{ severities { severity } }';
const outcome = async (server: TestServer, token: string, query = QUERY): Promise<string> => {
  const { errors } = await server.graphql(query, {}, token);
  return errors?.[0].extensions.code ?? 'answered';
};

const without = (name: string) => Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name)); // oxfmt-ignore
const flipped = (token: string): string => {
  const at = token.lastIndexOf('.') + 5;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
};

describe('tokens by a shared secret', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await createTestServer(undefined, {
      JEJAK_JWT_SECRET: SECRET,
      JEJAK_JWT_ISSUER: ISSUER,
      JEJAK_JWT_AUDIENCE: AUDIENCE,
      JEJAK_JWT_ROLES: ROLES as never,
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('open what the roles in them may do', async () => {
    expect(await outcome(server, hs256())).toBe('answered');
    expect(await outcome(server, hs256(), '{ apiKeys { id } }')).toBe('FORBIDDEN');
    const head = hs256({ ...claims(), roles: ['KEPALA_SEKOLAH', 'TU'] });
    expect(await outcome(server, head, '{ apiKeys { id } }')).toBe('answered');
    const none = hs256({ ...claims(), roles: ['SISWA', 'toString', '__proto__'] });
    expect(await outcome(server, none)).toBe('FORBIDDEN');
  });

  test.each(['HS384', 'HS512'])('may be signed with %s', async (alg) => {
    const token = signedBy((text) => hmac(text, SECRET, `sha${alg.slice(2)}`))(claims(), { alg });
    expect(await outcome(server, token)).toBe('answered');
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ownSecret = 'a secret of the attacker, as long as that of the school or longer';
  const attacks: Record<string, () => string> = {
    'alg none': () => `${base64({ alg: 'none', typ: 'JWT' })}.${base64(claims())}.`,
    'alg None in other letters': () => `${base64({ alg: 'nOnE', typ: 'JWT' })}.${base64(claims())}.`,
    'alg none with a signature': () => hs256(claims(), { alg: 'none' }),
    'no alg at all': () => hs256(claims(), { alg: undefined }),
    'an alg that is no text': () => hs256(claims(), { alg: ['HS256'] }),
    'an alg of another family: RS256': () => signedBy((text) => sign('sha256', Buffer.from(text), rsa.privateKey).toString('base64url'))(claims(), { alg: 'RS256' }),
    'an alg of another family: ES256': () => signedBy((text) => sign('sha256', Buffer.from(text), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url'))(claims(), { alg: 'ES256' }),
    'another secret': () => hs256(claims(), {}, ownSecret),
    'an empty secret': () => hs256(claims(), {}, ''),
    'a signature left out': () => hs256().replace(/[^.]*$/, ''),
    'a signature cut short': () => hs256().slice(0, -6),
    'a signature with a bit flipped': () => flipped(hs256()),
    'the signature of another token': () => `${hs256({ ...claims(), roles: ['KEPALA_SEKOLAH'] }).split('.').slice(0, 2).join('.')}.${hs256().split('.')[2]}`,
    'a payload changed after signing': () => hs256().replace(/\.[^.]+\./, `.${base64({ ...claims(), roles: ['KEPALA_SEKOLAH'] })}.`),
    'jku: keys of the attacker': () => hs256(claims(), { jku: 'https://attacker.example/jwks.json' }),
    'jwk: a key in the token': () => signedBy((text) => hmac(text, ownSecret))(claims(), { alg: 'HS256', jwk: { kty: 'oct', k: base64(ownSecret) } }),
    'x5u: a certificate of the attacker': () => hs256(claims(), { x5u: 'https://attacker.example/cert.pem' }),
    'x5c: a certificate in the token': () => hs256(claims(), { x5c: ['MIIB'] }),
    'kid: a path': () => hs256(claims(), { kid: '../../dev/null' }, ''),
    'kid: SQL': () => hs256(claims(), { kid: "' UNION SELECT 'x" }, 'x'),
    'crit: something to be understood': () => hs256(claims(), { crit: ['exp2'], exp2: 1 }),
    'b64: an unencoded payload': () => hs256(claims(), { b64: false, crit: ['b64'] }),
    'zip: a bomb': () => hs256(claims(), { zip: 'DEF' }),
    'a token in a token': () => hs256(hs256(), { cty: 'JWT' }),
    'a token as payload': () => hs256(base64(hs256())),
    'a token of another type': () => hs256(claims(), { typ: 'logout+jwt' }),
    'an encrypted token': () => `${base64({ alg: 'dir', enc: 'A256GCM' })}..${base64('iv')}.${base64('text')}.${base64('tag')}`,
    'expired': () => hs256({ ...claims(), exp: seconds() - 60 }),
    'without expiry': () => hs256(without('exp')),
    'an expiry that is text': () => hs256({ ...claims(), exp: '9999999999' }),
    'an expiry beyond numbers': () => hs256(JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999')),
    'not yet valid': () => hs256({ ...claims(), nbf: seconds() + 60 }),
    'of another issuer': () => hs256({ ...claims(), iss: 'https://attacker.example' }),
    'of an issuer with a tail': () => hs256({ ...claims(), iss: `${ISSUER}/` }),
    'without issuer': () => hs256(without('iss')),
    'for another audience': () => hs256({ ...claims(), aud: 'rapor' }),
    'for no audience': () => hs256(without('aud')),
    'for nobody in a list': () => hs256({ ...claims(), aud: [] }),
    'without subject': () => hs256(without('sub')),
    'claims that are a list': () => hs256([claims()]),
    'claims that are no JSON': () => hs256('{"iss":'),
    'claims that are not UTF-8': () => signedBy((text) => hmac(text))(Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), { alg: 'HS256' }),
    'a header that is no JSON': () => `${base64('HS256')}.${base64(claims())}.${hmac('')}`,
    'longer than 8 KB': () => hs256({ ...claims(), padding: 'x'.repeat(8_000) }),
    'much longer than 8 KB': () => hs256({ ...claims(), padding: 'x'.repeat(10_000) }),
    'with blanks inside': () => hs256().replace('.', ' .'),
    'in another alphabet': () => hs256().replace(/^./, '+'),
    'three dots': () => '...',
    'the administrator’s name': () => hs256({ ...claims(), roles: 'admin' }, {}, 'administrator'),
  }; // oxfmt-ignore

  test.each(Object.entries(attacks))('are refused: %s', async (_name, attack) => {
    const token = attack();
    expect(await outcome(server, token)).toBe('UNAUTHENTICATED');
    const { status, body } = await server.rest({ code: 'AUTH-001' }, token);
    expect(status).toBe(401);
    if (token.length > 9_000) expect(body.error.message).toContain('longer than 8192 characters');
  });

  test('P13: say who acts; what is claimed otherwise is kept with a warning', async () => {
    const logged = await server.graphql(
      `mutation { logEvent(input: { code: "DATA-004", username: "kepsek", userId: 1, metadata: { a: 1 } }) {
        outcome warnings { field } event { userId username userRole metadata } } }`,
      {},
      hs256(),
    );
    expect(logged.data.logEvent).toEqual({
      outcome: 'REPAIRED',
      warnings: [{ field: 'userId' }, { field: 'username' }],
      event: {
        userId: 12,
        username: 'guru01',
        userRole: 'GURU',
        metadata: { a: 1, claimed: { user_id: 1, username: 'kepsek' } },
      },
    });
    const { body } = await server.rest(
      {
        event_category: 'DATA',
        event_type: 'T',
        event_name: 'N',
        user_id: '12',
        user_role: 'ADMIN',
      },
      hs256({ ...claims(), preferred_username: undefined }),
    );
    const { data } = await server.graphql(
      'query($id: ID!) { event(eventId: $id) { userId username userRole metadata } }',
      { id: body.event_id },
    );
    expect(data.event).toEqual({
      userId: 12,
      username: null,
      userRole: 'GURU',
      metadata: { claimed: { user_role: 'ADMIN' } },
    });
  });

  test('P13: the same said again is a duplicate, and one that was refused waits in the name of who sent it', async () => {
    const event = { code: 'AUTH-001', eventId: randomUUID(), username: 'kepsek' };
    const outcomes = [];
    for (let times = 0; times < 2; times++)
      outcomes.push((await server.rest(event, hs256())).body.outcome);
    expect(outcomes).toEqual(['REPAIRED', 'DUPLICATE']);
    await server.rest({ event_category: 'DATA', username: 'kepsek' }, hs256());
    const { data } = await server.graphql('{ quarantinedEvents(first: 1) { source } }');
    expect(data.quarantinedEvents[0].source).toMatchObject({
      username: 'guru01',
      metadata: { claimed: { username: 'kepsek' } },
    });
  });

  test.each([
    ['a metadata that is no object', [1, 2], { value: [1, 2], claimed: { username: 'x' } }],
    ['a claim of its own', { claimed: 'x' }, { claimed: { username: 'x', claimed: 'x' } }],
  ])('P13: what was claimed is kept beside %s', async (_name, metadata, expected) => {
    const { body } = await server.rest({ code: 'AUTH-001', username: 'x', metadata }, hs256());
    const { data } = await server.graphql('query($id: ID!) { event(eventId: $id) { metadata } }', {
      id: body.event_id,
    });
    expect(data.event.metadata).toEqual(expected);
  });

  test('P15: log with ids of their own whatever characters their subject has', async () => {
    const token = hs256({ ...claims(), sub: 'a\0b\ud800', roles: ['PENULIS'] });
    const event = { code: 'AUTH-001', event_id: 'of an odd subject' };
    for (const status of [201, 200]) expect((await server.rest(event, token)).status).toBe(status);
  });

  test.each([
    ['a number of identity', '3273014506900002'],
    ['a text of 5,000 characters', 'x'.repeat(5_000)],
  ])(
    'log with ids of their own, and it is not stored in clear whose they are, where the subject is %s',
    async (name, sub) => {
      const token = hs256({ ...claims(), sub, roles: ['PENULIS'] });
      const event = { code: 'AUTH-001', event_id: `of ${name}` };
      for (const status of [201, 200])
        expect((await server.rest(event, token)).status).toBe(status);
      const stored = await server.database.sql`
        SELECT owner FROM event_ids WHERE event_id = ${event.event_id}`;
      expect(stored).toEqual([{ owner: expect.stringMatching(/^h:[\w-]{22}$/) }]);
      const other = hs256({ ...claims(), sub: `${sub}0`, roles: ['PENULIS'] });
      expect((await server.rest(event, other)).status).toBe(409);
    },
  );

  test('a role that is narrowed keeps its holder within, whatever other roles there are', async () => {
    await server.rest([{ code: 'DATA-001' }, { code: 'AUTH-001' }]);
    const categories = async (roles: string[]) => {
      const { data } = await server.graphql(
        '{ events(first: 200) { edges { node { category } } } }',
        {},
        hs256({ ...claims(), roles }),
      );
      return new Set(data.events.edges.map(({ node }: any) => node.category));
    };
    expect(await categories(['BK'])).toEqual(new Set(['DATA']));
    expect(await categories(['GURU', 'BK'])).toEqual(new Set(['DATA']));
    expect(await categories(['WALI', 'BK'])).toEqual(new Set(['DATA']));
    expect(await categories(['PIKET', 'BK'])).toEqual(new Set());
    expect((await categories(['GURU'])).size).toBeGreaterThan(1);
    expect(await categories(['BK', 'KEPALA_SEKOLAH'])).toEqual(new Set(['DATA']));
    const token = hs256({ ...claims(), roles: ['BK', 'KEPALA_SEKOLAH'] });
    const widened = await server.graphql('mutation { createApiKey(name: "lolos", scopes: [EVENTS_READ]) { key } }', {}, token); // oxfmt-ignore
    expect(widened.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });

  test('a person does not find out by trying, untold, what an event of others holds', async () => {
    await server.rest({
      code: 'DATA-005',
      event_id: 'rahasia-2',
      event_description: 'Nilai Budi 80',
    });
    const teacher = hs256({ ...claims(), roles: ['GURU'] });
    for (const guess of ['Nilai Budi 70', 'Nilai Budi 80']) {
      const sent = { code: 'DATA-005', event_id: 'rahasia-2', event_description: guess };
      const { status, body } = await server.rest(sent, teacher);
      expect([status, body.reason]).toEqual([
        409,
        expect.stringContaining('belongs to another event;'),
      ]);
    }
  });

  test('B7: a socket and a stream whose token expires end within 30 seconds', { timeout: 30_000 }, async () => {
    const token = hs256({ ...claims(), exp: seconds() - 3 }); // five seconds of skew are granted
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    const [acknowledged] = await once(socket, 'message');
    expect(String(acknowledged)).toContain('connection_ack');
    const streamed = fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: 'subscription { eventLogged { cursor } }' }),
    }).then((response) => response.text());
    const [code] = await once(socket, 'close');
    expect(code).toBe(4403);
    expect(await streamed).toContain('UNAUTHENTICATED');
    expect(await outcome(server, token)).toBe('UNAUTHENTICATED');
  }); // oxfmt-ignore
});

describe('tokens by published keys', () => {
  const pair = (kid: string) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
    const rs256 = (payload: object = claims(), header: Header = {}) =>
      signedBy((text) => sign('sha256', Buffer.from(text), privateKey).toString('base64url'))(
        payload,
        { alg: 'RS256', kid, ...header },
      );
    return { jwk, publicKey, privateKey, rs256 };
  };
  const [first, second, stranger] = [pair('first'), pair('second'), pair('first')] as const;
  let published: object[] = [];
  let status = 200;
  let fetches = 0;
  let issuer: Server;
  let url: string;

  beforeAll(async () => {
    issuer = createServer((_request, response) => {
      fetches++;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: published }));
    }).listen(0, '127.0.0.1');
    await once(issuer, 'listening');
    url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks.json`;
  });
  afterAll(() => void issuer.close());

  const start = () =>
    testServer(undefined, {
      JEJAK_JWKS_URL: url,
      JEJAK_JWT_ISSUER: ISSUER,
      JEJAK_JWT_AUDIENCE: AUDIENCE,
      JEJAK_JWT_ROLES: ROLES as never,
    });

  test('are verified with the key they name, which is fetched once', async () => {
    [published, status, fetches] = [[first.jwk, second.jwk], 200, 0];
    const server = await start();
    const tokens = [first.rs256(), second.rs256(), first.rs256({ ...claims(), jti: 'another' })];
    expect(await Promise.all(tokens.map((token) => outcome(server, token)))).toEqual(
      tokens.map(() => 'answered'),
    );
    expect(fetches).toBe(1);
  });

  test('are refused where they are none: other keys, confused ones, ones of their own', async () => {
    [published, status, fetches] = [[first.jwk], 200, 0];
    const server = await start();
    const pem = first.publicKey.export({ type: 'spki', format: 'pem' });
    const der = first.publicKey.export({ type: 'spki', format: 'der' });
    const confused = (secret: string | Buffer, header: Header = {}) =>
      signedBy((text) => hmac(text, secret))(claims(), { alg: 'HS256', kid: 'first', ...header });
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const attacks: Record<string, string> = {
      'the name of a key, and another key': stranger.rs256(),
      'the public key as a secret, PEM': confused(pem),
      'the public key as a secret, DER': confused(der),
      'the public key as a secret, JWK': confused(JSON.stringify(first.jwk)),
      'HS256 under the name of RS256': confused(pem, { alg: 'RS256' }),
      'alg none': `${base64({ alg: 'none', kid: 'first' })}.${base64(claims())}.`,
      'an unknown key': second.rs256(),
      'a key in the token': stranger.rs256(claims(), { jwk: createPublicKey(stranger.privateKey).export({ format: 'jwk' }) }),
      'where its keys are to be found': stranger.rs256(claims(), { jku: url.replace('jwks', 'other') }),
      'another algorithm than that of the key': first.rs256(claims(), { alg: 'PS256' }),
      'a weak key': signedBy((text) => sign('sha256', Buffer.from(text), weak.privateKey).toString('base64url'))(claims(), { alg: 'RS256', kid: 'first' }),
      'a signature of zeros (CVE-2022-21449)': signedBy(() => base64('\0'.repeat(64)))(claims(), { alg: 'ES256', kid: 'first' }),
    }; // oxfmt-ignore
    for (const [name, token] of Object.entries(attacks))
      expect([name, await outcome(server, token)]).toEqual([name, 'UNAUTHENTICATED']);
    expect(await outcome(server, first.rs256())).toBe('answered');
    expect(fetches).toBe(1); // an unknown key does not have them fetched again and again
  });

  test('while the keys cannot be fetched nobody knows whether a token is good, and the issuer is left alone', async () => {
    [published, status, fetches] = [[first.jwk], 503, 0];
    const server = await start();
    for (let index = 0; index < 10; index++)
      expect(await outcome(server, first.rs256({ ...claims(), jti: index }))).toBe('UNAVAILABLE');
    expect(fetches).toBe(1);
    const expired = first.rs256({ ...claims(), exp: seconds() - 10 });
    expect(await outcome(server, expired)).toBe('UNAUTHENTICATED'); // that needs no key
    expect(await outcome(server, ADMIN_KEY)).toBe('answered'); // keys of our own do not need them
    status = 200;
    await vi.waitFor(async () => expect(await outcome(server, first.rs256())).toBe('answered'), {
      timeout: 10_000,
      interval: 500,
    });
  });
});

describe('without roles', () => {
  test('the claim `scope` names scopes', async () => {
    const server = await testServer(undefined, {
      JEJAK_JWT_SECRET: SECRET,
      JEJAK_JWT_ISSUER: ISSUER,
      JEJAK_JWT_AUDIENCE: AUDIENCE,
    });
    const scoped = (scope: unknown) => hs256({ ...claims(), scope });
    expect(await outcome(server, scoped('openid events:read'))).toBe('answered');
    expect(await outcome(server, scoped(['events:write']))).toBe('FORBIDDEN');
    expect(await outcome(server, hs256())).toBe('FORBIDDEN');
  });

  test('a key of the administrator that looks like a token is that key', async () => {
    const key = 'the-school.edupro.example';
    const server = await testServer(undefined, {
      JEJAK_ADMIN_KEY: key,
      JEJAK_JWT_SECRET: SECRET,
      JEJAK_JWT_ISSUER: ISSUER,
      JEJAK_JWT_AUDIENCE: AUDIENCE,
    });
    expect(await outcome(server, key, '{ apiKeys { id } }')).toBe('answered');
    expect(await outcome(server, `${key}s`)).toBe('UNAUTHENTICATED');
  });

  test('without a secret and keys no token is accepted', async () => {
    const server = await testServer();
    expect(await outcome(server, hs256())).toBe('UNAUTHENTICATED');
  });
});

test.each([
  [{ JEJAK_JWT_SECRET: 'short' }, 'at least 32'],
  [{ JEJAK_JWT_SECRET: SECRET }, 'JEJAK_JWT_ISSUER is needed'],
  [{ JEJAK_JWT_SECRET: SECRET, JEJAK_JWT_ISSUER: 'a' }, 'JEJAK_JWT_AUDIENCE is needed'],
  [{ JEJAK_JWT_SECRET: SECRET, JEJAK_JWKS_URL: 'https://a/b' }, 'exclude each other'],
  [{ JEJAK_JWKS_URL: 'file:///etc/passwd' }, 'http'],
  [{ JEJAK_JWT_ROLES: '{' }, 'JEJAK_JWT_ROLES is not JSON: '],
  [{ JEJAK_JWT_ROLES: '[]' }, 'JEJAK_JWT_ROLES must be an object that has roles for keys'],
  [{ JEJAK_JWT_ROLES: '{"GURU": ["root"]}' }, 'JEJAK_JWT_ROLES GURU.scopes.0: must be one of events:write, '],
  [{ JEJAK_JWT_ROLES: '{"GURU": {"scopes": [], "narrowing": {"code": ["X-1"]}}}' }, 'JEJAK_JWT_ROLES GURU.narrowing.code.0: is not in the catalog'],
  [{ JEJAK_JWT_ROLES: '{"KS": {"scopes": ["admin"], "narrowing": {"category": ["DATA"]}}}' }, 'JEJAK_JWT_ROLES KS: with the scope admin'],
  [{ JEJAK_JWT_ROLES: '{"GURU": ["admin"]}' }, 'JEJAK_JWT_SECRET or JEJAK_JWKS_URL is needed beside JEJAK_JWT_ROLES'],
  [{ JEJAK_JWT_USER_ID_CLAIM: 'uid' }, 'JEJAK_JWT_SECRET or JEJAK_JWKS_URL is needed beside JEJAK_JWT_USER_ID_CLAIM'],
  [{ JEJAK_ONLY_DOCUMENTS: 'yes' }, 'JEJAK_DOCUMENTS is needed beside JEJAK_ONLY_DOCUMENTS'],
  [{ DATABASE_URL: 'postgres://u:p@a:5432,b:5432/db' }, 'DATABASE_URL must name one server'],
  [{ DATABASE_URL: 'postgres://u:p#w@a/db' }, 'percent-encoded'],
  [{ PORT: '65536' }, 'PORT must be a whole number from 0 to 65535.'],
  [{ JEJAK_INTROSPECTION: 'all' }, 'JEJAK_INTROSPECTION must be everyone or admin.'],
  [{ JEJAK_TRUSTED_PROXIES: '10.0.0.0/33' }, /JEJAK_TRUSTED_PROXIES cannot be read: .* such as 10\.0\.0\.0\/8\.$/],
  [{ JEJAK_MAINTENANCE_DATABASE_URL: 'postgres://a@b/c' }, 'DATABASE_URL is needed'],
])('a configuration of %j is refused', (environment, mistake) => {
  expect(() => readConfig(environment)).toThrow(mistake);
}); // oxfmt-ignore

test('a role may be narrowed and need not be', () => {
  const { JEJAK_JWT_ROLES: roles } = readConfig({
    JEJAK_JWT_SECRET: SECRET,
    JEJAK_JWT_ISSUER: ISSUER,
    JEJAK_JWT_AUDIENCE: AUDIENCE,
    JEJAK_JWT_ROLES:
      '{"GURU": {"scopes": ["events:read"]}, "TU": ["events:read"], "KS": {"scopes": ["admin"]}}',
  });
  const reading = { scopes: ['events:read'] };
  expect(roles).toEqual({ GURU: reading, TU: reading, KS: { scopes: ['admin'] } });
});
