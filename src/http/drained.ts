// Writes to clients that take their time. What one has not taken is all that is kept for it.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const MAX_UNSENT_BYTES = 64 * 1024;
/** How long a client may take nothing at all, and how often that is looked at. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 10_000;

/** Messages, each in parts, together in pieces of about as much as may be unsent. */
export function* piecesOf(messages: Iterable<readonly Buffer[]>): Generator<Buffer, void, void> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for (const message of messages) {
    for (const part of message) bytes += part.length;
    parts.push(...message);
    if (bytes < MAX_UNSENT_BYTES) continue;
    yield Buffer.concat(parts, bytes);
    [parts, bytes] = [[], 0];
  }
  if (bytes > 0) yield Buffer.concat(parts, bytes);
}

/** Resolves when the client has taken what was written, or is gone; with false when it took nothing for too long. Where no more
 * than so many bytes are unsent, nothing is waited for. */
export const drained = (
  socket: Socket,
  maxUnsentBytes = MAX_UNSENT_BYTES,
): Promise<boolean> | true => {
  if (socket.writableLength <= maxUnsentBytes || socket.destroyed) return true;
  const wait = waits.get(socket) ?? begin(socket).finally(() => waits.delete(socket));
  waits.set(socket, wait);
  return wait;
};

/** Ends an answer of which a client takes nothing for too long. */
export const endUnlessTaken = async (response: ServerResponse): Promise<void> => {
  const { socket } = response;
  if (!socket?.writableLength) return;
  if (response.listenerCount('timeout') === 0) response.on('timeout', () => {}); // or node would end a socket that pauses
  if (!(await drained(socket, 0))) response.destroy();
};

/** Does what sends an answer, which is ended where the client takes nothing of it for too long. */
export const whileTaken = async <T>(
  response: ServerResponse,
  send: () => Promise<T>,
): Promise<T> => {
  const looking = setInterval(() => void endUnlessTaken(response), LOOK_MS);
  try {
    return await send();
  } finally {
    clearInterval(looking);
  }
};

/** All subscriptions of a socket wait together. */
const waits = new WeakMap<Socket, Promise<boolean>>();

const begin = (socket: Socket): Promise<boolean> =>
  new Promise((resolve) => {
    const done = (taken: boolean) => (): void => {
      socket.setTimeout(0);
      socket.off('drain', onDrain).off('close', onDrain).off('timeout', onTimeout);
      resolve(taken);
    };
    const onDrain = done(true);
    let looked = Date.now();
    let went = looked;
    // Where a part of what was written went, node says nothing and counts anew.
    const onTimeout = (): void => {
      const now = Date.now();
      if (socket.writableLength === 0) return onDrain(); // of so little that nothing was said
      if (now - looked > 1.5 * LOOK_MS) went = now - LOOK_MS;
      looked = now;
      if (now - went < PATIENCE_MS) socket.setTimeout(LOOK_MS);
      else done(false)();
    };
    socket.setTimeout(LOOK_MS);
    socket.on('drain', onDrain).on('close', onDrain).on('timeout', onTimeout);
  });
