// Clients that do not take what they are sent.

import { once } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ADMIN_KEY, type TestServer, testServer } from '../support/server.ts';

/** A client, and the server's end of it. */
const connected = async (of: TestServer) => {
  const accepted = Promise.withResolvers<Socket>();
  const accept = (message: unknown): void =>
    accepted.resolve((message as { socket: Socket }).socket);
  subscribe('net.server.socket', accept);
  const client = new WebSocket(`${of.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
  });
  onTestFinished(() => client.terminate());
  let messages = 0;
  client.on('message', () => void messages++);
  await once(client, 'open');
  unsubscribe('net.server.socket', accept);
  const send = (message: object): void => client.send(JSON.stringify(message));
  send({ type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_KEY}` } });
  await once(client, 'message');
  return { client, send, end: await accepted.promise, messages: () => messages };
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
