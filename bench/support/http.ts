// A bare server of HTTP on a free port of this machine.

import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Serving } from './serve.ts';

/** `close` ends what the listener works with. */
export const serveHttp = async (
  listener: RequestListener,
  close: () => PromiseLike<void>,
): Promise<Serving> => {
  const server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await close();
    },
  };
};
