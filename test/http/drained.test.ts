// Clients that do not take what they are sent.

import { once } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ADMIN_KEY, type TestServer, testServer } from '../support/server.ts';

/** Resolves with the server's end of the next connection. */
const accepted = (): Promise<Socket> => {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const accept = (message: unknown): void => {
    unsubscribe('net.server.socket', accept);
    resolve((message as { socket: Socket }).socket);
  };
  subscribe('net.server.socket', accept);
  return promise;
};

/** A client, and the server's end of it. */
const connected = async (of: TestServer) => {
  const end = accepted();
  const client = new WebSocket(`${of.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
  });
  onTestFinished(() => client.terminate());
  let messages = 0;
  client.on('message', () => void messages++);
  await once(client, 'open');
  const send = (message: object): void => client.send(JSON.stringify(message));
  send({ type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_KEY}` } });
  await once(client, 'message');
  return { client, send, end: await end, messages: () => messages };
};

test('one that does not take its answers is not asked for more, and has all when it does', async () => {
  const server = await testServer();
  const { client, send, end, messages } = await connected(server);
  client.pause();
  const filling = 'x'.repeat(50_000);
  const pings = 1_000;
  for (let index = 0; index < pings; index++) send({ type: 'ping', payload: { filling } });
  let most = 0;
  for (let index = 0; index < 50; index++) {
    most = Math.max(most, end.writableLength);
    await sleep(20);
  }
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(1_000_000);
  client.resume();
  await vi.waitFor(() => expect(messages()).toBe(1 + pings), { timeout: 10_000 });
});

test('one that takes nothing of a large answer is cut off, and one that takes its time has all of it', async () => {
  const server = await testServer();
  const input = Array.from({ length: 400 }, () => ({ code: 'AUTH-001', metadata: { filling: 'x'.repeat(30_000) } })); // oxfmt-ignore
  for (let from = 0; from < input.length; from += 25)
    await server.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', { input: input.slice(from, from + 25) }); // oxfmt-ignore
  const page = 'events(first: 200) { edges { node { metadata } } }';
  const query = `{ ${Array.from({ length: 5 }, (_, index) => `a${index}: ${page}`).join(' ')} }`;
  const body = JSON.stringify({ query });
  const post = `POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close`;
  const asking = async (head: string, sent = '') => {
    const end = accepted();
    const client = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
    onTestFinished(() => void client.destroy());
    client.pause();
    client.write(`${head}\r\nHost: x\r\nAuthorization: Bearer ${ADMIN_KEY}\r\n\r\n${sent}`);
    let bytes = 0;
    client.on('data', (data: Buffer) => (bytes += data.length));
    client.pause();
    return { client, end: await end, bytes: () => bytes };
  };
  const yogas = await asking(post, body); // later ones are of a document that is known, and answered without yoga
  await vi.waitFor(() => expect(yogas.end.writableLength).toBeGreaterThan(10_000_000), 20_000);
  const [stopped, slow] = [await asking(post, body), await asking(post, body)];
  const exported = await asking('GET /api/export?format=ndjson HTTP/1.1');
  await vi.waitFor(() => expect(exported.end.writableLength).toBeGreaterThan(0), 20_000);
  await vi.waitFor(() => expect(stopped.end.writableLength).toBeGreaterThan(10_000_000), 20_000);
  const begun = performance.now();
  const taking = setInterval(() => {
    const before = slow.bytes();
    slow.client.on('data', function take() {
      if (slow.bytes() < before + 1_000_000) return;
      slow.client.off('data', take).pause();
    });
    slow.client.resume();
  }, 5_000);
  onTestFinished(() => clearInterval(taking));
  await vi.waitUntil(() => [stopped, yogas, exported].every(({ end }) => end.destroyed), {
    timeout: 60_000,
    interval: 100,
  });
  expect(performance.now() - begun).toBeGreaterThan(25_000);
  expect(slow.end.destroyed).toBe(false);
  clearInterval(taking);
  slow.client.resume();
  await once(slow.client, 'close');
  expect(slow.bytes()).toBeGreaterThan(30_000_000);
}, 120_000);

test('an operation asks for so many events at most, however many pages they are in', async () => {
  const server = await testServer();
  const pages = (count: number) =>
    `{ ${Array.from({ length: count }, (_, index) => `a${index}: events(first: 200) { pageInfo { hasNextPage } }`).join(' ')} }`;
  expect((await server.graphql(pages(5))).errors).toBeUndefined();
  expect((await server.graphql(pages(6))).errors![0]!.extensions!.code).toBe('TOO_EXPENSIVE');
});
