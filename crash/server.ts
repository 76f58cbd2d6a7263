// The program as people run it, in a process of its own that can be killed and started again.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnProgram, urlIn } from '../test/support/program.ts';
import type { Anomalies } from './anomalies.ts';

const START_MS = 90_000;
const TRIES = 3;

export const ADMIN_KEY = 'crash-suite-administrator';

/** Where somebody listens; undefined while nobody does, or has been told to stop. */
export type Address = { readonly name: string; readonly url: () => string | undefined };

export type Server = AsyncDisposable &
  Address & {
    /** Starts it and waits until it is ready; where that fails it is noted and tried again. */
    readonly start: () => Promise<void>;
    /** Begins a start and does not wait. */
    readonly launch: () => void;
    /** Sends a signal and does not wait. */
    readonly signal: (signal: NodeJS.Signals) => void;
    /** Resolves when the process has ended. */
    readonly ended: () => Promise<unknown>;
    readonly stop: (signal: NodeJS.Signals) => Promise<void>;
    /** The last that it said. */
    readonly words: () => string;
  };

export const createServer = (
  name: string,
  directory: string,
  environment: Readonly<Record<string, string>>,
  anomalies: Anomalies,
): Server => {
  let child: ChildProcess | undefined;
  let exit: Promise<unknown> = Promise.resolve();
  let url: string | undefined;
  let told = true;
  let closed = false;
  let words = '';

  const launch = (): void => {
    if (closed) throw new Error(`${name} is not started any more`);
    url = undefined;
    told = false;
    const started = spawnProgram({ directory }, { JEJAK_ADMIN_KEY: ADMIN_KEY, ...environment });
    child = started;
    exit = once(started, 'exit');
    started.on('exit', (code, signal) => {
      url = undefined;
      if (!told)
        anomalies.note('died', `${name} ended with ${code ?? signal}: ${words.slice(-600)}`);
    });
    started.stdout.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-4_000);
      if (!told) url ??= urlIn(words);
    });
    started.stderr.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-4_000);
    });
  };
  const lives = (): boolean => child?.exitCode === null && child.signalCode === null;

  const self: Server = {
    name,
    url: () => url,
    launch: () => {
      words = '';
      launch();
    },
    start: async () => {
      for (let tries = 0; tries < TRIES && url === undefined; tries++) {
        if (!lives()) self.launch();
        const deadline = Date.now() + START_MS;
        while (url === undefined && lives() && Date.now() < deadline) await sleep(10);
      }
      if (url === undefined) throw new Error(`${name} does not start: ${words}`);
    },
    signal: (signal) => {
      told = true;
      url = undefined;
      child?.kill(signal);
    },
    ended: () => exit,
    stop: async (signal) => {
      self.signal(signal);
      if (lives()) await exit;
    },
    words: () => words,
    async [Symbol.asyncDispose]() {
      closed = true;
      if (!lives()) return;
      const impatience = setTimeout(() => child?.kill('SIGKILL'), 20_000);
      await self.stop('SIGTERM');
      clearTimeout(impatience);
    },
  };
  return self;
};
