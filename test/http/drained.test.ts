// Clients that do not take what they are sent, or take their time; in minutes, which is how patient the server is.

import { once } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createTestLog } from '../support/log.ts';
import { ADMIN_KEY, type TestServer, testServer } from '../support/server.ts';

/** A client, and the server's end of it. It answers pings where `answers` says so. */
const connected = async (of: TestServer, answers: () => boolean = () => true) => {
  const accepted = Promise.withResolvers<Socket>();
  const accept = (message: unknown): void =>
    accepted.resolve((message as { socket: Socket }).socket);
  subscribe('net.server.socket', accept);
  const client = new WebSocket(`${of.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    autoPong: false,
    perMessageDeflate: false,
  });
  onTestFinished(() => client.terminate());
  client.on('ping', () => answers() && client.pong());
  let messages = 0;
  let bytes = 0;
  client.on('message', (data: Buffer) => {
    messages++;
    bytes += data.length;
  });
  await once(client, 'open');
  unsubscribe('net.server.socket', accept);
  const send = (message: object): void => client.send(JSON.stringify(message));
  send({ type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_KEY}` } });
  await once(client, 'message');
  const closed = once(client, 'close').then(([code]) => code as number);
  return { client, send, closed, end: await accepted.promise, messages: () => messages, bytes: () => bytes }; // oxfmt-ignore
};

/** Subscriptions of the slow one, so that it is behind where the other has had nearly all. */
const FOLLOWED = 6;
const follow = {
  id: 'all',
  type: 'subscribe',
  payload: { query: 'subscription { eventLogged { event { username metadata } } }' },
};

test('B5: one that takes nothing of a little is closed; one that takes its time is not, though it answers no ping meanwhile', async () => {
  const server = await testServer();
  using log = createTestLog(server.database.sql);
  const filling = 'x'.repeat(25_000);
  const logOne = () => log([{ code: 'AUTH-001', metadata: { filling } }]);
  let answers = false;
  const slow = await connected(server, () => answers);
  for (let id = 0; id < FOLLOWED; id++) slow.send({ ...follow, id: String(id) });
  const dead = await connected(server);
  dead.send(follow);
  const quick = await connected(server);
  quick.send(follow);
  await once(slow.client, 'ping');
  slow.client.pause();
  dead.client.pause();
  let logged = 0;
  while (dead.end.writableLength === 0) {
    await logOne();
    logged++;
    await vi.waitFor(() => expect(quick.messages()).toBe(1 + logged), { interval: 1 });
  }
  const began = performance.now();
  expect(dead.end.writableLength).toBeLessThan(64 * 1024);

  while (performance.now() - began < 25_000) {
    const before = slow.bytes();
    slow.client.resume();
    await vi.waitFor(() => expect(slow.bytes()).toBeGreaterThan(before + 1_000_000), {
      interval: 1,
    });
    slow.client.pause();
    await sleep(5_000);
  }
  slow.client.resume();
  await vi.waitFor(() => expect(slow.messages()).toBe(1 + FOLLOWED * logged), { timeout: 5_000 });
  answers = true;
  await sleep(50_000 - (performance.now() - began));
  expect(slow.client.readyState).toBe(WebSocket.OPEN);
  dead.client.resume();
  expect(await dead.closed).toBe(1013);
}, 120_000);

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
