// Which server the demo logs to: the one that JEJAK_URL names, the one that listens on PORT, or one of its own.

import { readConfig } from '../src/config.ts';
import { createLogger } from '../src/logger.ts';
import { startService } from '../src/service.ts';

export type Server = AsyncDisposable & {
  readonly url: string;
  readonly key: string;
  /** The key as a person may be shown it: itself where it was made just now, else where it came from. */
  readonly keyShown: string;
  readonly startedHere: boolean;
};

type Environment = Readonly<Record<string, string | undefined>>;

const notOurs = { startedHere: false, [Symbol.asyncDispose]: async () => {} };

export const findServer = async (
  environment: Environment,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Server> => {
  const named = environment['JEJAK_URL']?.replace(/\/+$/, '');
  const url = named ?? `http://127.0.0.1:${environment['PORT'] || 4000}`;
  if (named === undefined && !(await listens(url))) {
    say(`Nothing listens at ${url}, so the demo starts a server of its own …`);
    return startServer(environment, signal);
  }
  const given = keyIn(environment);
  if (!given)
    throw new Error(
      `${url} asks for a key: set JEJAK_KEY to one with the scopes events:write and events:read, or JEJAK_ADMIN_KEY to the administrator's.`,
    );
  return { url, ...given, ...notOurs };
};

const startServer = async (environment: Environment, signal: AbortSignal): Promise<Server> => {
  const config = readConfig({ ...environment, LOG_LEVEL: environment['LOG_LEVEL'] || 'warn' });
  await using starting = new AsyncDisposableStack();
  const service = starting.use(await startService(config, createLogger(config.LOG_LEVEL), signal));
  const made = service.adminKey && { key: service.adminKey, keyShown: service.adminKey };
  const key = made || keyIn(environment);
  if (!key)
    throw new Error(
      `The log in ${service.location} has its keys already, and a key is shown only once: set JEJAK_KEY to it, or JEJAK_ADMIN_KEY to a secret of your own with at least 16 characters, and start again.`,
    );
  const running = starting.move();
  return {
    url: service.url,
    ...key,
    startedHere: true,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};

const keyIn = (environment: Environment): { key: string; keyShown: string } | undefined => {
  for (const name of ['JEJAK_KEY', 'JEJAK_ADMIN_KEY']) {
    const key = environment[name];
    if (key) return { key, keyShown: `<the value of ${name}>` };
  }
  return undefined;
};

/** Whether anything at all answers there. */
const listens = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
    () => true,
    (error: { cause?: { code?: string } }) => error.cause?.code !== 'ECONNREFUSED',
  );
