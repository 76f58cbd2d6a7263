// Who may do what, as a table that is made from the schema: every root field, by every transport, with every scope and none.
// A field that is added is in it at once.

import { once } from 'node:events';
import {
  type GraphQLArgument,
  type GraphQLInputType,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLSchema,
  GraphQLString,
  buildSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Scope, scopeNames } from '../../src/access/viewer.ts';
import { rulesOf } from '../../src/graphql/rules.ts';
import { rules, schema } from '../../src/graphql/schema.ts';
import { type TestServer, createTestServer } from '../support/server.ts';

type Root = 'query' | 'mutation' | 'subscription';
type RootField = {
  readonly root: Root;
  readonly name: string;
  readonly needs: Scope;
  /** The least call, the same with every argument, and the same with every field below. */
  readonly least: string;
  readonly every: string;
  readonly whole: string;
};

// What may be said where any value will do.
const texts: Record<string, string> = {
  EventCode: '"AUTH-001"',
  DateTime: '"2030-01-01T00:00:00Z"',
  Duration: '"PT1H"',
  TimeZone: '"UTC"',
  ID: '"999999"',
  Boolean: 'true',
  Int: '1',
  Float: '1',
};
const valueOf = (type: GraphQLInputType): string => {
  if (isNonNullType(type)) return valueOf(type.ofType);
  if (isListType(type)) return `[${valueOf(type.ofType)}]`;
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (!isInputObjectType(type)) return texts[type.name] ?? '"1"';
  if (type.name === 'LogEventInput') return '{ code: "AUTH-001" }';
  if (type.name === 'TimeRange') return '{ last: "PT1H" }';
  const required = Object.values(type.getFields()).filter(isRequiredInputField);
  return `{ ${required.map((field) => `${field.name}: ${valueOf(field.type)}`).join(', ')} }`;
};
const argumentsOf = (args: readonly GraphQLArgument[]): string =>
  args.length === 0 ? '' : `(${args.map(({ name, type }) => `${name}: ${valueOf(type)}`).join(', ')})`; // oxfmt-ignore

const leastSelection = (output: GraphQLOutputType): string => {
  const type = getNamedType(output);
  if (!isObjectType(type)) return '';
  const children = Object.values(type.getFields());
  const child = children.find((each) => isLeafType(getNamedType(each.type))) ?? children[0]!;
  return ` { ${child.name}${leastSelection(child.type)} }`;
};
const wholeSelection = (output: GraphQLOutputType, above: readonly object[] = []): string => {
  const type = getNamedType(output);
  if (!isObjectType(type)) return '';
  const children = Object.values(type.getFields()).filter(
    (each) => !each.args.some(isRequiredArgument) && !above.includes(getNamedType(each.type)),
  );
  return ` { ${children.map((child) => child.name + wholeSelection(child.type, [...above, type])).join(' ')} }`;
};

const rootFields: RootField[] = (
  [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const
).flatMap(([root, type]) =>
  Object.values(type!.getFields()).map(({ name, args, type: output }) => {
    const least = argumentsOf(
      args.filter((arg) => isRequiredArgument(arg) || (root === 'subscription' && arg.name === 'after')),
    ).replace(/after: "[^"]*"/, 'after: "earliest"');
    return {
      root,
      name,
      needs: rules.get(`${type!.name}.${name}`)!,
      least: `${root} { ${name}${least}${leastSelection(output)} }`,
      every: `${root} { ${name}${argumentsOf(args)}${leastSelection(output)} }`,
      whole: `${root} { ${name}${least}${wholeSelection(output)} }`,
    };
  }),
); // oxfmt-ignore

type Role = 'nobody' | 'a stranger' | Scope;
const roles: readonly Role[] = ['nobody', 'a stranger', ...scopeNames];
type Answered = { codes: string[]; data: object | null };

let server: TestServer;
const keys = {} as Record<Role, string | undefined>;
const sockets = {} as Record<Scope, WebSocket>;

beforeAll(async () => {
  server = await createTestServer();
  keys['a stranger'] = 'nonsense';
  for (const scope of scopeNames) {
    const { data } = await server.graphql(
      'mutation($scopes: [Scope!]!) { createApiKey(name: "one", scopes: $scopes) { key } }',
      { scopes: [scope.toUpperCase().replace(':', '_')] },
    );
    keys[scope] = data.createApiKey.key;
    sockets[scope] = await opened(keys[scope]);
  }
  await server.rest({ code: 'SEC-002' });
});
afterAll(async () => {
  for (const socket of Object.values(sockets)) socket.terminate();
  await server[Symbol.asyncDispose]();
});

const opened = async (key?: string): Promise<WebSocket> => {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws'); // oxfmt-ignore
  await once(socket, 'open');
  const payload = key === undefined ? {} : { authorization: `Bearer ${key}` };
  socket.send(JSON.stringify({ type: 'connection_init', payload }));
  return socket;
};

const headersOf = (role: Role, accept: string): Record<string, string> => ({
  accept,
  'content-type': 'application/json',
  ...(keys[role] === undefined ? {} : { authorization: `Bearer ${keys[role]}` }),
});
const answered = (text: string): Answered => {
  const { data = null, errors = [] } = JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? '{}');
  return { data, codes: errors.map(({ extensions }: any) => extensions.code) };
};

const post = async (role: Role, query: string): Promise<Answered> =>
  answered(
    await (
      await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: headersOf(role, 'application/json'),
        body: JSON.stringify({ query }),
      })
    ).text(),
  );

const transports: Record<string, (role: Role, query: string) => Promise<Answered>> = {
  POST: post,
  'POST again, now by the lean lane': post,
  GET: async (role, query) => {
    const response = await fetch(`${server.url}/graphql?query=${encodeURIComponent(query)}`, {
      headers: headersOf(role, 'application/json'),
    });
    return answered(await response.text());
  },
  SSE: async (role, query) => {
    const stop = new AbortController();
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: headersOf(role, 'text/event-stream'),
      body: JSON.stringify({ query }),
      signal: stop.signal,
    });
    let text = '';
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk).toString();
      if (text.includes('\n\n') || text.endsWith('}')) break;
    }
    stop.abort();
    return answered(text.split('\n\n', 1)[0]!);
  },
  WebSocket: async (role, query) => {
    const socket = sockets[role as Scope];
    const id = String(Math.random());
    const message = new Promise<string>((resolve) => {
      const listen = (data: Buffer): void => {
        const { id: of, type, payload } = JSON.parse(String(data));
        if (of !== id || type === 'complete') return;
        socket.off('message', listen);
        resolve(JSON.stringify(type === 'error' ? { errors: payload } : payload));
      };
      socket.on('message', listen);
    });
    socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query } }));
    const text = await message;
    socket.send(JSON.stringify({ type: 'complete', id }));
    return answered(text);
  },
};

/** Whether a transport carries operations of this kind, for such a role. */
const carries = (transport: string, { root }: RootField, role: Role): boolean => {
  if (transport === 'SSE') return root === 'subscription';
  if (transport === 'WebSocket') return role !== 'nobody' && role !== 'a stranger';
  return transport === 'GET' ? root === 'query' : root !== 'subscription';
};

const expected = ({ needs }: RootField, role: Role): string => {
  if (role === 'nobody' || role === 'a stranger') return 'UNAUTHENTICATED';
  return role === needs || role === 'admin' ? 'allowed' : 'FORBIDDEN';
};
/** The least call may be refused for what it asks, as there is no key 999999 to revoke, but not for who asks it. */
const verdict = ({ codes, data }: Answered): string => {
  const refusal = codes.find((code) => ['UNAUTHENTICATED', 'FORBIDDEN', 'INTERNAL_SERVER_ERROR'].includes(code)); // oxfmt-ignore
  if (refusal === undefined) return 'allowed';
  const given = Object.values(data ?? {}).some((value) => value !== null);
  return given ? `${refusal} and yet answered` : refusal;
};

describe('the matrix', () => {
  test.each(rootFields)('$root $name is for $needs, by every transport', async (field) => {
    for (const [transport, ask] of Object.entries(transports))
      for (const role of roles) {
        if (!carries(transport, field, role)) continue;
        const found = verdict(await ask(role, field.least));
        expect([transport, role, found]).toEqual([transport, role, expected(field, role)]);
      }
  });

  test.each(rootFields)('$root $name: no argument lets others in', async (field) => {
    const ask = transports[field.root === 'subscription' ? 'SSE' : 'POST']!;
    for (const role of roles.filter((each) => expected(field, each) !== 'allowed'))
      expect([role, verdict(await ask(role, field.every))]).toEqual([role, expected(field, role)]);
  });

  test.each(rootFields)('$root $name: every field below is for who may ask it, and for nobody else', async (field) => {
    const ask = transports[field.root === 'subscription' ? 'SSE' : 'POST']!;
    for (const role of roles)
      expect([role, verdict(await ask(role, field.whole))]).toEqual([role, expected(field, role)]);
  }); // oxfmt-ignore

  test.each(rootFields.filter(({ root }) => root === 'mutation'))(
    'mutation $name is not executed by GET, whoever asks',
    async ({ least }) => {
      for (const role of roles) {
        const { codes, data } = await transports['GET']!(role, least);
        expect([role, codes, data]).toEqual([
          role,
          [role === 'a stranger' ? 'UNAUTHENTICATED' : 'BAD_USER_INPUT'],
          null,
        ]);
      }
    },
  );

  test.each(['nobody', 'a stranger'] as const)('a socket is closed with 4403 for %s', async (role) => {
    const [code] = await once(await opened(keys[role]), 'close');
    expect(code).toBe(4403);
  }); // oxfmt-ignore

  const doors: [string, string, Scope | 'everyone', object][] = [
    ['POST', '/api/events', 'events:write', { body: '{"code": "AUTH-001"}' }],
    ['GET', '/api/export', 'events:export', {}],
    ['GET', '/healthz', 'everyone', {}],
    ['GET', '/readyz', 'everyone', {}],
    ['GET', '/metrics', 'everyone', {}],
  ];
  test.each(doors)('%s %s is for %s', async (method, path, needs, init) => {
    for (const role of roles) {
      const headers = headersOf(role, 'application/json');
      const response = await fetch(server.url + path, { method, headers, ...init });
      await response.body?.cancel();
      const known = role !== 'nobody' && role !== 'a stranger';
      const allowed = needs === 'everyone' || role === needs || role === 'admin';
      const found = { 401: 'unknown', 403: 'forbidden' }[response.status] ?? response.ok;
      expect([role, found]).toEqual([role, allowed || (known ? 'forbidden' : 'unknown')]);
    }
  });

  test('the scope that is lacking is named', async () => {
    const { errors } = await server.graphql('{ apiKeys { id } }', {}, keys['events:read']);
    expect(errors![0].message).toContain('lacks the scope admin');
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

describe('without a rule there is no schema', () => {
  const options = (pothosOptions: object) => ({ extensions: { pothosOptions } });
  const withField = (may: Scope, readers: readonly Scope[], below: readonly Scope[]) => {
    const inner = new GraphQLObjectType({
      name: 'Inner',
      fields: { secret: { type: GraphQLString } },
      ...options({ readers: below }),
    });
    const outer = new GraphQLObjectType({
      name: 'Outer',
      fields: { inner: { type: inner } },
      ...options({ readers }),
    });
    const field = { type: outer, ...options({ scope: may }) };
    return new GraphQLSchema({
      query: new GraphQLObjectType({ name: 'Query', fields: { field } }),
    });
  };

  test('for a root field', () => {
    expect(() => rulesOf(buildSchema('type Query { open: String }'))).toThrow('Query.open is for nobody'); // oxfmt-ignore
  });
  test('for a type', () => {
    expect(() => rulesOf(withField('events:read', [], []))).toThrow('Outer, which is for nobody');
  });
  test('for a field that leads to what is for others', () => {
    expect(() => rulesOf(withField('events:read', ['events:read'], ['admin']))).toThrow(
      'Query.field.inner leads who has events:read to Inner, which is for admin',
    );
  });
  test('else there is', () => {
    const schemaOf = withField('events:read', ['events:read'], ['admin', 'events:read']);
    expect([...rulesOf(schemaOf)]).toEqual([['Query.field', 'events:read']]);
    expect(rulesOf(withField('admin', [], [])).get('Query.field')).toBe('admin');
  });
});
