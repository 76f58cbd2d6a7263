// Notes the words of the names of resources before their events are stored, so that a search finds a misspelt name among them.
// A process notes a name once a day; what nothing in the log was noted after is purged with it (src/retention/run.ts).

import type { Sql } from '../database/connection.ts';
import type { Prepared } from '../events/complete.ts';
import { namesIn } from '../query/search.ts';

const DAY_MS = 86_400_000;
/** More are forgotten, and noted once more when they come again. */
const MOST_REMEMBERED = 20_000;

export type Names = {
  readonly note: (events: readonly Prepared[]) => Promise<void>;
};

export const createNames = (sql: Sql): Names => {
  const noted = new Set<string>();
  let day = 0;
  return {
    note: async (events) => {
      const today = Math.floor(Date.now() / DAY_MS);
      if (today !== day || noted.size > MOST_REMEMBERED) noted.clear();
      day = today;
      const names = new Set<string>();
      for (const { draft } of events)
        if (draft.resourceName !== null && !noted.has(draft.resourceName))
          names.add(draft.resourceName);
      if (names.size === 0) return;
      const words = new Set([...names].flatMap(namesIn));
      // In one order for all, so that two servers with the same words wait for each other and never in a circle.
      if (words.size > 0)
        await sql`
          INSERT INTO search_names AS known (word, trigrams)
          SELECT word, search_trigrams(word) FROM unnest(${[...words]}::text[]) AS word ORDER BY word
          ON CONFLICT (word) DO UPDATE SET noted_on = excluded.noted_on WHERE known.noted_on < excluded.noted_on`;
      for (const name of names) noted.add(name);
    },
  };
};
