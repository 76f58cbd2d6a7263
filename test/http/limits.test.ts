// Each limit is a setting: over it there is a code, and with another setting another limit.

import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Config, readConfig } from '../../src/config.ts';
import { locked } from '../support/database.ts';
import { ADMIN_KEY, type TestServer, createTestServer } from '../support/server.ts';

const small: Partial<Config> = {
  JEJAK_MAX_BODY_BYTES: 2_000,
  JEJAK_MAX_DOCUMENT_TOKENS: 60,
  JEJAK_MAX_ROOT_FIELDS: 3,
  JEJAK_MAX_DOCUMENT_DEPTH: 5,
  JEJAK_MAX_DOCUMENT_FIELDS: 12,
  JEJAK_MAX_FRAME_BYTES: 1_000,
  JEJAK_MAX_SUBSCRIPTIONS: 2,
};

let limited: TestServer;
let usual: TestServer;
beforeAll(async () => {
  [limited, usual] = await Promise.all([createTestServer(undefined, small), createTestServer()]);
});
afterAll(async () => {
  await Promise.all([limited, usual].map((server) => server[Symbol.asyncDispose]()));
});

const roots = (count: number) => `{ ${Array.from({ length: count }, (_, index) => `a${index}: __typename`).join(' ')} }`; // oxfmt-ignore
const over: Record<string, string> = {
  'tokens': `{ events(filter: { type: [${'"x" '.repeat(70)}] }) { totalCount } }`,
  'fields at the root': roots(4),
  'fields': '{ events { edges { node { id code name type action status severity category timestamp userId username } } } }',
  'characters': `{ __typename } #${'x'.repeat(1_000)}`,
}; // oxfmt-ignore

test.each(Object.entries(over))('a document of more %s is refused', async (_name, query) => {
  const ask = async (server: TestServer) =>
    (await server.graphql(query)).errors?.[0].extensions.code ?? 'answered';
  expect([await ask(limited), await ask(usual)]).toEqual(['BAD_USER_INPUT', 'answered']);
}); // oxfmt-ignore

test('a document of more levels is refused', async () => {
  const deep = '{ categories { definitions { code } } __schema { queryType { fields { type { name } } } } }';
  const deeper = '{ __schema { queryType { fields { type { ofType { name } } } } } }';
  expect((await limited.graphql(deep)).errors).toBeUndefined();
  expect((await limited.graphql(deeper)).errors).toMatchObject([{ message: expect.stringContaining('levels') }]); // oxfmt-ignore
}); // oxfmt-ignore

test('a larger body is refused on both doors', async () => {
  const event = { code: 'AUTH-001', description: 'x'.repeat(2_000) };
  for (const path of ['/graphql', '/api/events'])
    for (const [server, status] of [[limited, 413], [usual, path === '/graphql' ? 400 : 201]] as const) {
      const response = await fetch(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
        body: JSON.stringify(event),
      });
      expect([path, response.status]).toEqual([path, status]);
    }
}); // oxfmt-ignore

test('a connection is kept for longer than clients keep theirs', async () => {
  const { headers } = await fetch(`${usual.url}/healthz`);
  expect(headers.get('keep-alive')).toBe('timeout=75');
});

test('a socket carries so many operations, and frames of such a size', async () => {
  const socket = new WebSocket(`${limited.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws'); // oxfmt-ignore
  await once(socket, 'open');
  const send = (message: object) => socket.send(JSON.stringify(message));
  send({ type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_KEY}` } });
  await once(socket, 'message');
  for (const id of ['a', 'b', 'c'])
    send({ type: 'subscribe', id, payload: { query: 'subscription { eventLogged { cursor } }' } });
  const [refused] = await once(socket, 'message');
  expect(JSON.parse(String(refused))).toMatchObject({
    id: 'c',
    type: 'error',
    payload: [{ extensions: { code: 'BAD_USER_INPUT' } }],
  });
  send({ type: 'subscribe', id: 'd', payload: { query: 'x'.repeat(1_000) } });
  const [code] = await once(socket, 'close');
  expect(code).toBe(1009);
});

test('a question that takes the database too long is ended', async () => {
  const hasty = await createTestServer(undefined, { JEJAK_QUESTION_TIMEOUT_MS: 100 });
  try {
    // Whoever reads waits for this lock for longer than a question may take.
    const { release } = await locked(hasty.database.sql, 'events');
    const since = performance.now();
    const { errors } = await hasty.graphql('{ events { totalCount } }');
    expect(errors).toMatchObject([{ extensions: { code: 'TIMEOUT' } }]);
    expect(performance.now() - since).toBeLessThan(2_000);
    await release();
  } finally {
    await hasty[Symbol.asyncDispose]();
  }
});

test.each(Object.keys(small))('%s must be a number within reason', (name) => {
  for (const value of ['0', '-1', 'x', '99999999999'])
    expect(() => readConfig({ [name]: value })).toThrow(name);
});
