// Everything that matches, the earliest first, a page after the other: no transaction is held while a client takes its time,
// and however many there are, one page is in memory.

import { type SQL, and, lt, sql } from 'drizzle-orm';
import type { Sql } from '../database/connection.ts';
import { execute } from '../database/execute.ts';
import { events } from '../database/schema.ts';
import { type Event, fieldNames } from '../events/fields.ts';
import {
  type Counted,
  type Selection as Chosen,
  beyond,
  countTo,
  findPage,
  formatPlace,
} from './events.ts';

const PAGE_EVENTS = 1_000;

export type Selection = Chosen & {
  /** Only what comes after this cursor of a page. */
  readonly after?: string | undefined;
  /** When the export began: it takes what happened before, and so comes to an end. */
  readonly began: Date;
};

/** What a selection holds, but for the cursor. */
const selected = ({ where, began }: Selection): SQL =>
  and(where, lt(events.timestamp, began.toISOString()))!;

export async function* readAll(
  asking: <T>(ask: (database: Sql) => Promise<T>) => Promise<T>,
  selection: Selection,
): AsyncGenerator<readonly Event[], void, void> {
  const where = selected(selection);
  let { after } = selection;
  for (;;) {
    const from = after;
    const page = await asking((database) =>
      findPage(database, {
        ...selection,
        columns: fieldNames,
        where,
        order: 'OLDEST_FIRST',
        limit: PAGE_EVENTS,
        inverted: false,
        after: from,
      }),
    );
    if (page.events.length > 0) yield page.events;
    if (page.events.length < PAGE_EVENTS) return;
    after = formatPlace(page.events.at(-1)!);
  }
}

const COUNTED_EVENTS = 1_000;
type Explained = {
  readonly 'QUERY PLAN': readonly [{ readonly Plan: { readonly 'Plan Rows': number } }];
};

/** How many events there will be: counted where they are few, else as the planner estimates. */
export const estimate = async (question: Sql, selection: Selection): Promise<number> => {
  const where = and(selected(selection), beyond(selection.after, true));
  const found = and(where, selection.found);
  const [counted] = await execute<Counted>(question, countTo(COUNTED_EVENTS, found));
  if (counted!.count <= COUNTED_EVENTS) return counted!.count;
  const [explained] = await execute<Explained>(
    question,
    sql`EXPLAIN (FORMAT JSON) SELECT FROM ${events} WHERE ${where}`,
  );
  return Math.max(counted!.count, explained!['QUERY PLAN'][0].Plan['Plan Rows']);
};
