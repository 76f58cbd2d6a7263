// The program as people run it: a process of its own, started from a directory, talked to through its doors.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { ADMIN_KEY, type Clients, clientsOf } from './server.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const READY = /Jejak is ready at (\S+)/;

export type Program = Clients & {
  readonly process: ChildProcess;
  readonly url: string;
  /** What it printed on standard output. */
  readonly output: () => string;
  /** Sends a signal and waits for the end; the exit code, or the signal's name. */
  readonly stop: (signal: NodeJS.Signals) => Promise<number | string>;
};

export const temporaryDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'jejak-program-'));
  await chmod(directory, 0o711); // as root, PostgreSQL's user must be able to pass
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
};

type Start = {
  readonly directory: string;
  readonly environment?: Record<string, string>;
  readonly uid?: number;
};

/** Starts the program and waits for its ready line. Without JEJAK_ADMIN_KEY in the environment the tests' own is set. */
export const startProgram = async ({
  directory,
  environment = {},
  uid,
}: Start): Promise<Program> => {
  const child = spawn(process.execPath, [main], {
    cwd: directory,
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      LOG_LEVEL: 'warn',
      JEJAK_ADMIN_KEY: ADMIN_KEY,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let output = '';
  let complaints = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const stop = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) await stop('SIGTERM');
  });
  await Promise.race([
    new Promise<void>((resolve) =>
      child.stdout.on('data', () => void (READY.test(output) && resolve())),
    ),
    ended.then((code) =>
      Promise.reject(
        new Error(`It ended with ${code} before it was ready: ${output}${complaints}`),
      ),
    ),
  ]);
  const url = READY.exec(output)![1]!;
  return { process: child, url, output: () => output, stop, ...clientsOf({ url }) };
};
