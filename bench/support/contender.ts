// A server under test, in a process and on a database of its own.

import type { Profiler } from 'node:inspector';
import { type Peer, startPeer } from './messages.ts';
import type { Postgres } from './postgres.ts';
import type { Place } from './serve.ts';

export type Contender = {
  readonly name: string;
  readonly file: URL;
  readonly environment?: Readonly<Record<string, string>>;
};

export type Running = AsyncDisposable & {
  readonly url: string;
  readonly key: string;
  readonly postmaster: number;
  readonly databaseUrl: string;
  /** Runs a query on its database, once all is quiet. */
  readonly count: (sql: string) => Promise<number>;
  /** Seconds of processor time since it began. */
  readonly cpuSeconds: () => Promise<number>;
  /** Asks its process something that only this one answers. */
  readonly ask: Peer['ask'];
  readonly profile: () => Promise<void>;
  readonly profiled: () => Promise<Profiler.Profile>;
  /** Kills its process without a word and starts another on the same database and port. */
  readonly crash: () => Promise<Crash>;
};
/** In milliseconds since 1970: when it was killed, and when calls were accepted again. */
export type Crash = { readonly killedAt: number; readonly acceptedAt: number };

export const KEY = 'benchmark-administrator-key';

export const startContender = async (
  { file, environment }: Contender,
  postgres: Postgres,
  signal: AbortSignal,
): Promise<Running> => {
  await using starting = new AsyncDisposableStack();
  const database = starting.use(await postgres.createDatabase());
  const peers = starting.use(new AsyncDisposableStack());
  let peer: Peer;
  const start = (port?: string): Promise<string> => {
    peer = peers.use(startPeer(file, signal, environment));
    const place: Place = { databaseUrl: database.url, key: KEY, ...(port && { port }) };
    return peer.ask<string>('start', place);
  };
  const url = await start();
  const running = starting.move();
  return {
    url,
    key: KEY,
    postmaster: postgres.postmaster,
    databaseUrl: database.url,
    count: database.count,
    ask: (question, details) => peer.ask(question, details),
    cpuSeconds: async () => (await peer.ask<number>('cpu')) / 1e6,
    profile: () => peer.ask('profile'),
    profiled: () => peer.ask('profiled'),
    crash: async () => {
      await peer.kill();
      const killedAt = Date.now();
      await start(new URL(url).port);
      return { killedAt, acceptedAt: Date.now() };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};
