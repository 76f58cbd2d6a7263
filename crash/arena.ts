// Everything a fault may lay its hands on: two servers on one log, of which the first brings the database along and the
// second reaches it over a network that can fail; what is logged there; and places for logs of their own.

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BATCH_SPAN } from '../src/database/schema.ts';
import type { Random } from '../test/support/generate.ts';
import type { Anomalies } from './anomalies.ts';
import type { Actor } from './actor.ts';
import { type Chain, createChain } from './checker.ts';
import { type Client, createClient } from './client.ts';
import { type Cluster, kill, openCluster } from './cluster.ts';
import { type Met, compared } from './event.ts';
import { type History, createHistory } from './history.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { type Server, createServer } from './server.ts';
import { type Writer, createWriter } from './writers.ts';
import { fields } from '../src/events/fields.ts';

/** A log in a directory of its own, and all that is known of it. */
export type Ground = AsyncDisposable & {
  readonly cluster: Cluster;
  readonly history: History;
  readonly client: Client;
  readonly server: (name: string, environment?: Record<string, string>) => Server;
  readonly writer: () => Writer;
  /** Reads the whole table, in its order. */
  readonly table: () => Promise<Chain>;
  /** From a moment, how long until each of the servers acknowledges again, in ms. */
  readonly recovered: (since: number, servers: readonly Server[]) => Promise<number>;
};

/** Somebody who follows the log, and how far. */
export type Follower = Pick<Chain, 'name' | 'count' | 'last'>;
export type Stage = Omit<Arena, 'followers' | 'writers' | 'readers'>;

export type Arena = Omit<Ground, keyof AsyncDisposable> & {
  readonly first: Server;
  readonly second: Server;
  readonly proxy: Proxy;
  readonly followers: readonly Follower[];
  /** Those that are processes of their own. */
  readonly writers: readonly Actor[];
  readonly readers: readonly Actor[];
  readonly random: Random;
  readonly anomalies: Anomalies;
  /** The longest that an outage may last here. */
  readonly longestMs: number;
};

const STUCK_MS = 90_000;

export const temporary = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'jejak-crash-'));
  await chmod(directory, 0o711); // as root, PostgreSQL's user must be able to pass
  return directory;
};

export const openGround = (directory: string, seed: number, anomalies: Anomalies): Ground => {
  const history = createHistory();
  const client = createClient(history, anomalies);
  const cluster = openCluster(directory);
  const servers: Server[] = [];
  const run = seed * 1_000 + randomBytes(1)[0]!;
  const writer = () => createWriter(run, history, client);
  const prober = writer();
  return {
    cluster,
    history,
    client,
    writer,
    server: (name, environment = {}) => {
      const server = createServer(name, directory, environment, anomalies);
      servers.push(server);
      return server;
    },
    table: async () => {
      // read over again where the connection is lost, so into a chain of its own each time
      const read = await cluster.using(async (sql) => {
        const chain = createChain('the table', history, anomalies);
        for await (const rows of sql
          .unsafe<(Met & { position: number })[]>(everything)
          .cursor(2_000))
          for (const { position, ...event } of rows) chain.deliver(event, position);
        const [dense] = await sql<[{ holes: number; strays: number }]>`
          SELECT max(seq) - count(*) AS holes, sum(size) - (SELECT count(*) FROM events) AS strays FROM batches`;
        return { chain, ...dense };
      });
      if (read.holes !== 0 || read.strays !== 0)
        anomalies.note(
          'lost',
          `${read.holes} numbers of batches, ${read.strays} events of batches`,
        );
      return read.chain;
    },
    recovered: async (since, wanted) => {
      const spent = await Promise.all(
        wanted.map(async (server) => {
          while (performance.now() < since + STUCK_MS) {
            const answer = await client.log(server, 'logEvent', [prober.next()]);
            if ('results' in answer) return performance.now() - since;
            await sleep(20);
          }
          anomalies.note(
            'stuck',
            `${server.name} does not acknowledge: ${server.words().slice(-500)}`,
          );
          return STUCK_MS;
        }),
      );
      return Math.max(...spent);
    },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      for (const server of servers) await server[Symbol.asyncDispose]();
      const left = await cluster.postmaster();
      if (left !== undefined) {
        kill(left, 'SIGQUIT');
        while (await cluster.postmaster()) await sleep(50);
      }
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};

const everything = `
  SELECT seq * ${BATCH_SPAN} + id % ${BATCH_SPAN} AS position, metadata,
         ${compared.map((name) => `"${fields[name].column}" AS "${name}"`).join(', ')}
  FROM events JOIN batches ON number = id / ${BATCH_SPAN} ORDER BY seq, id`;

/** The ground of a whole run, with both servers up; `resources` closes it. */
export const openStage = async ({
  seed,
  random,
  anomalies,
  longestMs,
  resources,
}: {
  seed: number;
  random: Random;
  anomalies: Anomalies;
  longestMs: number;
  resources: AsyncDisposableStack;
}): Promise<Stage> => {
  const ground = resources.use(openGround(await temporary(), seed, anomalies));
  const first = ground.server('the first server');
  await first.start();
  const url = await ground.cluster.url();
  const path = `${decodeURIComponent(url.hostname)}/.s.PGSQL.${url.port || 5432}`;
  const proxy = resources.use(await startProxy(() => ({ path })));
  const second = ground.server('the second server', {
    DATABASE_URL: `postgres://${url.username}:${url.password}@127.0.0.1:${proxy.port}${url.pathname}`,
  });
  await second.start();
  return { ...ground, first, second, proxy, random, anomalies, longestMs };
};

/** A directory for another log, in which nothing is yet. */
export const emptyDirectory = async (parent: string): Promise<string> => {
  const directory = join(parent, 'jejak');
  await mkdir(directory, { mode: 0o711 });
  return directory;
};
