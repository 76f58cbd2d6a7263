// The history that benchmarks put into the log is one that Jejak could have written: whatever follows the log reads all of it.

import { expect, test } from 'vitest';
import { fillHistory } from '../../bench/support/history.ts';
import { openDatabase } from '../../src/database/connection.ts';
import { type Head, readBatches } from '../../src/live/read-batches.ts';
import type { Bounds } from '../../src/events/vocabulary.ts';
import { testDatabase } from '../support/database.ts';

const ROWS = 3_500;
const DAY_MS = 86_400_000;

test('a history is followed in its order, by all and by those who want little', async () => {
  const address = { url: (await testDatabase()).url };
  await using database = openDatabase(address);
  const now = new Date();
  await fillHistory(address, { rows: ROWS, now });
  await fillHistory(address, { rows: 10, now });

  const read = async (bounds: Bounds, atOnce?: number) => {
    const events = [];
    for (let at: Head = { seq: 0, key: '' }; ;) {
      const { batches, end, broken } = await readBatches(database.follow, at, {
        bounds,
        ...(atOnce && { atOnce }),
      });
      expect(broken).toBeUndefined();
      if (end === at) return events;
      events.push(...batches.flatMap((batch) => batch.events));
      at = end;
    }
  };
  const all = await read({});
  expect(all).toHaveLength(ROWS + 10);
  expect(new Set(all.map(({ eventId }) => eventId)).size).toBe(ROWS + 10);
  const ages = all.map(({ timestamp }) => now.getTime() - Date.parse(timestamp));
  expect(Math.max(...ages)).toBeLessThanOrEqual(14 * DAY_MS);
  const lastDay = ages.slice(0, ROWS).filter((age) => age < DAY_MS);
  expect(lastDay.length / (ROWS / 14)).toBeCloseTo(1, 1);

  const wanted = { severities: ['ERROR', 'CRITICAL'], categories: ['SYSTEM', 'SECURITY'] } as const;
  const few = all.filter(
    ({ severity, category }) =>
      (wanted.severities as readonly string[]).includes(severity) &&
      (wanted.categories as readonly string[]).includes(category),
  );
  expect(few.length).toBeGreaterThan(10);
  expect(await read(wanted)).toEqual(few);
  expect(await read({}, 7)).toEqual(all);
  expect(await read(wanted, 7)).toEqual(few);
});
