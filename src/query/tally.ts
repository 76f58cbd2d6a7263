// Measures events by bucket and group: from roll-ups as far as they can tell and have come, and from the events themselves for
// what is left, all in one snapshot, so that the figures are those of the events whatever they were added up from.

import { type SQL, and, sql } from 'drizzle-orm';
import type { Sql } from '../database/connection.ts';
import { execute } from '../database/execute.ts';
import type { Measure } from '../database/measures.ts';
import { type Tier, folded, kept } from '../database/rollups.ts';
import { batches, events } from '../database/schema.ts';
import { type Segment, cover } from './cover.ts';
import { type Instants, during } from './range.ts';

export type Column = Measure & {
  readonly part: 'events' | 'times' | 'data';
  readonly path: string;
  readonly name: string;
};

/** What is measured of which events. `keys` and `where` are SQL that holds for events and for cells alike. */
export type Tally = {
  readonly range: Instants;
  /** From the longest cells to the shortest; without any, the events themselves are asked. */
  readonly tiers: readonly Tier[];
  /** Whether all its events are kept, so that they could tell as well. */
  readonly whole: boolean;
  readonly keys: readonly SQL[];
  readonly columns: readonly Column[];
  readonly where: SQL | undefined;
  /** Holds of events only, of which some may not be seen any more. */
  readonly visible: SQL | undefined;
};

/** The keys are `k0`, `k1` …, the measures `m0`, `m1` …; NULL is what cells do not hold. */
export type TallyRow = Readonly<Record<string, string | number | null>>;

/** Where the roll-ups are further behind than this, events that are kept tell themselves. */
const MANY_BATCHES = 5_000;

/** The rows of several tallies of ranges that do not overlap, of each at most `limit`. One statement, so one snapshot. */
export const takeTallies = async (
  question: Sql,
  tallies: readonly Tally[],
  limit: number,
): Promise<TallyRow[]> => {
  const late = tallies.some(hasCells) && (await batchesBehind(question)) > MANY_BATCHES;
  const statements = tallies.map((tally) => {
    const statement = hasCells(tally) && !(late && tally.whole) ? ofCells(tally) : ofEvents(tally);
    return sql`(${statement} LIMIT ${sql.raw(String(limit))})`;
  });
  return execute<TallyRow>(question, sql.join(statements, sql` UNION ALL `));
};

const hasCells = ({ range, tiers }: Tally): boolean => cover(range, tiers).some(({ tier }) => tier);

/** Asked once in a while: it takes as long as a small report. */
const batchesBehind = async (question: Sql): Promise<number> => {
  const known = behind.get(question);
  if (known && known.until > Date.now()) return known.batches;
  const [row] = await execute<{ batches: number }>(
    question,
    sql`
    SELECT count(*)::float8 AS batches FROM ${batches} WHERE ${batches.seq} > (SELECT seq FROM rollup_position)`,
  );
  behind.set(question, { ...row!, until: Date.now() + BELIEVED_MS });
  return row!.batches;
};
const BELIEVED_MS = 1_000;
const behind = new WeakMap<Sql, { readonly batches: number; readonly until: number }>();

const list = (items: readonly SQL[]): SQL => sql.join([...items], sql`, `);
const numbered = (items: readonly unknown[]): SQL =>
  list(items.map((_, place) => sql.raw(String(place + 1))));

const ofEvents = ({ range, keys, columns, where, visible }: Tally): SQL =>
  part(sql`${events}`, keys, columns.map(({ of }) => of), and(during(range), where, visible)); // oxfmt-ignore

const part = (from: SQL, keys: readonly SQL[], measured: readonly string[], where: SQL | undefined): SQL => sql`
  SELECT ${list([
    ...keys.map((key, place) => sql`${key} AS ${sql.raw(`k${place}`)}`),
    ...measured.map((of, place) => sql.raw(`${of} AS m${place}`)),
  ])} FROM ${from} WHERE ${where ?? sql`true`} GROUP BY ${numbered(keys)}`; // oxfmt-ignore

const ofCells = (tally: Tally): SQL => {
  const { keys, columns, where } = tally;
  const segments = cover(tally.range, tally.tiers);
  const ofRows = columns.map(({ of, fold }) => (fold ? of : 'NULL::float8'));
  const ofTiers = columns.map((column) => {
    const found = keptAs(column);
    return found ? folded(found) : 'NULL::float8';
  });
  const parts = segments.map(({ tier, ...range }) =>
    tier
      ? part(sql`${sql.identifier(tier.table)} AS ${events}`, keys, ofTiers, and(during(range), where))
      : part(sql`${events}`, keys, ofRows, and(during(range), where)),
  ); // oxfmt-ignore
  parts.push(part(sql`uncounted_events() AS ${events}`, keys, ofRows, and(insideCells(segments), where))); // oxfmt-ignore
  const names = keys.map((_, place) => sql.raw(`k${place}`));
  const totals = columns.map(({ fold = 'max' }, place) =>
    sql.raw(`${fold}(m${place}) AS m${place}`),
  );
  return sql`SELECT ${list([...names, ...totals])} FROM (${sql.join(parts, sql` UNION ALL `)}) AS parts GROUP BY ${numbered(keys)}`;
};

/** The measure of the cells that tells the same; undefined where none does. */
export const keptAs = ({ part: ofPart, path, name }: Column) =>
  kept.find((each) => each.part === ofPart && each.path === path && each.name === name);

/** The cells are next to each other. */
const insideCells = (segments: readonly Segment[]): SQL | undefined => {
  const spans = segments.filter(({ tier }) => tier);
  const [first, last] = [spans[0], spans.at(-1)];
  return first && last ? during({ from: first.from, to: last.to }) : sql`false`;
};
