// `npm run rebuild-rollups`, as people run it.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { countAll } from '../../src/consumers/count.ts';
import { testDatabase } from '../support/database.ts';
import { createTestLog } from '../support/log.ts';

const script = fileURLToPath(new URL('../../scripts/rebuild-rollups.ts', import.meta.url));

const rebuild = (DATABASE_URL: string): Promise<{ code: number; said: string; failed: string }> =>
  new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], DATABASE_URL };
    const child = execFile(process.execPath, [script], { env }, (_, said, failed) =>
      resolve({ code: child.exitCode!, said, failed }),
    );
  });

test('the roll-ups are counted anew, and it is said what was', async () => {
  const { url, sql } = await testDatabase();
  using log = createTestLog(sql);
  await log(Array.from({ length: 3 }, () => ({ code: 'AUTH-001' })));
  await countAll(sql);
  const { code, said, failed } = await rebuild(url);
  expect({ code, failed }).toEqual({ code: 0, failed: '' });
  expect(said).toMatch(/: 3 events\n(.|\n)*counted anew/);
});

test.each([
  ['without a log', (url: string) => url.replace(/[^/]*$/, 'template1'), 'has no log yet'],
  ['that is not there', (url: string) => url.replace(/:\d+\//, ':1/'), /connect \w+/],
] as const)('of a database %s it is said in a line', async (_name, wrong, why) => {
  const { url } = await testDatabase();
  const { code, said, failed } = await rebuild(wrong(url));
  expect({ code, said }).toEqual({ code: 1, said: '' });
  expect(failed).toMatch(why);
  expect(failed.trim().split('\n')).toHaveLength(1);
});
