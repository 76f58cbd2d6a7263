import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, rm } from 'node:fs/promises';
import { platform, release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readIfThere } from './files.ts';
import { knock, type Answer, type Connection } from './knock.ts';
import type { Place } from './place.ts';
import { isAlive, runsPostgresOn } from './process.ts';
import { apart } from './run.ts';
import { clearSocket, prepareSocketDirectory, removeSocketDirectory } from './socket.ts';

/** A database that can be started: its place, PostgreSQL's programs and how it is reached. */
export type Site = Place & { readonly bin: string; readonly connection: Connection };

export type Log = (message: string, details?: object) => void;

/**
 * PostgreSQL makes every file durable before it recovers, one by one: with our 1,700 that took 0.9-2.4 s on a busy machine, and
 * 0.2-0.3 s by one call for the file system. Before Linux 5.8 that call may keep quiet about a failing disk.
 */
const canSyncAtOnce = (): boolean => {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return platform() === 'linux' && (major > 5 || (major === 5 && minor >= 8));
};

/** Passed at every start, so that an existing cluster follows them. Durability (fsync and its kin) stays as PostgreSQL has it: on. */
const settings = ({ connection }: Site) => ({
  listen_addresses: '',
  port: connection.port,
  unix_socket_directories: `"${connection.host.replaceAll('"', '""')}"`,
  max_connections: 100,
  max_locks_per_transaction: 512, // a question over all partitions and their indexes takes some 400
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  wal_compression: 'pglz', // this build has no other
  checkpoint_completion_target: 0.9,
  random_page_cost: 1.1,
  jit: 'off',
  ...(canSyncAtOnce() && { recovery_init_sync_method: 'syncfs' }),
  autovacuum: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  log_min_error_statement: 'panic', // what is asked is nobody's who reads this log
  // a file per day of the week, emptied when its day comes again
  logging_collector: 'on',
  log_directory: 'log',
  log_filename: 'postgres-%a.log',
  log_truncate_on_rotation: 'on',
  log_rotation_age: '1d',
  log_rotation_size: 0,
});

/** How long an answer other than `ready` is borne. */
const patienceMs: Record<Exclude<Answer, 'ready'>, number> = {
  starting: 60_000,
  silent: 10_000,
  nobody: 15_000,
};

/**
 * Returns when PostgreSQL answers: at once if it runs, else it is started. Only in turn, so that nobody else starts or
 * stops it meanwhile. PostgreSQL's own lock file and shared memory check forbid a second postmaster in any case.
 */
export const bringUp = async (site: Site, log: Log, signal?: AbortSignal): Promise<void> => {
  const began = performance.now();
  let child: ChildProcess | undefined;
  let last: { answer?: Answer; sinceMs: number } = { sinceMs: 0 };
  try {
    for (;;) {
      signal?.throwIfAborted();
      const answer = await knock(site.connection);
      if (answer === 'ready') return;
      const spentMs = performance.now() - began;
      if (answer !== last.answer) last = { answer, sinceMs: spentMs };
      if (answer === 'nobody' && !isRunning(child) && (await findPostmaster(site)) === undefined) {
        if (child) await allowRetry(site, child, spentMs);
        log('Starting PostgreSQL', { cluster: site.cluster });
        child = await launch(site);
      }
      if (spentMs - last.sinceMs > patienceMs[answer]) throw await unanswered(site, answer);
      await delay(pauseMs(spentMs), undefined, signal && { signal });
    }
  } catch (error) {
    // a recovery that takes long goes on without us, and the next start finds it further on
    if (isRunning(child) && !(error instanceof Unanswered)) child?.kill('SIGINT');
    throw error;
  }
};

/** Every knock on a recovering PostgreSQL is a line in its log, so they become fewer. */
const pauseMs = (spentMs: number) => Math.min(20 + spentMs / 10, 250);

const isRunning = (child: ChildProcess | undefined) =>
  child !== undefined && child.exitCode === null && child.signalCode === null;

/**
 * In a session of its own, out of reach of a terminal's Ctrl-C: the server must still store what it has accepted. Not
 * through pg_ctl, because a postmaster that is our child is reaped by us when it dies; where no init process reaps
 * orphans (containers), the dead postmaster would look alive to the next.
 */
const launch = async (site: Site): Promise<ChildProcess> => {
  await prepareSocketDirectory(site);
  await using output = await open(startLog(site), 'w', 0o600);
  const options = Object.entries(settings(site)).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const child = spawn(join(site.bin, 'postgres'), ['-D', site.cluster, ...options], {
    ...apart(site.account),
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  });
  await once(child, 'spawn');
  child.unref();
  return child;
};

const startLog = ({ home }: Place) => join(home, 'postgres.log');

/** Backends of a killed postmaster keep its shared memory for a moment, and PostgreSQL does not start beside them. */
const passing = /pre-existing shared memory block|lock file .* already exists/;

const retryForMs = 10_000;

/** Also when it was killed: what PostgreSQL itself gives up on it ends with an exit code. */
const allowRetry = async (site: Site, ended: ChildProcess, spentMs: number) => {
  const said = await lastWords(site);
  const mayPass = ended.signalCode !== null || passing.test(said);
  if (!mayPass || spentMs > retryForMs) {
    throw new Error(`PostgreSQL did not start on ${site.cluster}. It said:\n${said}`);
  }
  await delay(200);
};

/** Of the last start: what came before its own log was open, and that log's end. */
const lastWords = async (site: Site): Promise<string> => {
  const first = (await readIfThere(startLog(site))) ?? '';
  const current = (await readIfThere(join(site.cluster, 'current_logfiles'))) ?? '';
  const [, name] = /^stderr (.+)$/m.exec(current) ?? [];
  const later = name && (await readIfThere(join(site.cluster, name)));
  return `${first}${later?.split('\n').slice(-10).join('\n') ?? ''}`.trim();
};

/** The living postmaster's process id. What a dead one left, in whose name nothing or something else runs, is removed. */
const findPostmaster = async (site: Site): Promise<number | undefined> => {
  const lockFile = join(site.cluster, 'postmaster.pid');
  const pid = Number.parseInt((await readIfThere(lockFile)) ?? '', 10);
  if (!(pid > 0)) return undefined;
  if (await runsPostgresOn(pid, site.cluster)) return pid;
  // PostgreSQL itself clears up after a pid that is free, but takes one that is in use again for a postmaster
  if (isAlive(pid)) {
    await rm(lockFile, { force: true });
    await clearSocket(site.connection);
  }
  return undefined;
};

class Unanswered extends Error {}

const unanswered = async (site: Site, answer: Exclude<Answer, 'ready'>) => {
  const pid = await findPostmaster(site);
  const who = `PostgreSQL${pid === undefined ? '' : ` (process ${pid})`} on ${site.cluster}`;
  if (answer === 'starting') {
    return new Unanswered(
      `${who} is still recovering: let it, and start again; its log is in ${site.cluster}/log`,
    );
  }
  const advice =
    pid === undefined
      ? 'see what holds the socket'
      : `"kill -CONT ${pid}" wakes it if it was stopped; else "kill -QUIT ${pid}" ends it without loss, and the next start recovers`;
  return new Unanswered(`${who} does not answer on ${site.connection.host}: ${advice}`);
};

const stopForMs = 60_000;

/** Fast shutdown: sessions are ended, a checkpoint is written, and the next start needs no recovery. Only in turn. */
export const stop = async (site: Site): Promise<void> => {
  const pid = await findPostmaster(site);
  if (pid === undefined) return;
  process.kill(pid, 'SIGINT');
  const deadline = performance.now() + stopForMs;
  while (await runsPostgresOn(pid, site.cluster)) {
    if (performance.now() > deadline) {
      throw new Error(
        `PostgreSQL (process ${pid}) did not stop within a minute: it goes on by itself; see ${site.cluster}/log`,
      );
    }
    await delay(20);
  }
  await removeSocketDirectory(site);
};
