// How keys are made, kept and revoked. (Who may do what with them: rules.test.ts.)

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, type TestServer, createTestServer, testServer } from '../support/server.ts';

const createKey = async (server: TestServer, ...scopes: string[]) => {
  const { data, errors } = await server.graphql(
    `mutation($scopes: [Scope!]!) { createApiKey(name: "${scopes.join(' and ')}", scopes: $scopes) {
       key apiKey { id name hint scopes createdAt revokedAt } } }`,
    { scopes: scopes.map((scope) => scope.toUpperCase().replace(':', '_')) },
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data.createApiKey;
};

type Answer = { errors?: { message: string; extensions: { code: string } }[] };

/** Asks with an Authorization as it is. */
const ask = async (server: TestServer, query: string, authorization: string) => {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query }),
  });
  const { errors = [] } = (await response.json()) as Answer;
  return { errors };
};
const codesOf = ({ errors }: Required<Answer>): string[] =>
  errors.map(({ extensions }) => extensions.code);

describe('keys', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await createTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const READ = '{ severities { severity } }';
  const WRITE = 'mutation { logEvent(input: { code: "AUTH-001" }) { outcome } }';
  const may = async (key: string, query = READ, of = server): Promise<string> =>
    codesOf(await ask(of, query, `Bearer ${key}`))[0] ?? 'yes';
  const list = async () => (await server.graphql('{ apiKeys { id name hint scopes createdAt revokedAt } }')).data.apiKeys; // oxfmt-ignore
  const revoke = (id: string, of = server) =>
    of.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { id revokedAt } }', { id });

  test('a key is shown once: afterwards there is its beginning and, in the database, its hash', async () => {
    const { key, apiKey } = await createKey(server, 'events:read', 'events:write');
    expect(key).toMatch(/^jejak_[\w-]{49}$/);
    expect(apiKey).toMatchObject({ name: 'events:read and events:write', scopes: ['EVENTS_READ', 'EVENTS_WRITE'], revokedAt: null }); // oxfmt-ignore
    expect(key.startsWith(apiKey.hint)).toBe(true);
    expect(apiKey.hint.length).toBeLessThan(12);
    expect(await list()).toContainEqual(apiKey);
    expect(JSON.stringify(await list())).not.toContain(key.slice(0, 20));
    const [row] = await server.database.sql`
      SELECT hash, api_keys::text AS everything FROM api_keys WHERE id = ${apiKey.id}`;
    expect(row!['hash']).toEqual(createHash('sha256').update(key).digest());
    expect(row!['everything']).not.toContain(key.slice(12));
  });

  test('no two keys are alike, and each opens what it was made for', async () => {
    const [reader, writer, both] = [
      (await createKey(server, 'events:read')).key,
      (await createKey(server, 'events:write')).key,
      (await createKey(server, 'events:read', 'events:write', 'events:read')).key,
    ];
    expect(new Set([reader, writer, both]).size).toBe(3);
    expect([await may(reader), await may(reader, WRITE)]).toEqual(['yes', 'FORBIDDEN']);
    expect([await may(writer), await may(writer, WRITE)]).toEqual(['FORBIDDEN', 'yes']);
    expect([await may(both), await may(both, WRITE)]).toEqual(['yes', 'yes']);
  });

  test('apiKeys lists every key, the oldest first, revoked ones too', async () => {
    const made = [(await createKey(server, 'events:read')).apiKey, (await createKey(server, 'events:write')).apiKey]; // oxfmt-ignore
    await revoke(made[0].id);
    const keys = await list();
    expect(keys.slice(-2)).toMatchObject([{ ...made[0], revokedAt: expect.any(String) }, made[1]]);
    expect(keys.map(({ id }: { id: string }) => Number(id))).toEqual(
      keys.map(({ id }: { id: string }) => Number(id)).toSorted((a: number, b: number) => a - b),
    );
  });

  test('a key that was made before scopes said of what they are keeps its rights', async () => {
    const { key, apiKey } = await createKey(server, 'events:export');
    const { sql } = server.database;
    await sql`UPDATE api_keys SET scopes = '{read,write}' WHERE id = ${apiKey.id}`;
    await sql.file('drizzle/0003_scopes.sql');
    expect([await may(key), await may(key, WRITE)]).toEqual(['yes', 'yes']);
    const [row] = await sql`SELECT scopes FROM api_keys WHERE id = ${apiKey.id}`;
    expect(row!['scopes']).toEqual(['events:read', 'events:write']);
  });

  test('a key made by an administrator’s key may make others', async () => {
    const { key } = await createKey(server, 'admin');
    const { data } = await server.graphql(
      'mutation { createApiKey(name: "x", scopes: [EVENTS_READ]) { key } }',
      {},
      key,
    );
    expect(await may(data.createApiKey.key)).toBe('yes');
  });

  test.each([
    ['no name', { name: '', scopes: ['EVENTS_READ'] }],
    ['a blank name', { name: ' \t', scopes: ['EVENTS_READ'] }],
    ['a name of 101 characters', { name: 'n'.repeat(101), scopes: ['EVENTS_READ'] }],
    ['a name that the database cannot hold', { name: 'a\u0000b', scopes: ['EVENTS_READ'] }],
    ['no scopes', { name: 'n', scopes: [] }],
    ['a scope that is none', { name: 'n', scopes: ['ROOT'] }],
  ])('a key of %s is refused', async (_, variables) => {
    const { errors } = await server.graphql(
      'mutation($name: String!, $scopes: [Scope!]!) { createApiKey(name: $name, scopes: $scopes) { key } }',
      variables,
    );
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  test('a key of 100 characters’ name is made', async () => {
    const { data } = await server.graphql(
      'mutation($name: String!) { createApiKey(name: $name, scopes: [EVENTS_READ]) { apiKey { name } } }',
      { name: '😀'.repeat(50) },
    );
    expect(data.createApiKey.apiKey.name).toBe('😀'.repeat(50));
  });

  test('a malformed key is refused without asking the database', async () => {
    const { key } = await createKey(server, 'events:read');
    const flipped = key.slice(0, 20) + (key[20] === 'A' ? 'B' : 'A') + key.slice(21);
    const malformed = [
      key.slice(0, -1),
      `${key}0`,
      key.slice(6),
      key.toUpperCase(),
      flipped,
      'jejak_',
    ];
    for (const each of malformed) {
      const answer = await ask(server, READ, `Bearer ${each}`);
      expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
      expect(answer.errors[0]!.message).toContain('copied whole');
    }
    const wellFormed = `jejak_${'A'.repeat(43)}`;
    const stranger = wellFormed + createHash('sha256').update(wellFormed).digest('hex').slice(0, 6);
    const answer = await ask(server, READ, `Bearer ${stranger}`);
    expect(answer.errors[0]!.message).toContain('unknown, revoked or expired');
  });

  test.each(['', 'Bearer', 'Bearer ', 'bearer', 'Token x', `Basic ${ADMIN_KEY}`, ADMIN_KEY, `Bearer ${ADMIN_KEY} x`])(
    'an Authorization of "%s" is refused',
    async (authorization) => {
      expect(codesOf(await ask(server, READ, authorization))).toEqual(['UNAUTHENTICATED']);
    },
  ); // oxfmt-ignore

  test('the scheme may be in any case, and a key may be surrounded by blanks', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER  '])
      expect(codesOf(await ask(server, READ, `${scheme} ${ADMIN_KEY} `))).toEqual([]);
  });

  test('a revoked key is refused at once by the server that revoked it, for good', async () => {
    const { key, apiKey } = await createKey(server, 'events:read');
    expect(await may(key)).toBe('yes');
    const { data } = await revoke(apiKey.id);
    expect(data.revokeApiKey).toEqual({ id: apiKey.id, revokedAt: expect.any(String) });
    expect(await may(key)).toBe('UNAUTHENTICATED');
    const again = await revoke(apiKey.id);
    expect(again.data.revokeApiKey).toEqual(data.revokeApiKey);
    expect(await may(key)).toBe('UNAUTHENTICATED');
  });

  test('a revoked key is refused within 5 seconds by every other server', async () => {
    const other = await testServer(server.database);
    const { key, apiKey } = await createKey(server, 'events:read');
    expect(await may(key, READ, other)).toBe('yes');
    await revoke(apiKey.id);
    const start = performance.now();
    while ((await may(key, READ, other)) === 'yes') {
      expect(performance.now() - start).toBeLessThan(5_500);
      await sleep(50);
    }
    expect(await may(key, READ, other)).toBe('UNAUTHENTICATED');
  });

  test('many uses of a key while it is revoked end in refusal', async () => {
    const { key, apiKey } = await createKey(server, 'events:read');
    const uses = Array.from({ length: 30 }, () => may(key));
    await revoke(apiKey.id);
    await Promise.all(uses);
    expect(await may(key)).toBe('UNAUTHENTICATED');
  });

  test.each(['0', '-1', '999999', '1.5', 'x', '', '99999999999', "1' OR true --"])(
    'there is no key "%s" to revoke',
    async (id) => {
      const { errors } = await revoke(id);
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      expect(errors![0].message).toContain('apiKeys');
    },
  );

  test('the administrator’s key of the configuration may do everything and is in no table', async () => {
    expect([await may(ADMIN_KEY), await may(ADMIN_KEY, WRITE)]).toEqual(['yes', 'yes']);
    expect(await may(ADMIN_KEY, '{ apiKeys { id } }')).toBe('yes');
    const hash = createHash('sha256').update(ADMIN_KEY).digest();
    expect(await server.database.sql`SELECT FROM api_keys WHERE hash = ${hash}`).toHaveLength(0);
    const fresh = await testServer();
    expect((await fresh.graphql('{ apiKeys { id } }')).data.apiKeys).toEqual([]);
  });
});
