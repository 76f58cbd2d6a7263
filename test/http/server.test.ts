// What all doors share: whether the server is ready, clients that leave in the midst of a request, and how it stops.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ADMIN_KEY, type TestServer, createTestServer, leaveEarly, testServer } from '../support/server.ts'; // oxfmt-ignore
import { createTestDatabase, testDatabase } from '../support/database.ts';
import { proxyTo } from '../support/proxy.ts';

const ready = async ({ url }: { readonly url: string }) => {
  const response = await fetch(`${url}/readyz`);
  return [response.status, await response.json()];
};

/** A connection of our own, so that it can be left alone with what was sent to it. */
const ask = (server: TestServer, body: string) => {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(
    `POST /graphql HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${ADMIN_KEY}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return socket;
};

test('A8: /readyz warns where retention is overdue, and is ready all the same', async () => {
  expect(await ready(await testServer())).toEqual([200, { status: 'ready' }]);
  const before = new Date().toISOString();
  const overdue = await testServer(undefined, { JEJAK_RETENTION_MINUTES: 1e-6 });
  const [status, { warning, ...rest }] = await ready(overdue);
  expect([status, rest]).toEqual([200, { status: 'ready' }]);
  const [, since] = /^Retention has not come to its end since (\S+Z)\.$/.exec(warning)!;
  expect(since! > before && since! < new Date().toISOString()).toBe(true);
});

test('A2: a server is not ready from the moment that its database is gone, and again once it is back', async () => {
  const database = await testDatabase();
  const network = await proxyTo(database);
  const server = await testServer({ ...database, url: network.url });
  const status = async () => (await ready(server))[0];
  expect(await status()).toBe(200);
  network.set('away');
  await expect.poll(status, { timeout: 1_200, interval: 20 }).toBe(503); // silence takes longer
  network.set('fair');
  await expect.poll(status, { timeout: 5_000 }).toBe(200);
});

test('an answer of which much is still on its way when the server stops arrives whole', async () => {
  const server = await createTestServer(await createTestDatabase());
  const response = { text: 'a'.repeat(30_000) };
  for (let call = 0; call < 20; call++)
    await server.rest(
      Array.from({ length: 10 }, () => ({ code: 'SYS-001', response_data: response })),
    );
  const page = 'events(first: 200) { edges { node { responseData } } }';
  const query = `{ a: ${page} b: ${page} c: ${page} d: ${page} }`;
  await server.graphql(query); // known from now on, so that our own lane answers it
  const socket = ask(server, JSON.stringify({ query }));
  await once(socket, 'readable');
  const stopped = server[Symbol.asyncDispose]();
  await sleep(500);
  const text = Buffer.concat(await socket.toArray()).toString();
  await stopped;
  await server.database[Symbol.asyncDispose]();
  const [head, body] = text.split('\r\n\r\n');
  expect(head).toContain('200 OK');
  expect(JSON.parse(body!).data.d.edges).toHaveLength(200);
});

test('a client that left before its body was read keeps nobody waiting', async () => {
  const server = await createTestServer(await createTestDatabase());
  const left = await leaveEarly(server, 'EVENTS_WRITE', (key, signal) =>
    fetch(`${server.url}/api/events`, {
      method: 'POST',
      signal,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: '{}',
    }),
  );
  expect(left).toBe('left');
  await sleep(100);
  const began = performance.now();
  await server[Symbol.asyncDispose]();
  expect(performance.now() - began).toBeLessThan(3_000);
  await server.database[Symbol.asyncDispose]();
});
