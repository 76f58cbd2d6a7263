// What a filter means, once: each key as SQL and as a test of an event in memory, side by side. Queries use the one and
// subscriptions the other; a test holds them equal.

import {
  type Column,
  type SQL,
  and,
  arrayContains,
  arrayOverlaps,
  inArray,
  or,
  sql,
} from 'drizzle-orm';
import { written } from '../database/execute.ts';
import { events } from '../database/schema.ts';
import { JejakError } from '../errors.ts';
import { type Block, contains, formatBlock, markedBits, parseBlock } from '../events/address.ts';
import { definitionOf } from '../events/catalog.ts';
import type { Event, FieldName } from '../events/fields.ts';
import { mendText } from '../events/text.ts';
import { microsOf } from '../events/time.ts';
import {
  type Bounds,
  type Category,
  type Severity,
  type Status,
  rankOf,
  severityNames,
} from '../events/vocabulary.ts';
import { beside, within } from './bounds.ts';
import { entriesOf, refuseLarge } from './filter-size.ts';
import { type TimeRange, during, resolveRange } from './range.ts';
import { type JsonCondition, isIndexed, jsonSql, jsonTest } from './json.ts';
import { MAX_WORDS, SEARCHED_CHARACTERS, searchTest, searchedFields, wordsOf } from './search.ts';

type AnyOf<T> = readonly T[] | null | undefined;

/** Every key that is given must hold; within a list any value will do. */
export type EventFilter = {
  readonly code?: AnyOf<string>;
  readonly category?: AnyOf<Category>;
  readonly severity?: AnyOf<Severity>;
  readonly minSeverity?: Severity | null | undefined;
  readonly status?: AnyOf<Status>;
  readonly type?: AnyOf<string>;
  readonly userId?: AnyOf<number>;
  readonly username?: AnyOf<string>;
  readonly userRole?: AnyOf<string>;
  readonly ipAddress?: AnyOf<string>;
  readonly sessionId?: AnyOf<string>;
  readonly resourceType?: AnyOf<string>;
  readonly resourceId?: AnyOf<string>;
  readonly action?: AnyOf<string>;
  readonly endpoint?: AnyOf<string>;
  readonly httpMethod?: AnyOf<string>;
  readonly errorCode?: AnyOf<string>;
  readonly tagsAny?: AnyOf<string>;
  readonly tagsAll?: AnyOf<string>;
  readonly range?: TimeRange | null | undefined;
  readonly search?: string | null | undefined;
  readonly json?: AnyOf<JsonCondition>;
  readonly and?: AnyOf<EventFilter>;
  readonly or?: AnyOf<EventFilter>;
  readonly not?: EventFilter | null | undefined;
};

type Test = (event: Event) => boolean;
type Meaning<V> = {
  readonly sql: (value: V, now: Date) => SQL | undefined;
  readonly test: (value: V, now: Date) => Test;
  /** The fields that the test looks at. */
  readonly fields: (value: V) => readonly FieldName[];
  /** No less than matches, as the index of marks finds it; of events alone, which cells of roll-ups are not. */
  readonly found?: (value: V) => SQL | undefined;
  /** Outside of these nothing can match. */
  readonly bounds?: (value: V) => Bounds;
  /** The value as it means the same later. */
  readonly settle?: (value: V, now: Date) => V;
};
type Value<K extends keyof EventFilter> = NonNullable<EventFilter[K]>;

const NOTHING: Bounds = { severities: [], categories: [] };
/** An empty list means none. */
const ofAny = (values: readonly unknown[]): Bounds => (values.length === 0 ? NOTHING : {});

/** Text as the log would have stored it: PostgreSQL refuses NUL in a parameter and would replace lone surrogates itself. */
const mended = <T>(values: readonly T[]): T[] =>
  values.map((value) => (typeof value === 'string' ? (mendText(value) as T) : value));

/** A function of the database over columns of an event, as an index has it. */
const indexed = (name: string, columns: readonly FieldName[]): SQL =>
  sql`${sql.raw(name)}(${sql.join(
    columns.map((column) => sql`${events[column]}`),
    sql`, `,
  )})`;
const eventWords = indexed('search_words', searchedFields);

/** What `event_marks` takes, in its order. */
const marked: readonly FieldName[] = ['code', 'type', 'status', 'username', 'userRole', 'ipAddress', 'sessionId', 'resourceType', 'action', 'endpoint', 'httpMethod', 'errorCode']; // oxfmt-ignore
const eventMarks = indexed('event_marks', marked);
/** As the index of marks has them. */
const eventTags = sql`array_remove(${events.tags}, NULL)`;

/** The marks are made once, in a query of their own: in the condition itself they would be for every partition. */
const hasAny = (values: readonly string[]): SQL =>
  sql`${eventMarks} && (SELECT marks_of(${sql.param(values)}::text[]))`;

/** The mark of the least block that addresses are marked by and that holds this one. */
const blockMark = (block: Block): SQL | undefined => {
  const bits = markedBits(block);
  return bits === undefined
    ? undefined
    : sql`address_mark(${formatBlock(block)}::text::inet, ${bits}::int)`;
};

const anyOf = <K extends FieldName & keyof EventFilter>(
  name: K,
  bounds: (values: Value<K>) => Bounds = ofAny,
): Meaning<Value<K>> => ({
  sql: (values) => inArray(events[name] as Column, mended<unknown>(values)),
  test: (values) => {
    const wanted = new Set<unknown>(mended<unknown>(values));
    return (event) => wanted.has(event[name]);
  },
  fields: () => [name],
  ...(marked.includes(name) && { found: (values) => hasAny(mended(values as string[])) }),
  bounds,
});

const meanings = {
  code: anyOf('code', (codes) => ({
    categories: codes.flatMap((code) => definitionOf(code)?.category ?? []),
  })),
  category: anyOf('category', (categories) => ({ categories })),
  severity: anyOf('severity', (severities) => ({ severities })),
  minSeverity: {
    sql: (least) => inArray(events.severity, severityNames.slice(rankOf(least))),
    test: (least) => (event) => rankOf(event.severity) >= rankOf(least),
    fields: () => ['severity'],
    bounds: (least) => ({ severities: severityNames.slice(rankOf(least)) }),
  },
  status: anyOf('status'),
  type: anyOf('type'),
  userId: anyOf('userId'),
  username: anyOf('username'),
  userRole: anyOf('userRole'),
  ipAddress: {
    sql: (blocks) =>
      or(
        sql`false`,
        ...blocks.map(
          (block) => sql`${events.ipAddress} <<= ${formatBlock(parseBlock(block))}::inet`,
        ),
      ),
    test: (blocks) => {
      const parsed = blocks.map(parseBlock);
      return ({ ipAddress }) =>
        ipAddress !== null && parsed.some((block) => contains(block, ipAddress));
    },
    fields: () => ['ipAddress'],
    found: (blocks) => {
      const marks = blocks.map((block) => blockMark(parseBlock(block)));
      return marks.every((mark) => mark !== undefined)
        ? sql`${eventMarks} && (SELECT ARRAY[${sql.join(marks, sql`, `)}]::int[])`
        : undefined;
    },
    bounds: ofAny,
  },
  sessionId: anyOf('sessionId'),
  resourceType: anyOf('resourceType'),
  resourceId: anyOf('resourceId'),
  action: anyOf('action'),
  endpoint: anyOf('endpoint'),
  httpMethod: anyOf('httpMethod'),
  errorCode: anyOf('errorCode'),
  tagsAny: {
    sql: (tags) => (tags.length === 0 ? sql`false` : arrayOverlaps(events.tags, mended(tags))),
    test: (tags) => {
      const wanted = mended(tags);
      return (event) => wanted.some((tag) => event.tags?.includes(tag));
    },
    fields: () => ['tags'],
    found: (tags) => sql`${eventTags} && ${sql.param(mended(tags))}::text[]`,
    bounds: ofAny,
  },
  tagsAll: {
    sql: (tags) =>
      tags.length === 0
        ? sql`${events.tags} IS NOT NULL`
        : arrayContains(events.tags, mended(tags)),
    test: (tags) => {
      const wanted = mended(tags);
      return (event) => event.tags !== null && wanted.every((tag) => event.tags!.includes(tag));
    },
    fields: () => ['tags'],
    found: (tags) =>
      tags.length === 0 ? undefined : sql`${eventTags} @> ${sql.param(mended(tags))}::text[]`,
  },
  range: {
    sql: (range, now) => during(resolveRange(range, now)),
    test: (range, now) => {
      const { from, to } = resolveRange(range, now);
      const [least, bound] = [microsOf(from), to === undefined ? Infinity : microsOf(to)];
      return (event) => {
        const at = microsOf(event.timestamp);
        return at >= least && at < bound;
      };
    },
    fields: () => ['timestamp'],
    settle: resolveRange,
  },
  search: {
    sql: (search) => {
      const words = boundedWords(search);
      return words.length === 0
        ? undefined
        : sql`${eventWords} @@ search_query(${written(words.join(' '))})`;
    },
    test: (search) => searchTest(boundedWords(search)),
    fields: () => searchedFields,
  },
  json: {
    sql: (conditions) => and(...conditions.map(jsonSql)),
    test: (conditions) => {
      const tests = conditions.map(jsonTest);
      return (event) => tests.every((test) => test(event));
    },
    fields: (conditions) => conditions.map(({ field }) => field),
  },
  and: {
    sql: (filters, now) => and(...filters.map((filter) => filterSql(filter, now))),
    test: (filters, now) => {
      const tests = filters.map((filter) => filterTest(filter, now));
      return (event) => tests.every((test) => test(event));
    },
    fields: (filters) => filters.flatMap(filterFields),
    found: (filters) => and(...filters.map(foundSql)),
    bounds: (filters) => filters.map(filterBounds).reduce(within, {}),
    settle: (filters, now) => filters.map((filter) => settled(filter, now)),
  },
  or: {
    sql: (filters, now) =>
      or(sql`false`, ...filters.map((filter) => filterSql(filter, now) ?? sql`true`)),
    test: (filters, now) => {
      const tests = filters.map((filter) => filterTest(filter, now));
      return (event) => tests.some((test) => test(event));
    },
    fields: (filters) => filters.flatMap(filterFields),
    found: (filters) => {
      const all = filters.map(foundSql);
      return all.every((each) => each !== undefined) ? or(...all) : undefined;
    },
    bounds: (filters) => filters.map(filterBounds).reduce(beside, NOTHING),
    settle: (filters, now) => filters.map((filter) => settled(filter, now)),
  },
  not: {
    // An absent value is not what was asked for, so its event is among the others.
    sql: (filter, now) => sql`(${filterSql(filter, now) ?? sql`true`}) IS NOT TRUE`,
    test: (filter, now) => {
      const test = filterTest(filter, now);
      return (event) => !test(event);
    },
    fields: (filter) => filterFields(filter),
    bounds: (filter) => (filterSql(filter, new Date()) ? {} : NOTHING),
    settle: (filter, now) => settled(filter, now),
  },
} satisfies { [K in keyof Required<EventFilter>]: Meaning<Value<K>> };

const boundedWords = (search: string): string[] => {
  const words = wordsOf(search);
  if (words.length > MAX_WORDS)
    throw new JejakError('BAD_USER_INPUT', `A search has at most ${MAX_WORDS} words.`);
  if (words.some((word) => word.length > SEARCHED_CHARACTERS))
    throw new JejakError('BAD_USER_INPUT', `A word of a search has at most ${SEARCHED_CHARACTERS} characters.`); // oxfmt-ignore
  return words;
};

type Given = readonly [key: string, Meaning<unknown>, value: unknown];

/** What is said in a filter. Throws BAD_USER_INPUT where that is too much. */
const given = (filter: EventFilter | null | undefined): Given[] => {
  refuseLarge(filter);
  return entriesOf(filter).map(([key, value]) => [
    key,
    meanings[key as keyof EventFilter] as Meaning<unknown>,
    value,
  ]);
};

/** The filter as a condition on `events`; undefined where everything matches. */
export const filterSql = (filter: EventFilter | null | undefined, now: Date): SQL | undefined =>
  and(...given(filter).map(([, meaning, value]) => meaning.sql(value, now)));

/** What the index of marks finds for the filter, no less than matches; undefined where it knows nothing of that. */
export const foundSql = (filter: EventFilter | null | undefined): SQL | undefined =>
  and(...given(filter).map(([, { found }, value]) => found?.(value)));

/** How a page of it is looked for: what says more than an index knows event by event, unless an index finds it. */
export const lookFor = (
  filter: EventFilter | null | undefined,
): 'ordered' | 'matched' | 'scanned' => {
  const all = [filter ?? {}];
  for (const each of all) all.push(...(each.and ?? []));
  const keys = all.flatMap((each) => entriesOf(each).map(([key]) => key));
  if (keys.some((key) => ordering.has(key))) return 'ordered';
  const isMatched =
    keys.includes('search') ||
    all.some(({ json }) => json?.some((condition) => isIndexed(condition)));
  if (isMatched) return 'matched';
  return keys.every((key) => inOrder.has(key)) ? 'ordered' : 'scanned';
};
/** With any of these all is found in the order of time; of these alone too. */
const ordering: ReadonlySet<string> = new Set(['userId', 'resourceId']);
const inOrder: ReadonlySet<string> = new Set(['category', 'severity', 'minSeverity', 'range', 'and']); // oxfmt-ignore

/** The filter as a test of an event in memory. */
export const filterTest = (filter: EventFilter | null | undefined, now: Date): Test => {
  const tests = given(filter).map(([, meaning, value]) => meaning.test(value, now));
  return (event) => tests.every((test) => test(event));
};

/** The filter with its ranges fixed, so that it means the same later. */
export const settled = (filter: EventFilter | null | undefined, now: Date): EventFilter =>
  Object.fromEntries(
    given(filter).map(([key, { settle }, value]) => [key, settle ? settle(value, now) : value]),
  );

/** Whether a filter asks about it under this name. */
export const isFilterKey = (name: string): name is keyof EventFilter => name in meanings;

/** The fields of an event that the test looks at. */
export const filterFields = (filter: EventFilter): FieldName[] =>
  given(filter).flatMap(([, meaning, value]) => meaning.fields(value));

/** The key, wherever in a filter, that asks about such a field. */
export const keyAsking = (
  filter: EventFilter,
  isSuch: (field: FieldName) => boolean,
): string | undefined =>
  given(filter)
    .map(([key, { fields }, value]) => {
      if (key !== 'and' && key !== 'or' && key !== 'not')
        return fields(value).some(isSuch) ? key : undefined;
      return [value as EventFilter].flat().map((each) => keyAsking(each, isSuch)).find(Boolean); // oxfmt-ignore
    })
    .find(Boolean);

/** The severities and categories outside which nothing can match. */
export const filterBounds = (filter: EventFilter): Bounds =>
  given(filter)
    .map(([, { bounds }, value]) => bounds?.(value) ?? {})
    .reduce(within, {});
