// A program of the suite in a process of its own, which keeps a journal, and which may be killed at any time and started
// again.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Anomalies } from './anomalies.ts';

export type Actor = AsyncDisposable & {
  readonly name: string;
  readonly start: () => void;
  /** Resolves when it has ended. */
  readonly stop: (signal: NodeJS.Signals) => Promise<void>;
};

/** `settings` are what it is told whenever it is started. */
export const createActor = (
  name: string,
  program: 'writer' | 'reader',
  settings: object,
  { note }: Anomalies,
): Actor => {
  const file = fileURLToPath(new URL(`processes/${program}.ts`, import.meta.url));
  let child: ChildProcess | undefined;
  let told = true;
  const lives = (): boolean => child?.exitCode === null && child.signalCode === null;
  const self: Actor = {
    name,
    start: () => {
      let words = '';
      told = false;
      child = spawn(process.execPath, [file, JSON.stringify(settings)], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child.stderr!.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-600)));
      child.on('exit', (code, signal) => {
        if (!told) note('died', `${name} ended with ${code ?? signal}: ${words}`);
      });
    },
    stop: async (signal) => {
      told = true;
      if (!lives()) return;
      const ended = once(child!, 'exit');
      child!.kill(signal);
      await ended;
    },
    [Symbol.asyncDispose]: () => self.stop('SIGKILL'),
  };
  return self;
};
