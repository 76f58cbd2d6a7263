// Frames of every length that a header has a form for, as a client reads them.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { frameOf } from '../../src/http/frame.ts';

let server: WebSocketServer;
beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
});

const ids = ['1', 'siswa-é-😀', 'it\'s "so" \\ {x}\n\u0000', ''];
const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000];

/** Sends the bytes as they are; the text of the one message that the client reads. */
const received = async (bytes: Buffer): Promise<string> => {
  const connected = once(server, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const message = once(client, 'message');
  const [, request] = await connected;
  request.socket.write(bytes);
  const [data, isBinary] = (await message) as [Buffer, boolean];
  expect(isBinary).toBe(false);
  client.terminate();
  return data.toString();
};

/** JSON that makes the message this long, or as short as it can be. */
const payloadFor = (id: string, length: number): string => {
  const around = Buffer.byteLength(JSON.stringify({ id, type: 'next', payload: 'é"' }));
  return `é"${'x'.repeat(Math.max(0, length - around))}`;
};

test.each(ids.flatMap((id) => lengths.map((length) => [id, length] as const)))(
  'a message with the id %j of about %d bytes is read as it was sent',
  async (id, length) => {
    const payload = payloadFor(id, length);
    const text = await received(Buffer.concat(frameOf(id, Buffer.from(JSON.stringify(payload)))));
    expect(JSON.parse(text)).toEqual({ id, type: 'next', payload });
    if (length > 125) expect(Buffer.byteLength(text)).toBe(length);
  },
);
