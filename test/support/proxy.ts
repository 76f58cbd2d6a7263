// A way to a test's database that can be told to fail.

import { onTestFinished } from 'vitest';
import { type Proxy, startProxy } from '../../crash/proxy.ts';
import type { TestDatabase } from './database.ts';

/** A proxy that lives as long as the test that asks for it, and the URL that leads through it. */
export const proxyTo = async (
  database: TestDatabase,
): Promise<{ url: string; set: Proxy['set'] }> => {
  const { hostname, port, pathname, username, password } = new URL(database.url);
  const path = `${decodeURIComponent(hostname)}/.s.PGSQL.${port}`;
  const proxy = await startProxy(() => ({ path }));
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const url = `postgres://${username}:${password}@127.0.0.1:${proxy.port}${pathname}`;
  return { url, set: proxy.set };
};
