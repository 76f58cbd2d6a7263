// A dashboard that never gives up: it follows the log over a socket, and whenever the socket ends it comes back with the
// cursor of the last event it had. Everything it was ever sent is one chain.

import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Anomalies } from './anomalies.ts';
import type { Chain } from './checker.ts';
import { type Met, compared } from './event.ts';
import { positionOf } from './history.ts';
import { ADMIN_KEY, type Server } from './server.ts';

type Payload = { eventLogged: { cursor: string; event: Met } };
const query = `subscription($after: String) {
  eventLogged(after: $after) { cursor event { ${compared.join(' ')} metadata } }
}`;
const PAUSE_MS = 50;

/** What a server may say of a subscription that it cannot begin yet. */
const notYet = /UNAVAILABLE/;

export const startSubscriber = (
  chain: Chain,
  server: Server,
  anomalies: Anomalies,
): AsyncDisposable => {
  let stopped = false;
  let cursor = 'earliest';
  let leave = (): void => {};

  const follow = (url: string): Promise<void> =>
    new Promise((resolve) => {
      let begun = false;
      const client = createClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${ADMIN_KEY}` },
        retryAttempts: 0,
      });
      const over = (why: string): void => {
        // One that had begun ends with its server, and not before.
        const permitted = stopped || server.url() !== url || (!begun && notYet.test(why));
        if (!permitted) {
          setTimeout(() => {
            // the end of the process may be heard of a moment after that of its sockets
            if (server.url() === url) anomalies.note('dropped', `${chain.name}: ${why}`);
          }, 200);
        }
        void client.dispose();
        resolve();
      };
      leave = () => over('left');
      client.subscribe<Payload>(
        { query, variables: { after: cursor } },
        {
          next: ({ data, errors }) => {
            if (!data) return over(JSON.stringify(errors));
            begun = true;
            ({ cursor } = data.eventLogged);
            chain.deliver(data.eventLogged.event, positionOf(cursor));
          },
          error: (error) => over(wordsOf(error)),
          complete: () => over('completed'),
        },
      );
    });

  const run = async (): Promise<void> => {
    while (!stopped) {
      const url = server.url();
      if (url !== undefined) await follow(url);
      if (!stopped) await sleep(PAUSE_MS);
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      leave();
      await running;
    },
  };
};

/** A close frame, a list of GraphQL errors, or an error of the socket. */
const wordsOf = (error: unknown): string => {
  const { code, reason } = error as { code?: number; reason?: string };
  return code === undefined
    ? JSON.stringify(error) === '{}'
      ? String(error)
      : JSON.stringify(error)
    : `closed with ${code} ${reason === 'Unavailable' ? 'UNAVAILABLE' : reason}`;
};
