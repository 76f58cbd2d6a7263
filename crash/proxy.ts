// A network that can be told to fail: a proxy over TCP on 127.0.0.1 before a server, or before PostgreSQL's Unix socket.

import { once } from 'node:events';
import {
  type AddressInfo,
  type NetConnectOpts,
  type Socket,
  connect,
  createServer,
} from 'node:net';

/** `away` cuts every connection and refuses new ones, `hole` keeps them and carries nothing, `moved` does so with those
 * there are and carries over new ones, `deaf` carries nothing to the connection that listens for notifications. */
export type Weather = 'fair' | 'away' | 'hole' | 'moved' | 'deaf';

export type Proxy = AsyncDisposable & {
  readonly port: number;
  readonly set: (weather: Weather) => void;
};

const LISTEN = /listen "?jejak_log/i;

/** `target` is asked at each connection, for it may come to be elsewhere. */
export const startProxy = async (target: () => NetConnectOpts): Promise<Proxy> => {
  let weather: Weather = 'fair';
  const pairs = new Set<{ client: Socket; database: Socket }>();

  const accept = (client: Socket): void => {
    client.on('error', () => client.destroy());
    if (weather === 'away') return void client.resetAndDestroy();
    const database = connect(target());
    let listens = false;
    const pair = { client, database };
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      database.destroy();
    };
    client.on('close', end);
    database.on('close', end).on('error', end);
    client.on('data', (chunk: Buffer) => {
      listens ||= LISTEN.test(chunk.toString('latin1'));
      database.write(chunk);
    });
    database.on('data', (chunk: Buffer) => {
      if (!(weather === 'deaf' && listens)) client.write(chunk);
    });
    if (weather === 'hole') hold(pair);
  };
  const hold = ({ client, database }: { client: Socket; database: Socket }): void => {
    client.pause();
    database.pause();
  };
  const server = createServer(accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    set: (next) => {
      weather = next;
      for (const pair of pairs) {
        if (next === 'away') pair.client.destroy();
        else if (next === 'hole' || next === 'moved') hold(pair);
        else {
          pair.client.resume();
          pair.database.resume();
        }
      }
    },
    async [Symbol.asyncDispose]() {
      for (const { client } of pairs) client.destroy();
      server.close();
      await once(server, 'close').catch(() => {});
    },
  };
};
