// Waits for a client that takes its time. What it has not taken is all that is kept for it.

import type { Socket } from 'node:net';

const MAX_UNSENT_BYTES = 64 * 1024;
/** How long a client may take nothing at all. */
const PATIENCE_MS = 30_000;

/** Resolves when the client has taken what was written, or is gone; with false when it took nothing for too long. */
export const drained = (socket: Socket): Promise<boolean> | true =>
  socket.writableLength <= MAX_UNSENT_BYTES || socket.destroyed || wait(socket);

const wait = (socket: Socket): Promise<boolean> =>
  new Promise((resolve) => {
    const done = (taken: boolean) => (): void => {
      socket.setTimeout(0);
      socket.off('drain', onDrain).off('close', onDrain).off('timeout', onTimeout);
      resolve(taken);
    };
    const [onDrain, onTimeout] = [done(true), done(false)];
    socket.setTimeout(PATIENCE_MS); // node counts from the last byte that went
    socket.on('drain', onDrain).on('close', onDrain).on('timeout', onTimeout);
  });
