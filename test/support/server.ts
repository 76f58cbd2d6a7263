// A whole server on a test database and a free port, and clients that speak to it as anybody would.

import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { type Config, readConfig } from '../../src/config.ts';
import { type Logger, createLogger } from '../../src/logger.ts';
import { type Service, startService } from '../../src/service.ts';
import { type TestDatabase, createTestDatabase } from './database.ts';

export const ADMIN_KEY = 'test-administrator-key';

export type TestServer = AsyncDisposable &
  Clients & { readonly url: string; readonly database: TestDatabase };

export type Clients = {
  /** Runs an operation over HTTP; the whole result, errors included. */
  readonly graphql: <T = any>(
    query: string,
    variables?: object,
    key?: string | null,
  ) => Promise<{ data?: T; errors?: any[] }>;
  /** Posts to the REST door. */
  readonly rest: (
    body: unknown,
    key?: string | null,
    headers?: Record<string, string>,
  ) => Promise<{ status: number; headers: Headers; body: any }>;
  /** Subscribes over graphql-transport-ws; queues from the first message on. */
  readonly subscribe: <T = any>(query: string, variables?: object, key?: string) => Subscriber<T>;
};

export type Subscriber<T> = AsyncDisposable & {
  /** The next payload's `data`; rejects after `ms`, or with the errors of the subscription. */
  readonly next: (ms?: number) => Promise<T>;
  /** Everything that arrived and was not asked for yet. */
  readonly waiting: () => readonly T[];
};

export const testConfig = (overrides: Partial<Config> = {}): Config => ({
  ...readConfig({ PORT: '0', JEJAK_ADMIN_KEY: ADMIN_KEY, LOG_LEVEL: 'silent' }),
  ...overrides,
});

export const createTestServer = async (
  shared?: TestDatabase,
  overrides: Partial<Config> = {},
  logger = createLogger('silent'),
): Promise<TestServer> => {
  const database = shared ?? (await createTestDatabase());
  const service = await startService(
    testConfig({ DATABASE_URL: database.url, ...overrides }),
    logger,
  );
  return {
    url: service.url,
    database,
    ...clientsOf(service),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      if (!shared) await database[Symbol.asyncDispose]();
    },
  };
};

/** A server that lives as long as the test that asks for it; on a database of its own, or on one that is shared. */
export const testServer = async (
  shared?: TestDatabase,
  overrides: Partial<Config> = {},
  logger?: Logger,
): Promise<TestServer> => {
  const server = await createTestServer(shared, overrides, logger);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
};

/** Sends a request that is aborted before its key, which is not known yet, was looked up; `left` where that ended it. The
 * server goes on with it a moment later. */
export const leaveEarly = async (
  { graphql, database }: TestServer,
  scope: string,
  send: (key: string, signal: AbortSignal) => Promise<unknown>,
): Promise<unknown> => {
  const { data } = await graphql(
    `mutation { createApiKey(name: "slow", scopes: [${scope}]) { key } }`,
  );
  const leaving = new AbortController();
  const asking = await database.sql.reserve();
  await asking`BEGIN`;
  await asking`LOCK TABLE api_keys`;
  const sent = send(data.createApiKey.key, leaving.signal).catch(() => 'left');
  await sleep(200);
  leaving.abort();
  const left = await sent;
  await sleep(100);
  await asking`COMMIT`;
  asking.release();
  return left;
};

export const clientsOf = ({ url }: Pick<Service, 'url'>): Clients => {
  const post = async (
    path: string,
    body: unknown,
    key: string | null,
    headers: Record<string, string> = {},
  ) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...headers,
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return {
    graphql: async (query, variables = {}, key = ADMIN_KEY) =>
      (await post('/graphql', { query, variables }, key)).body,
    rest: (body, key = ADMIN_KEY, headers = {}) => post('/api/events', body, key, headers),
    subscribe: (query, variables = {}, key = ADMIN_KEY) => subscribeTo(url, query, variables, key),
  };
};

const subscribeTo = <T>(
  url: string,
  query: string,
  variables: object,
  key: string,
): Subscriber<T> => {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${key}` },
    retryAttempts: 0,
  });
  const queue: T[] = [];
  let failure: unknown;
  let wake = () => {};
  client.subscribe<T>(
    { query, variables: variables as Record<string, unknown> },
    {
      next: ({ data, errors }) => {
        if (errors) failure = errors;
        else queue.push(data as T);
        wake();
      },
      error: (error) => {
        failure = error;
        wake();
      },
      complete: () => {},
    },
  );
  return {
    waiting: () => queue,
    next: async (ms = 5_000) => {
      const deadline = Date.now() + ms;
      while (queue.length === 0) {
        if (failure !== undefined) throw failure;
        const left = deadline - Date.now();
        if (left <= 0) throw new Error(`Nothing arrived within ${ms} ms`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      return queue.shift()!;
    },
    async [Symbol.asyncDispose]() {
      await client.dispose();
    },
  };
};
