import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createCluster, hasCluster, readPassword } from './embedded/cluster.ts';
import { replaceFile } from './embedded/files.ts';
import { answerOf, knock, knockUntilSettled, type Connection } from './embedded/knock.ts';
import { enter, type Membership } from './embedded/membership.ts';
import { copiesDirectory, findPlace, giveToOwner, openHome } from './embedded/place.ts';
import { bringUp, stop, type Log, type Site } from './embedded/postmaster.ts';
import { findPrograms } from './embedded/programs.ts';
import { port, socketDirectory } from './embedded/socket.ts';
import { inTurn } from './embedded/turn.ts';

/**
 * PostgreSQL without anything to install: made, started, watched and stopped by the servers that use it.
 *
 * Invariants, each held by a test in embedded.test.ts:
 * - one data directory never has two postmasters, however many servers start on it and whenever they are killed;
 * - a cluster is complete under its name or absent;
 * - a PostgreSQL that was left behind is adopted; the last server out stops it.
 */
export type Embedded = {
  /** For postgres.js; `host` is the directory of the Unix socket, and nothing listens on TCP. */
  readonly connection: Connection;
  /** Where the database's files are: the data directory, or one in /var/lib/jejak. */
  readonly location: string;
  /** True when another living server was already using the database. */
  readonly joined: boolean;
  /**
   * Resolves when PostgreSQL answers, starting it if it has died. It is started again without being asked too; awaiting
   * this tells when that is done.
   */
  ensureRunning(): Promise<void>;
  /** Stops the database, if no other server uses it. */
  [Symbol.asyncDispose](): Promise<void>;
};

type Options = { dataDir: string; log: Log; signal?: AbortSignal };

export const startEmbedded = async ({ dataDir, log, signal }: Options): Promise<Embedded> => {
  const home = await openHome(dataDir);
  const lock = join(home, 'lock');
  return inTurn(
    lock,
    async () => {
      const site = await prepare(home, log, signal);
      const embedded = await attend(site, lock, log, signal);
      await giveToOwner(home);
      return embedded;
    },
    signal,
  );
};

const prepare = async (home: string, log: Log, signal?: AbortSignal): Promise<Site> => {
  const place = await findPlace(home);
  if (place.files !== home)
    log(`PostgreSQL's user cannot reach ${home}; the database is in ${place.files}`);
  const bin = await findPrograms(copiesDirectory(place), place.account);
  const exists = await hasCluster(place);
  const password = await readPassword(home, exists);
  if (!exists) {
    log('Creating the database', { cluster: place.cluster });
    await createCluster(place, bin, password, signal);
  }
  const connection = {
    host: socketDirectory(place.files),
    port,
    user: 'jejak',
    password,
    database: 'jejak',
  };
  await replaceFile(join(home, 'database-url'), `${toUrl(connection)}\n`);
  return { ...place, bin, connection };
};

/** As psql takes it: the socket's directory in place of a host name, encoded. */
const toUrl = ({ host, user, password, database }: Connection) =>
  `postgresql://${user}:${password}@${encodeURIComponent(host)}:${port}/${database}`;

/** In turn. `starting` ends the start alone; what happens later ends when the server leaves. */
const attend = async (
  site: Site,
  lock: string,
  log: Log,
  starting?: AbortSignal,
): Promise<Embedded> => {
  const ended = new AbortController();
  const { signal } = ended;
  let reviving: Promise<void> | undefined;
  let leaving: Promise<void> | undefined;

  /** The session's end took our lock with it although we live, so it is taken again, asked or not. */
  const onCut = () => void retry(revive, log, signal);
  let membership = await arrive(site, log, onCut, starting);
  const { joined } = membership;

  const revive = () =>
    (reviving ??= inTurn(lock, bringBack, signal).finally(() => (reviving = undefined)));
  const bringBack = async () => {
    if (membership.held) await bringUp(site, log, signal);
    else membership = await arrive(site, log, onCut, signal);
  };
  const leave = async () => {
    ended.abort();
    await reviving?.catch(() => {});
    try {
      await inTurn(lock, async () => {
        if (await isLast()) await stop(site);
        await membership.close();
      });
    } finally {
      await membership.close(); // left open it would keep the process
    }
  };
  /** Not when it does not answer: then it is left as it is, for the next start to adopt or bring back. */
  const isLast = async () => {
    try {
      const answer = await knockUntilSettled(site.connection);
      if (answer === 'ready') {
        if (!membership.held) membership = await enter(site.connection, onCut);
        return await membership.leave();
      }
      if (answer !== 'nobody') log('PostgreSQL does not answer and is left as it is');
    } catch (error) {
      log('PostgreSQL is left as it is', { error });
    }
    return false;
  };

  return {
    connection: site.connection,
    location: site.files,
    joined,
    async ensureRunning() {
      if (membership.held && (await knock(site.connection)) === 'ready') return;
      await revive();
    },
    [Symbol.asyncDispose]: () => (leaving ??= leave()),
  };
};

/** PostgreSQL may die between answering and letting us in; then it is brought up again. */
const arrive = async (
  site: Site,
  log: Log,
  onCut: () => void,
  signal?: AbortSignal,
): Promise<Membership> => {
  for (;;) {
    await bringUp(site, log, signal);
    try {
      return await enter(site.connection, onCut);
    } catch (error) {
      if ((answerOf(error) ?? 'ready') === 'ready') throw error;
    }
  }
};

const longestPauseMs = 10_000;

/** Until it succeeds or the signal ends it. */
const retry = async (work: () => Promise<void>, log: Log, signal: AbortSignal) => {
  for (let pauseMs = 250; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (!signal.aborted) log('PostgreSQL is not back yet', { error });
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }
};
