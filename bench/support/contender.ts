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
  /** Runs a query on its database, once all is quiet. */
  readonly count: (sql: string) => Promise<number>;
  /** Seconds of processor time since it began. */
  readonly cpuSeconds: () => Promise<number>;
  /** Asks its process something that only this one answers. */
  readonly ask: Peer['ask'];
  readonly profile: () => Promise<void>;
  readonly profiled: () => Promise<Profiler.Profile>;
};

export const KEY = 'benchmark-administrator-key';

export const startContender = async (
  { file, environment }: Contender,
  postgres: Postgres,
  signal: AbortSignal,
): Promise<Running> => {
  await using starting = new AsyncDisposableStack();
  const database = starting.use(await postgres.createDatabase());
  const peer: Peer = starting.use(startPeer(file, signal, environment));
  const place: Place = { databaseUrl: database.url, key: KEY };
  const url = await peer.ask<string>('start', place);
  const running = starting.move();
  return {
    url,
    key: KEY,
    postmaster: postgres.postmaster,
    count: database.count,
    ask: peer.ask,
    cpuSeconds: async () => (await peer.ask<number>('cpu')) / 1e6,
    profile: () => peer.ask('profile'),
    profiled: () => peer.ask('profiled'),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};
