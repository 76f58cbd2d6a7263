// How many there are, where there are many.

import { eq } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { fillHistory } from '../../bench/support/history.ts';
import { openDatabase } from '../../src/database/connection.ts';
import { events } from '../../src/database/schema.ts';
import { MOST_COUNTED, countEvents, countUpToMost } from '../../src/query/events.ts';
import { testDatabase } from '../support/database.ts';

test('a list is counted up to a bound, and it is said whether that is all', async () => {
  const address = { url: (await testDatabase()).url };
  await using database = openDatabase(address);
  const { question } = database;
  await fillHistory(address, { rows: MOST_COUNTED, now: new Date() });
  expect(await countUpToMost(question, undefined)).toEqual({ count: MOST_COUNTED, isExact: true });
  const few = eq(events.severity, 'ERROR');
  expect(await countUpToMost(question, few)).toEqual({ count: await countEvents(question, few), isExact: true }); // oxfmt-ignore
  await fillHistory(address, { rows: 1, now: new Date() });
  expect(await countUpToMost(question, undefined)).toEqual({ count: MOST_COUNTED, isExact: false });
}, 60_000);
