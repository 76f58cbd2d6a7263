// The program as people run it, talked to through its doors.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { spawnProgram, urlIn } from './program.ts';
import { ADMIN_KEY, type Clients, clientsOf } from './server.ts';

export type Program = Clients & {
  readonly process: ChildProcess;
  readonly url: string;
  /** What it printed on standard output. */
  readonly output: () => string;
  /** The same on standard error. */
  readonly complaints: () => string;
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
  const child = spawnProgram(
    { directory, ...(uid === undefined ? {} : { uid, gid: uid }) },
    { JEJAK_ADMIN_KEY: ADMIN_KEY, ...environment },
  );
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
      child.stdout.on('data', () => void (urlIn(output) && resolve())),
    ),
    ended.then((code) =>
      Promise.reject(
        new Error(`It ended with ${code} before it was ready: ${output}${complaints}`),
      ),
    ),
  ]);
  const url = urlIn(output)!;
  return {
    process: child,
    url,
    output: () => output,
    complaints: () => complaints,
    stop,
    ...clientsOf({ url }),
  };
};
