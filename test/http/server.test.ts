import { expect, test } from 'vitest';
import { testServer } from '../support/server.ts';

const ready = async ({ url }: { readonly url: string }) => {
  const response = await fetch(`${url}/readyz`);
  return [response.status, await response.json()];
};

test('A8: /readyz warns where retention is overdue, and is ready all the same', async () => {
  expect(await ready(await testServer())).toEqual([200, { status: 'ready' }]);
  const before = new Date().toISOString();
  const overdue = await testServer(undefined, { JEJAK_RETENTION_MINUTES: 1e-6 });
  const [status, { warning, ...rest }] = await ready(overdue);
  expect([status, rest]).toEqual([200, { status: 'ready' }]);
  const [, since] = /^Retention has not come to its end since (\S+Z)\.$/.exec(warning)!;
  expect(since! > before && since! < new Date().toISOString()).toBe(true);
});
