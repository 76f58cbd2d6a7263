// The program as people run it: a process of its own, started from a directory.

import { type ChildProcessByStdio, type SpawnOptions, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

type Place = Pick<SpawnOptions, 'uid' | 'gid' | 'detached'> & { readonly directory: string };

/** Starts it on a free port; of the environment here it has nothing but what is given. */
export const spawnProgram = (
  { directory, ...user }: Place,
  environment: Readonly<Record<string, string>>,
): ChildProcessByStdio<null, Readable, Readable> =>
  spawn(process.execPath, [main], {
    cwd: directory,
    env: { PATH: process.env['PATH'], PORT: '0', LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });

/** Where it is ready, by what it printed; undefined before. */
export const urlIn = (output: string): string | undefined =>
  /Jejak is ready at (\S+)/.exec(output)?.[1];
