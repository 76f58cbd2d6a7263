// The embedded PostgreSQL of a data directory seen from outside: its processes, to be stopped and killed by their ids, and
// a connection that no fault of the network touches.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Sql, connect } from '../src/database/connection.ts';

export type Process = { readonly pid: number; readonly title: string };

export type Cluster = {
  readonly directory: string;
  /** Where a database client reaches it, as the server wrote it down. */
  readonly url: () => Promise<URL>;
  /** The living postmaster; undefined while there is none. */
  readonly postmaster: () => Promise<number | undefined>;
  readonly children: () => Promise<Process[]>;
  /** How many postmasters run on the directory. */
  readonly postmasters: () => Promise<number>;
  /** Does something over a connection of its own, again until it succeeds. */
  readonly using: <T>(work: (sql: Sql) => Promise<T>) => Promise<T>;
};

const TRY_MS = 60_000;

export const openCluster = (directory: string): Cluster => {
  const home = join(directory, '.jejak');
  const files = join(home, 'postgres');
  const text = async (): Promise<string> =>
    (await readFile(join(home, 'database-url'), 'utf8')).trim();
  const self: Cluster = {
    directory,
    url: async () => new URL(await text()),
    postmaster: async () => {
      const lines = await readFile(join(files, 'postmaster.pid'), 'utf8').catch(() => '');
      const pid = Number.parseInt(lines, 10);
      return pid > 0 && (await titleOf(pid)).includes(files) ? pid : undefined;
    },
    children: async () => {
      const parent = await self.postmaster();
      if (parent === undefined) return [];
      const processes = await everyProcess();
      return processes.filter((process) => process.parent === parent);
    },
    postmasters: async () =>
      (await everyProcess()).filter(({ title }) => title.includes(`postgres -D ${files} `)).length,
    using: async (work) => {
      const deadline = Date.now() + TRY_MS;
      for (;;) {
        const sql = connect({ url: await text() }, { name: 'crash', max: 1 });
        try {
          return await work(sql);
        } catch (error) {
          if (Date.now() > deadline) throw error;
          await sleep(100);
        } finally {
          await sql.end({ timeout: 1 });
        }
      }
    },
  };
  return self;
};

export const isBackend = ({ title }: Process): boolean => title.startsWith('postgres: jejak ');

/** For a process that may have ended meanwhile. */
export const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ESRCH') throw error;
  }
};

/** A process that ended and was not reaped has no title. */
export const lives = async (pid: number): Promise<boolean> => (await titleOf(pid)) !== '';

const titleOf = async (pid: number): Promise<string> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');

const everyProcess = async (): Promise<(Process & { parent: number })[]> => {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      return { pid, parent, title: await titleOf(pid) };
    }),
  );
  return found.filter(({ title }) => title !== '');
};
