// The doors of the API: every root field there is, asked without a key, with one that lacks the scope, and with one that
// has it; and how keys are made, kept and revoked.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { ADMIN_KEY, type TestServer, createTestServer, testServer } from '../support/server.ts';

type Root = 'query' | 'mutation' | 'subscription';
type RootField = {
  readonly root: Root;
  readonly name: string;
  readonly call: string;
  /** Its published sentence. */
  readonly about: string;
};
type Answer = {
  data: object;
  errors: { message: string; extensions: { code: string } }[];
};

// The least call of a field: its required arguments, and the first leaf that can be reached.

const leastValue = (type: GraphQLInputType): string => {
  if (isNonNullType(type)) return leastValue(type.ofType);
  if (isListType(type)) return `[${leastValue(type.ofType)}]`;
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (isInputObjectType(type)) return leastInputs[type.name] ?? '{}';
  return type.name === 'EventCode' ? '"AUTH-001"' : '"1"';
};
const leastInputs: Readonly<Record<string, string>> = {
  LogEventInput: '{ code: "AUTH-001" }',
  TimeRange: '{ last: "PT1H" }',
};
const leastArguments = (args: readonly GraphQLArgument[]): string => {
  const required = args.filter(isRequiredArgument);
  if (required.length === 0) return '';
  return `(${required.map(({ name, type }) => `${name}: ${leastValue(type)}`).join(', ')})`;
};
const leastSelection = (output: GraphQLOutputType): string => {
  const type = getNamedType(output);
  if (!isObjectType(type)) return '';
  const children = Object.values(type.getFields());
  const child = children.find((each) => isLeafType(getNamedType(each.type))) ?? children[0]!;
  return ` { ${child.name}${leastSelection(child.type)} }`;
};

const rootFields: RootField[] = (
  [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const
).flatMap(([root, type]) =>
  Object.values(type!.getFields()).map((field: GraphQLField<unknown, unknown>) => ({
    root,
    name: field.name,
    about: field.description ?? '',
    call: `${root} { ${field.name}${leastArguments(field.args)}${leastSelection(field.type)} }`,
  })),
);

/** The scope that a field needs, as the schema tells its readers. */
const scopeOf = ({ root, about }: RootField): string =>
  /Needs the scope `([\w:]+)`/.exec(about)?.[1] ??
  (root === 'mutation' ? 'events:write' : 'events:read');

const createKey = async (server: TestServer, ...scopes: string[]) => {
  const { data, errors } = await server.graphql(
    `mutation($scopes: [Scope!]!) { createApiKey(name: "${scopes.join(' and ')}", scopes: $scopes) {
       key apiKey { id name hint scopes createdAt revokedAt } } }`,
    { scopes: scopes.map((scope) => scope.toUpperCase().replace(':', '_')) },
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data.createApiKey;
};

/** Asks over HTTP; a subscription as server-sent events, of which the first is read. */
const ask = async (server: TestServer, query: string, authorization?: string): Promise<Answer> => {
  const stop = new AbortController();
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: query.startsWith('subscription') ? 'text/event-stream' : 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: JSON.stringify({ query }),
    signal: stop.signal,
  });
  let text = '';
  try {
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk).toString();
      if (text.startsWith(':') || text.includes('\n\n')) break;
    }
  } finally {
    stop.abort();
  }
  const { data, errors }: Partial<Answer> = JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? '{}');
  return { data: data ?? {}, errors: errors ?? [] };
};
const codesOf = ({ errors }: Answer): string[] => errors.map(({ extensions }) => extensions.code);

describe('every root field', () => {
  let server: TestServer;
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    server = await createTestServer();
    for (const scope of ['events:read', 'events:write', 'admin'])
      keys[scope] = (await createKey(server, scope)).key;
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('is one of these: keys are the administrator’s, logging is a writer’s, the rest a reader’s', () => {
    const needing = (scope: string) =>
      rootFields.filter((field) => scopeOf(field) === scope).map(({ name }) => name);
    expect(needing('admin')).toEqual(
      expect.arrayContaining(['apiKeys', 'createApiKey', 'revokeApiKey']),
    );
    expect(needing('events:write')).toEqual(expect.arrayContaining(['logEvent', 'logEvents']));
    expect(needing('events:read')).toEqual(
      expect.arrayContaining([
        'event',
        'events',
        'userActivity',
        'eventLogged',
        'securityEventLogged',
      ]),
    );
  });

  test.each(rootFields)('$root $name: refused without a key', async ({ call }) => {
    const answer = await ask(server, call);
    expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
    expect(Object.values(answer.data).filter((value) => value !== null)).toEqual([]);
  });

  test.each(rootFields)('$root $name: refused with a key that is not one', async ({ call }) => {
    for (const authorization of ['Bearer nonsense', 'Basic YTpi', `Bearer ${ADMIN_KEY}x`])
      expect(codesOf(await ask(server, call, authorization))).toEqual(['UNAUTHENTICATED']);
  });

  test.each(rootFields)('$root $name: refused with a key of another scope', async (field) => {
    for (const scope of ['events:read', 'events:write'].filter((each) => each !== scopeOf(field))) {
      const answer = await ask(server, field.call, `Bearer ${keys[scope]}`);
      expect(codesOf(answer)).toEqual(['FORBIDDEN']);
      expect(answer.errors[0]!.message).toContain(`"${scope}"`);
    }
  });

  test.each(rootFields)(
    '$root $name: open to a key of its scope, and to an administrator',
    async (field) => {
      // The least call may be refused for what it asks, as there is no key 1 to revoke, but not for who asks it.
      for (const scope of new Set([scopeOf(field), 'admin'])) {
        const call = field.call.replace('revokeApiKey(id: "1")', 'revokeApiKey(id: "999")');
        const codes = codesOf(await ask(server, call, `Bearer ${keys[scope]}`));
        expect(codes).not.toContain('UNAUTHENTICATED');
        expect(codes).not.toContain('FORBIDDEN');
      }
    },
  );

  const subscriptions = rootFields.filter(({ root }) => root === 'subscription');
  test.each(subscriptions)('$name over a socket: refused by scope', async ({ call }) => {
    await using forbidden = server.subscribe(call, {}, keys['events:write']);
    await expect(forbidden.next()).rejects.toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });
  test.each(subscriptions)('$name over a socket: closed without a key', async ({ call }) => {
    await using stranger = server.subscribe(call, {}, 'nonsense');
    await expect(stranger.next()).rejects.toMatchObject({ code: 4403 });
  });

  test('every refused field of a request is named', async () => {
    const { data, errors } = await server.graphql(
      '{ event(eventId: "x") { code } definition: eventDefinition(code: "AUTH-001") { code } }',
      {},
      keys['events:write'],
    );
    expect(data).toEqual({ event: null, definition: null });
    expect(errors!.map(({ path }) => path)).toEqual([['event'], ['definition']]);
  });

  test('who may only write is answered the event they wrote, definition and all', async () => {
    const { data } = await server.graphql(
      'mutation { logEvent(input: { code: "AUTH-001" }) { event { code definition { name } } } }',
      {},
      keys['events:write'],
    );
    expect(data.logEvent.event).toEqual({
      code: 'AUTH-001',
      definition: { name: 'User Login Success' },
    });
  });
});

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
