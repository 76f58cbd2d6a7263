// Pages of what no index finds, and how many there are where there are many.

import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { fillHistory } from '../../bench/support/history.ts';
import { openDatabase } from '../../src/database/connection.ts';
import { events } from '../../src/database/schema.ts';
import {
  MOST_COUNTED,
  type PageRequest,
  countUpToMost,
  findPage,
  reaches,
  formatPlace,
} from '../../src/query/events.ts';
import { foundSql } from '../../src/query/filter.ts';
import { testDatabase } from '../support/database.ts';
import { createTestLog } from '../support/log.ts';
import { questionPool } from '../support/question.ts';

test('a list is counted up to a bound, and it is said whether that is all', async () => {
  const address = { url: (await testDatabase()).url };
  await using database = openDatabase(address);
  const question = await questionPool(database);
  await fillHistory(address, { rows: MOST_COUNTED, now: new Date() });
  expect(await countUpToMost(question, undefined)).toEqual({ count: MOST_COUNTED, isExact: true });
  const few = eq(events.severity, 'ERROR');
  const [row] =
    await database.read`SELECT count(*)::int AS count FROM events WHERE severity = 'ERROR'`;
  expect(await countUpToMost(question, few)).toEqual({ count: row!['count'], isExact: true });
  await fillHistory(address, { rows: 1, now: new Date() });
  expect(await countUpToMost(question, undefined)).toEqual({ count: MOST_COUNTED, isExact: false });
}, 120_000);

test('what no index has in the order of time is the same on every page, however far apart it lies', async () => {
  await using database = openDatabase({ url: (await testDatabase()).url });
  using log = createTestLog(database.write);
  const now = Date.now();
  const hours = [-0.05, 0, 0.5, 1.9, 2, 2.1, 3, 23, 24, 25, 26, 200, 287, 288, 289, 300, 900, 2_000, 2_001]; // oxfmt-ignore
  const wanted = hours.flatMap(
    (ago) =>
    ['ani', 'budi'].map((username) => ({ code: 'SYS-001', severity: 'CRITICAL', username, timestamp: new Date(now - ago * 3_600_000).toISOString() })), // oxfmt-ignore
  );
  await log(wanted);
  const all = async (limit: number, more: Partial<PageRequest>): Promise<string[]> => {
    const found: string[] = [];
    const request: PageRequest = { columns: ['id', 'timestamp', 'username'], where: eq(events.username, 'ani'), order: 'NEWEST_FIRST', inverted: false, limit, ...more }; // oxfmt-ignore
    for (let cursor: string | undefined; ;) {
      const page = await findPage(database.read, { ...request, [request.inverted ? 'before' : 'after']: cursor }); // oxfmt-ignore
      found.push(...page.events.map(({ timestamp }) => timestamp));
      if (page.events.length < limit) return found;
      cursor = formatPlace(page.events.at(-1)!);
    }
  };
  for (const limit of [1, 2, 5, 50])
    for (const order of ['NEWEST_FIRST', 'OLDEST_FIRST'] as const)
      for (const inverted of [false, true]) {
        const plain = await all(limit, { order, inverted });
        expect(plain).toHaveLength(hours.length);
        const found = foundSql({ username: ['ani'] });
        for (const back of [reaches.scanned, reaches.matched]) {
          expect(await all(limit, { order, inverted, reaches: back })).toEqual(plain);
          expect(await all(limit, { order, inverted, reaches: back, found })).toEqual(plain);
        }
      }
});
