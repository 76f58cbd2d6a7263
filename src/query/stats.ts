// Statistics over any slice of the log: what is measured of the events of each bucket of time and each group, in one
// statement that computes what is asked for and no more.

import { type SQL, and, gte, lt, sql } from 'drizzle-orm';
import type { Question } from '../database/connection.ts';
import { events } from '../database/schema.ts';
import { JejakError } from '../errors.ts';
import type { FieldName } from '../events/fields.ts';
import { instantFromPostgres } from '../events/time.ts';
import { type Buckets, type StatsInterval, bucketsOf } from './buckets.ts';
import { type EventFilter, filterSql } from './filter.ts';
import { type Measure, measures, numberAt, numberMeasures, processingTime } from './measures.ts';
import type { Instants } from './range.ts';

/** What events can be grouped by: a field, or how the clocks of the zone stood. */
// oxfmt-ignore
export const dimensions = {
  CATEGORY: { name: 'category', about: 'The category.' },
  SEVERITY: { name: 'severity', about: 'The severity.' },
  TYPE: { name: 'type', about: 'The family.' },
  CODE: { name: 'code', about: 'The code; null for uncatalogued events.' },
  NAME: { name: 'name', about: 'The name.' },
  STATUS: { name: 'status', about: 'What became of the action.' },
  ACTION: { name: 'action', about: 'What was done.' },
  USERNAME: { name: 'username', about: 'The name of the user who acted.' },
  USER_ID: { name: 'userId', about: 'The number of the user who acted.' },
  USER_ROLE: { name: 'userRole', about: 'The role the user acted in.' },
  IP_ADDRESS: { name: 'ipAddress', about: 'The address the action came from.' },
  RESOURCE_TYPE: { name: 'resourceType', about: 'The kind of thing acted on.' },
  RESOURCE_ID: { name: 'resourceId', about: 'The identifier of the thing acted on.' },
  ENDPOINT: { name: 'endpoint', about: 'The route of the request.' },
  HTTP_METHOD: { name: 'httpMethod', about: 'The HTTP method of the request.' },
  ERROR_CODE: { name: 'errorCode', about: 'The code of the error.' },
  DAY_OF_WEEK: { name: 'dayOfWeek', clock: 'isodow', about: 'The day of the week in `timeZone`: 1 is Monday, 7 Sunday.' },
  HOUR_OF_DAY: { name: 'hourOfDay', clock: 'hour', about: 'The hour of the day in `timeZone`, 0 to 23.' },
} as const satisfies Record<
  string,
  { about: string } & ({ name: FieldName } | { name: string; clock: string })
>;
export type Dimension = keyof typeof dimensions;
export const dimensionNames = Object.keys(dimensions) as Dimension[];
type DimensionName = (typeof dimensions)[Dimension]['name'];

type NumberMeasure = keyof ReturnType<typeof numberMeasures>;
/** What is to be measured: of the events, of their processing times, and of numbers in their data by path. */
export type Wanted = {
  readonly events: ReadonlySet<keyof typeof measures>;
  readonly times: ReadonlySet<NumberMeasure>;
  readonly data: ReadonlyMap<string, ReadonlySet<NumberMeasure>>;
};

export type StatsRequest = {
  readonly filter: EventFilter | null | undefined;
  readonly range: Instants;
  /** Without it the range is the only bucket. */
  readonly interval?: StatsInterval | null | undefined;
  readonly timeZone: string;
  readonly groupBy: readonly Dimension[];
  readonly wanted: Wanted;
};

type Numbers = { readonly [M in NumberMeasure]?: number | null };
/** One group in one bucket. What was not asked for is undefined. */
export type EventStats = {
  readonly start: string;
  /** Null where the range is open. */
  readonly end: string | null;
  readonly group: { readonly [N in DimensionName]?: string | number | null };
  readonly events: {
    readonly count: number;
    readonly errors?: number;
    readonly failures?: number;
    readonly distinctUsers?: number;
    readonly firstAt?: string | null;
    readonly lastAt?: string | null;
  };
  readonly times: Numbers;
  readonly data: Readonly<Record<string, Numbers>>;
};

/** More are refused: so many are about 3 MB. */
export const MAX_STATS = 20_000;
export const MAX_DIMENSIONS = 4;
export const MAX_PATHS = 5;

/** In the order of time, in each bucket the group first that has the most events in all. A group that occurs has every bucket. */
export const eventStats = async (
  question: Question,
  request: StatsRequest,
  now: Date,
): Promise<EventStats[]> => {
  const { interval, range, timeZone } = request;
  const buckets = interval ? bucketsOf(range, interval, timeZone, now) : undefined;
  const columns = columnsOf(request.wanted);
  const rows = await question.execute<Row>(statementOf(request, buckets, columns, now));
  if (rows.length > MAX_STATS) throw tooMany();
  return filled(rows, request, buckets, columns, now);
};

type Row = Readonly<Record<string, string | number | null>>;
type Column = Measure & { readonly part: 'events' | 'times' | 'data'; readonly path: string; readonly name: string }; // oxfmt-ignore

const columnsOf = ({ events: ofEvents, times, data }: Wanted): Column[] => [
  // The count is always taken, and first: it orders the groups.
  ...[...new Set(['count' as const]).union(ofEvents)].map((name): Column => ({
    ...measures[name],
    part: 'events',
    path: '',
    name,
  })),
  ...[...times].map((name): Column => ({
    ...numberMeasures(processingTime)[name],
    part: 'times',
    path: '',
    name,
  })),
  ...[...data].flatMap(([path, names]) => {
    const ofPath = numberMeasures(numberAt(path));
    return [...names].map((name): Column => ({ ...ofPath[name], part: 'data', path, name }));
  }),
];

const statementOf = (
  { filter, range, groupBy, timeZone }: StatsRequest,
  buckets: Buckets | undefined,
  columns: readonly Column[],
  now: Date,
): SQL => {
  const keys = [bucketSql(buckets), ...groupBy.map((each) => dimensionSql(each, timeZone))];
  return sql`
    SELECT ${list([
      ...keys.map((key, place) => sql`${key} AS ${sql.raw(`k${place}`)}`),
      ...columns.map(({ of }, place) => sql.raw(`${of} AS m${place}`)),
    ])} FROM ${events}
    WHERE ${and(gte(events.timestamp, range.from), range.to === undefined ? undefined : lt(events.timestamp, range.to), filterSql(filter, now))}
    GROUP BY ${list(keys.map((_, place) => sql.raw(String(place + 1))))}
    LIMIT ${sql.raw(String(MAX_STATS + 1))}`;
};

const list = (items: readonly SQL[]): SQL => sql.join([...items], sql`, `);

/** The place of the bucket, from 1 on. */
const bucketSql = (buckets: Buckets | undefined): SQL => {
  if (!buckets) return sql`1`;
  const starts = `{${buckets.starts.map((start) => new Date(start).toISOString()).join(',')}}`;
  return sql`width_bucket(${events.timestamp}, ${starts}::timestamptz[])`;
};

const dimensionSql = (dimension: Dimension, timeZone: string): SQL => {
  const of = dimensions[dimension];
  return 'clock' in of
    ? sql`extract(${sql.raw(of.clock)} FROM ${events.timestamp} AT TIME ZONE ${timeZone})::int`
    : sql`${events[of.name]}`;
};

/** Every group that occurs in every bucket, whether there is a row of the database for it or not. */
const filled = (
  rows: readonly Row[],
  { range, groupBy }: StatsRequest,
  buckets: Buckets | undefined,
  columns: readonly Column[],
  now: Date,
): EventStats[] => {
  const keyOf = (row: Row): string =>
    JSON.stringify(groupBy.map((_, place) => row[`k${place + 1}`]));
  const found = Map.groupBy(rows, keyOf);
  if (groupBy.length === 0 && rows.length === 0) found.set('[]', []);
  const groups = [...found.values()]
    .map((ofGroup) => ({
      values: valuesOf(groupBy, ofGroup[0]),
      size: ofGroup.reduce((sum, row) => sum + (row['m0'] as number), 0),
      byBucket: new Map(ofGroup.map((row) => [row['k0'] as number, row])),
    }))
    .toSorted((one, other) => other.size - one.size);
  const spans = buckets ? spansOf(buckets, range, now, rows) : [{ start: range.from, end: range.to ?? null }]; // oxfmt-ignore
  if (spans.length * groups.length > MAX_STATS) throw tooMany();
  return spans.flatMap((span, place) =>
    groups.map(({ values, byBucket }) => ({
      ...span,
      group: values,
      ...measured(columns, byBucket.get(place + 1)),
    })),
  );
};

/** Where the range is open its last buckets may lie ahead of the clock; they are there only where events are. */
const spansOf = ({ starts, end }: Buckets, { to }: Instants, now: Date, rows: readonly Row[]) => {
  const ends = [...starts.slice(1), end];
  const begun = starts.findLastIndex((start) => to !== undefined || start <= now.getTime()) + 1;
  const last = rows.reduce((most, row) => Math.max(most, row['k0'] as number), begun);
  return starts.slice(0, last).map((start, place) => ({
    start: new Date(start).toISOString(),
    end: new Date(ends[place]!).toISOString(),
  }));
};

const valuesOf = (groupBy: readonly Dimension[], row: Row | undefined): EventStats['group'] =>
  Object.fromEntries(
    groupBy.map((dimension, place) => [dimensions[dimension].name, row?.[`k${place + 1}`]]),
  );

const measured = (columns: readonly Column[], row: Row | undefined) => {
  const parts = { events: {}, times: {}, data: {} } as Record<string, Record<string, unknown>>;
  for (const [place, { part, path, name, fold, instant }] of columns.entries()) {
    const value = row?.[`m${place}`] ?? (fold === 'sum' || name === 'distinctUsers' ? 0 : null);
    const into = part === 'data' ? ((parts['data']![path] ??= {}) as Record<string, unknown>) : parts[part]!; // oxfmt-ignore
    into[name] = instant && typeof value === 'string' ? instantFromPostgres(value) : value;
  }
  return parts as Pick<EventStats, 'events' | 'times' | 'data'>;
};

const tooMany = (): JejakError =>
  new JejakError(
    'TOO_EXPENSIVE',
    `That is more than ${MAX_STATS.toLocaleString('en')} groups in buckets; narrow \`filter\` or \`range\`, take a longer \`interval\`, or group by less.`,
  );
