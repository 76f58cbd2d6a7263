// Says that something was committed, to this server at once and to all others by NOTIFY. It is only a doorbell: whoever
// hears it looks for himself, and looks now and then where it stays silent.

import { randomUUID } from 'node:crypto';
import type { Sql } from '../database/connection.ts';
import type { Logger } from '../logger.ts';

const CHANNEL = 'jejak_log';
const HEARTBEAT_MS = 5_000;

export type Doorbell = Disposable & {
  /** After a commit here. In a transaction of its own: inside the batch's it would make commits wait for each other across
   * the whole cluster. Rings while one is on its way become one. */
  readonly ring: () => void;
  /** Calls back at each ring, wherever it was rung, and when it begins to hear again. */
  readonly onRing: (listener: () => void) => void;
};

/** `open` makes a connection to listen on; one that went deaf without an error is replaced by another. */
export const createDoorbell = (sql: Sql, open: () => Sql, logger: Logger): Doorbell => {
  const self = randomUUID();
  const listeners: (() => void)[] = [];
  const answer = (): void => {
    for (const listener of listeners) listener();
  };
  let stopped = false;
  let heard = true;
  let connection: Sql;

  const listen = (): void => {
    connection = open();
    const hear = (from: string): void => {
      heard = true;
      if (from !== self) answer();
    };
    connection.listen(CHANNEL, hear, answer).catch((error: unknown) => {
      if (!stopped)
        logger.warn({ err: error }, 'No notifications; new events are found by polling');
    });
  };
  listen();

  let underWay = false;
  let again = false;
  const notify = (): void => {
    if (underWay) {
      again = true;
      return;
    }
    underWay = true;
    void sql`SELECT pg_notify(${CHANNEL}, ${self})`
      .catch(() => {}) // the others find by polling what a lost ring announced
      .finally(() => {
        underWay = false;
        if (again && !stopped) notify();
        again = false;
      });
  };

  const heartbeat = setInterval(() => {
    if (!heard) {
      void connection.end({ timeout: 0 });
      listen();
    }
    heard = false;
    notify();
  }, HEARTBEAT_MS);

  return {
    ring: () => {
      answer();
      notify();
    },
    onRing: (listener) => void listeners.push(listener),
    [Symbol.dispose]: () => {
      stopped = true;
      clearInterval(heartbeat);
      void connection.end({ timeout: 0 });
    },
  };
};
