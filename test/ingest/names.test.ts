// The words of names are noted before their events are stored, once a day, so that a misspelt name is found at once.

import { expect, test } from 'vitest';
import type { Sql } from '../../src/database/connection.ts';
import { type Prepared, complete } from '../../src/events/complete.ts';
import { createNames } from '../../src/ingest/names.ts';
import { testDatabase } from '../support/database.ts';

const named = (resourceName: string | null): Prepared =>
  complete({ category: 'DATA', type: 'T', name: 'N', resourceName }, new Date()) as Prepared;

const wordsOf = async (sql: Sql) =>
  (await sql<{ word: string }[]>`SELECT word FROM search_names ORDER BY word`).map(
    ({ word }) => word,
  );
const yesterday = (sql: Sql) => sql`UPDATE search_names SET noted_on = noted_on - 1`;
const old = (sql: Sql) =>
  sql`SELECT FROM search_names WHERE noted_on < (clock_timestamp() AT TIME ZONE 'UTC')::date`;

test('words of letters are noted once, for all servers', async () => {
  const { sql } = await testDatabase();
  const names = createNames(sql);
  await names.note([named('Siti Nurhaliza'), named(null), named('Ir. Ándré 12'), named('X-7')]);
  await createNames(sql).note([named('SITI')]);
  expect(await wordsOf(sql)).toEqual(['andre', 'nurhaliza', 'siti']);
  await sql`DELETE FROM search_names`;
  await names.note([named('Siti Nurhaliza')]);
  expect(await wordsOf(sql)).toEqual([]);
});

test('a word that comes again is noted with the day, by whoever has not done so', async () => {
  const { sql } = await testDatabase();
  const names = createNames(sql);
  await names.note([named('Siti')]);
  await yesterday(sql);
  await names.note([named('Siti')]);
  expect(await old(sql)).toHaveLength(1);
  await createNames(sql).note([named('Siti')]);
  expect(await old(sql)).toHaveLength(0);
});

test('what could not be noted is noted with the next event', async () => {
  const { sql } = await testDatabase();
  const names = createNames(sql);
  await sql`ALTER TABLE search_names RENAME TO elsewhere`;
  await expect(names.note([named('Siti')])).rejects.toThrow('search_names');
  await sql`ALTER TABLE elsewhere RENAME TO search_names`;
  await names.note([named('Siti')]);
  expect(await wordsOf(sql)).toEqual(['siti']);
});

test('servers that note the same words in other orders do not stop each other', async () => {
  const { sql } = await testDatabase();
  const words = Array.from(
    { length: 200 },
    (_, index) => `kata${String.fromCharCode(97 + (index % 26), 97 + Math.floor(index / 26))}`,
  );
  await Promise.all(
    Array.from({ length: 8 }, (_, turn) =>
      createNames(sql).note([...(turn % 2 ? words : words.toReversed())].map(named)),
    ),
  );
  expect(await wordsOf(sql)).toEqual(words.toSorted());
});
