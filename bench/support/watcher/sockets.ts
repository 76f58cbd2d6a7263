// Thousands of sockets on one subscription: all are opened, each frame is entered into the ledger, and where that is wanted
// a socket that ended comes back with its cursor.

import type { Watch } from '../watch.ts';
import { type Frame, createFrames } from './frames.ts';
import type { Account, Ledger } from './ledger.ts';
import { subscribe } from './subscribe.ts';

/** At once; more than a server's backlog would wait a second for the next try. */
const OPENING = 100;

type Socket = {
  readonly account: Account;
  close?: () => void;
  last?: Frame;
  /** Whether it has had an event that does not count. */
  probed: boolean;
  cameBack: boolean;
  resumedAt?: number;
};

export type Sockets = Disposable & {
  readonly open: () => Promise<void>;
  /** Whether each has had an event that does not count. */
  readonly probed: () => boolean;
  /** For so many milliseconds no frame has come. */
  readonly quietMs: () => number;
  /** When each had its first event after it came back, in milliseconds since 1970; undefined where it did not yet. */
  readonly resumedAt: () => (number | undefined)[];
};

export const createSockets = (
  watch: Watch,
  ledger: Ledger,
  fail: (error: unknown) => void,
): Sockets => {
  // oxfmt-ignore
  const { groups, comeBackSeconds } = watch;
  const readers = groups.map(createFrames);
  const all = ledger.accounts.map((account): Socket => ({ account, probed: false, cameBack: false })); // oxfmt-ignore
  let heardAt = 0;
  let closing = false;

  const hear = (socket: Socket, bytes: Buffer): void => {
    const frame = readers[socket.account.group]!(bytes, socket.last);
    socket.last = frame;
    heardAt = performance.now();
    if (frame.numbers.length === 0) return;
    if (frame.sum === 0) {
      socket.probed = true;
      return;
    }
    ledger.enter(socket.account, frame);
    if (socket.cameBack) socket.resumedAt ??= performance.timeOrigin + heardAt;
  };

  const open = async (socket: Socket): Promise<void> => {
    const { filter } = groups[socket.account.group]!;
    const variables =
      socket.last === undefined ? { filter } : { filter, after: socket.last.cursor };
    const { close, begun, ended } = subscribe({ ...watch, variables }, (bytes) => {
      try {
        hear(socket, bytes);
      } catch (error) {
        fail(error);
      }
    });
    socket.close = close;
    void ended.then((reason) => end(socket, reason));
    await begun;
  };

  const end = (socket: Socket, reason: Error): void => {
    if (closing) return;
    if (comeBackSeconds === undefined) {
      fail(reason);
      return;
    }
    socket.cameBack = true;
    delete socket.resumedAt;
    setTimeout(() => void open(socket), Math.random() * comeBackSeconds * 1000).unref();
  };

  return {
    open: async () => {
      for (let from = 0; from < all.length; from += OPENING)
        await Promise.all(all.slice(from, from + OPENING).map(open));
    },
    probed: () => all.every(({ probed }) => probed),
    quietMs: () => performance.now() - heardAt,
    resumedAt: () => all.map(({ resumedAt }) => resumedAt),
    [Symbol.dispose]: () => {
      closing = true;
      for (const { close } of all) close?.();
    },
  };
};
