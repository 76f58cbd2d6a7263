// Conditions on a place within the JSON of an event: in SQL and as a test in memory, side by side. Nothing that is stored
// makes them fail: what is not there or of another type does not match.

import { type SQL, and, or, sql } from 'drizzle-orm';
import { quoted } from '../database/arrays.ts';
import { written } from '../database/execute.ts';
import { events } from '../database/schema.ts';
import { JejakError } from '../errors.ts';
import type { Event } from '../events/fields.ts';
import { boundNumber, mendJson, mendText } from '../events/text.ts';

export const jsonFields = ['metadata', 'requestData', 'responseData'] as const;
export type JsonField = (typeof jsonFields)[number];

/** All that is given must hold; with null nothing is asked, as everywhere in a filter. `path` leads from key to key by dots; a
 * number without a sign or needless zeros is also a place in a list, from 0. */
export type JsonCondition = {
  readonly field: JsonField;
  readonly path: string;
  readonly exists?: boolean | null | undefined;
  readonly equals?: unknown;
  readonly in?: readonly unknown[] | null | undefined;
  readonly contains?: unknown;
  readonly gt?: number | null | undefined;
  readonly gte?: number | null | undefined;
  readonly lt?: number | null | undefined;
  readonly lte?: number | null | undefined;
};

/** One thing that may be asked of the value at a path. `within` is what the whole JSON then contains, which the index knows. */
type Meaning<V> = {
  readonly sql: (value: SQL, wanted: V) => SQL;
  readonly test: (value: unknown, wanted: V) => boolean;
  readonly within?: (wanted: V) => readonly unknown[];
  /** What is asked for, as it is looked for; without it as it would have been stored. */
  readonly wanted?: (asked: V) => V;
};
export type Operator = Exclude<keyof JsonCondition, 'field' | 'path'>;

/** As text first: of a parameter that is JSON postgres.js would make JSON once more. */
export const jsonb = (value: unknown): SQL => sql`${JSON.stringify(value)}::text::jsonb`;

/** That a column contains a value, for its index to find. Planned for any value, the events were gone through in the order of
 * time: of 5 million a rare number took 270 ms. */
export const hasJson = (column: unknown, value: unknown): SQL =>
  sql`${column} @> ${written(JSON.stringify(value))}::jsonb`;

const comparison = (
  operator: SQL,
  holds: (value: number, wanted: number) => boolean,
): Meaning<number> => ({
  // Numbers in jsonb compare as numbers; there is no cast that could fail.
  sql: (value, wanted) =>
    sql`(jsonb_typeof(${value}) = 'number' AND ${value} ${operator} ${jsonb(wanted)})`,
  test: (value, wanted) => typeof value === 'number' && holds(value, wanted),
  wanted: boundNumber,
});

const meanings = {
  exists: {
    sql: (value, wanted) => (wanted ? sql`${value} IS NOT NULL` : sql`${value} IS NULL`),
    test: (value, wanted) => (value !== undefined) === wanted,
  },
  equals: {
    sql: (value, wanted) => sql`${value} = ${jsonb(wanted)}`,
    test: isEqual,
    within: (wanted) => [wanted],
  },
  in: {
    sql: (value, wanted) => or(sql`false`, ...wanted.map((each) => sql`${value} = ${jsonb(each)}`))!,
    test: (value, wanted) => wanted.some((each) => isEqual(value, each)),
    within: (wanted) => wanted,
  },
  contains: {
    sql: (value, wanted) => sql`${value} @> ${jsonb(wanted)}`,
    test: (value, wanted) =>
      holds(value, wanted) ||
      (Array.isArray(value) && !isNested(wanted) && value.some((item) => item === wanted)),
    within: (wanted) => (isNested(wanted) ? [wanted] : [wanted, [wanted]]),
  },
  gt: comparison(sql`>`, (value, wanted) => value > wanted),
  gte: comparison(sql`>=`, (value, wanted) => value >= wanted),
  lt: comparison(sql`<`, (value, wanted) => value < wanted),
  lte: comparison(sql`<=`, (value, wanted) => value <= wanted),
} satisfies { [O in Operator]: Meaning<O extends 'exists' ? boolean : O extends 'in' ? readonly unknown[] : O extends 'equals' | 'contains' ? unknown : number> }; // oxfmt-ignore

export const operators = Object.keys(meanings) as Operator[];

type Asked = readonly [Meaning<unknown>, wanted: unknown];

const askedOf = ({ field: _field, path: _path, ...asked }: JsonCondition): Asked[] => {
  const given = Object.entries(asked).filter(([, value]) => value !== null && value !== undefined);
  if (given.length === 0)
    throw new JejakError(
      'BAD_USER_INPUT',
      `A condition on JSON says what of the value at \`path\`: ${Object.keys(meanings).join(', ')}.`,
    );
  return given.map(([operator, value]) => {
    const meaning = meanings[operator as Operator] as Meaning<unknown>;
    return [meaning, meaning.wanted ? meaning.wanted(value) : mendJson(value).value];
  });
};

const MAX_KEYS = 32;

/** The keys of a path; a dot or a backslash that belongs to a key has a backslash before it. */
export const keysOf = (path: string): string[] => {
  const text = mendText(path);
  const keys = text.match(/(?:\\.|[^.\\])+/gs) ?? [];
  if (keys.length === 0 || keys.length > MAX_KEYS || keys.join('.') !== text)
    throw new JejakError(
      'BAD_USER_INPUT',
      `A path has 1 to ${MAX_KEYS} keys with dots between them, such as login.attempts; none is empty, and a backslash stands before the character that it makes plain.`,
    );
  return keys.map((key) => key.replaceAll(/\\(.)/gs, '$1'));
};

export const jsonSql = (condition: JsonCondition): SQL | undefined => {
  const keys = keysOf(condition.path);
  const column = events[condition.field];
  const value = valueSql(sql`${column}`, keys);
  return and(
    ...askedOf(condition).flatMap(([meaning, wanted]) => [
      meaning.sql(value, wanted),
      ...indexed(column, keys, meaning.within?.(wanted)),
    ]),
  );
};

const valueSql = (json: SQL, keys: readonly string[]): SQL => {
  const at = keys.findIndex(isPlaceToPostgres);
  const plain = at === -1 ? keys : keys.slice(0, at);
  const literal = `{${plain.map(quoted).join(',')}}`;
  const value = sql`(${json} #> ${literal}::text::text[])`;
  // The operator -> takes text for a key and never for a place.
  return at === -1 ? value : valueSql(sql`(${value} -> ${keys[at]!}::text)`, keys.slice(at + 1));
};

/** Whether #> takes a key for a place in a list, which we do not. */
const isPlaceToPostgres = (key: string): boolean =>
  /^[ \t\n\v\f\r]*[+-]?\d+$/.test(key) && placeOf(key) === undefined;

/** What follows for the whole column, where no key could be a place in a list. */
const indexed = (column: unknown, keys: readonly string[], within: readonly unknown[] = []): SQL[] => {
  if (within.length === 0 || keys.some((key) => placeOf(key) !== undefined)) return [];
  const whole = (value: unknown) => keys.reduceRight((inner, key) => ({ [key]: inner }), value);
  return [or(...within.map((value) => hasJson(column, whole(value))))!];
}; // oxfmt-ignore

/** Whether an index finds what it chooses. */
export const isIndexed = (condition: JsonCondition): boolean =>
  askedOf(condition).some(
    ([{ within }, wanted]) => indexed(null, keysOf(condition.path), within?.(wanted)).length > 0,
  );

export const jsonTest = (condition: JsonCondition): ((event: Event) => boolean) => {
  const keys = keysOf(condition.path);
  const asked = askedOf(condition);
  return (event) => {
    const value = valueAt(event[condition.field], keys);
    return asked.every(([meaning, wanted]) => meaning.test(value, wanted));
  };
};

/** Undefined where there is none; JSON's null is a value, a column without JSON is not. */
const valueAt = (json: unknown, keys: readonly string[]): unknown => {
  let value: unknown = json ?? undefined;
  for (const key of keys) {
    if (!isNested(value)) return undefined;
    if (Array.isArray(value)) value = value[placeOf(key) ?? -1];
    else value = Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
};

/** The place that a key means in a list. */
const placeOf = (key: string): number | undefined =>
  /^(?:0|[1-9]\d*)$/.test(key) ? Number(key) : undefined;

const isNested = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function isEqual(some: unknown, other: unknown): boolean {
  if (!isNested(some) || !isNested(other)) return some === other;
  if (Array.isArray(some) !== Array.isArray(other)) return false;
  const keys = Object.keys(some);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isEqual(some[key], other[key]))
  );
}

/** As jsonb's @> has it, but for a list and one bare item. */
const holds = (whole: unknown, part: unknown): boolean => {
  if (!isNested(whole) || !isNested(part)) return whole === part;
  if (Array.isArray(part))
    return Array.isArray(whole) && part.every((item) => whole.some((each) => holds(each, item)));
  return (
    !Array.isArray(whole) &&
    Object.keys(part).every((key) => Object.hasOwn(whole, key) && holds(whole[key], part[key]))
  );
};
