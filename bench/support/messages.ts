// Calls between the benchmark and the processes it starts, over Node's own channel: one question, one answer, in order.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

type Reply = { readonly value?: unknown; readonly error?: string };

export type Peer = AsyncDisposable & {
  /** Asks the process; rejects with its error, or when it ends. */
  readonly ask: <T>(question: string, details?: unknown) => Promise<T>;
  /** Ends the process without a word; done when it has ended. */
  readonly kill: () => Promise<void>;
};

/** Starts a process that answers with `answering`. Its own output goes to standard error. */
export const startPeer = (
  file: URL,
  signal: AbortSignal,
  environment: Readonly<Record<string, string>> = {},
): Peer => {
  const child: ChildProcess = fork(fileURLToPath(file), [], {
    env: { PATH: process.env['PATH'], ...environment },
    serialization: 'advanced',
    stdio: ['ignore', 2, 2, 'ipc'],
    signal,
  });
  child.on('error', () => {}); // an abort; the end of the process tells as much
  const ended = once(child, 'exit').then(([code, killed]) => {
    throw new Error(`${file.pathname} ended (${String(code ?? killed)})`);
  });
  ended.catch(() => {});
  let last: Promise<unknown> = Promise.resolve();

  const call = async (question: string, details: unknown): Promise<Reply> => {
    const reply = once(child, 'message') as Promise<[Reply]>;
    child.send({ question, details });
    const [answer] = await Promise.race([reply, ended]);
    return answer;
  };
  return {
    ask: async <T>(question: string, details?: unknown): Promise<T> => {
      const asked = last.then(() => call(question, details));
      last = asked.catch(() => {});
      const { value, error } = await asked;
      if (error !== undefined) throw new Error(error);
      return value as T;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended.catch(() => {});
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await ended.catch(() => {});
    },
  };
};

export type Answers = Readonly<Record<string, (details: never) => unknown>>;

/** The process's side: answers until the benchmark leaves, then calls `finish`. */
export const answering = (answers: Answers, finish: () => Promise<void> = async () => {}): void => {
  process.on('message', ({ question, details }: { question: string; details: unknown }) => {
    const answer = answers[question] as ((details: unknown) => unknown) | undefined;
    Promise.resolve(details)
      .then(answer)
      .then(
        (value): Reply => ({ value }),
        (error: Error): Reply => ({ error: error.stack ?? error.message }),
      )
      .then((reply) => process.send?.(reply))
      .catch(() => {});
  });
  process.once('disconnect', () => void finish());
  process.on('SIGINT', () => {}); // Ctrl-C reaches the benchmark too, and that one decides
};
