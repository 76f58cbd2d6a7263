// Statistics over any slice of the log: what is measured of the events of each bucket of time and each group; what is not
// asked for is not computed. What the retention has taken is answered by roll-ups, and said to be.

import { type SQL, sql } from 'drizzle-orm';
import type { Sql } from '../database/connection.ts';
import { type Tier, tiers } from '../database/rollups.ts';
import { events } from '../database/schema.ts';
import { JejakError } from '../errors.ts';
import type { FieldName } from '../events/fields.ts';
import { type Periods, wholeSince } from '../events/retention.ts';
import { compareInstants } from '../events/time.ts';
import { severityNames } from '../events/vocabulary.ts';
import { type Buckets, type StatsInterval, bucketsOf, intervals } from './buckets.ts';
import { type Clock, clockOf, clockSql, placeSql } from './clock.ts';
import { ceilTo, floorTo } from './cover.ts';
import { type EventFilter, filterBounds, filterFields, filterSql } from './filter.ts';
import {
  CONFIDENCE,
  type Measure,
  measures,
  numberAt,
  numberMeasures,
  processingTime,
} from '../database/measures.ts';
import { lotOf } from './lot.ts';
import { type Instants, type TimeRange, resolveRange } from './range.ts';
import { type Column, type Tally, type TallyRow, keptAs, takeTallies } from './tally.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What events can be grouped by: a field, or how the clocks of the zone stood, which they do for so many `ms`. */
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
  DAY_OF_WEEK: { name: 'dayOfWeek', clock: 'isodow', ms: DAY_MS, about: 'The day of the week in `timeZone`: 1 is Monday, 7 Sunday.' },
  HOUR_OF_DAY: { name: 'hourOfDay', clock: 'hour', ms: HOUR_MS, about: 'The hour of the day in `timeZone`, 0 to 23.' },
} as const satisfies Record<
  string,
  { about: string } & ({ name: FieldName } | { name: string; clock: string; ms: number })
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
  /** Whether numbers in the data that masking may hide do not count. */
  readonly masked?: boolean;
};

/** How long events are kept, and which of the events there are may be seen: undefined is all of them. */
export type Kept = { readonly periods: Periods; readonly visible?: SQL | undefined };

export type StatsRequest = {
  readonly filter: EventFilter | null | undefined;
  readonly range: Instants;
  /** Without it the range is the only bucket. */
  readonly interval?: StatsInterval | null | undefined;
  readonly timeZone: string;
  readonly groupBy: readonly Dimension[];
  readonly wanted: Wanted;
  readonly kept: Kept;
  /** Whether only events that are kept are counted, whatever roll-ups still tell. */
  readonly onlyKept?: boolean;
};

/** From what the figures of a bucket are: see `bases`. */
export type StatsBasis = keyof typeof bases;
// oxfmt-ignore
export const bases = {
  EVENTS: { about: 'All events of the bucket are kept, and the figures are theirs.' },
  ROLLUPS: { about: 'Some events of the bucket may not be kept any more. The figures are those of the roll-ups, which counted all of them, with whole quarters of an hour where `range` begins and ends; null is what roll-ups do not hold: `distinctUsers`, percentiles, and `data` of other paths than "responseData.confidence".' },
  REMAINING_EVENTS: { about: 'Some events of the bucket may not be kept any more, and roll-ups do not tell apart what is asked for: the figures are those of the events that are left. For all of them, filter and group by category, severity, type, code and status only, with an `interval` of QUARTER_HOUR or longer.' },
} as const satisfies Record<string, { about: string }>;

type Numbers = { readonly [M in NumberMeasure]?: number | null };
/** One group in one bucket. What was not asked for is undefined. */
export type EventStats = {
  readonly start: string;
  /** Null where the range is open. */
  readonly end: string | null;
  readonly basis: StatsBasis;
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
  question: Sql,
  request: StatsRequest,
  now: Date,
): Promise<EventStats[]> => {
  const { interval, range, timeZone } = request;
  const buckets = interval ? bucketsOf(range, interval, timeZone, now) : undefined;
  const columns = columnsOf(request.wanted);
  const { severities = severityNames, categories } = filterBounds(request.filter ?? {});
  const since = wholeSince(request.kept.periods, severities, now, categories);
  const whole = wholeFrom(request, buckets, since);
  const { tallies, basis } = plan(request, buckets, columns, whole, since, now);
  const rows = await takeTallies(question, tallies, MAX_STATS + 1);
  if (rows.length > MAX_STATS) throw tooMany();
  return filled(rows, request, buckets, columns, now, (place) =>
    place < whole ? basis : 'EVENTS',
  );
};

const columnsOf = ({ events: ofEvents, times, data, masked = false }: Wanted): Column[] => [
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
    const ofPath = numberMeasures(numberAt(path, masked || path === CONFIDENCE));
    return [...names].map((name): Column => ({ ...ofPath[name], part: 'data', path, name }));
  }),
];

/** The place of the first bucket all of whose events are kept; there may be none. */
const wholeFrom = ({ range }: StatsRequest, buckets: Buckets | undefined, since: Date): number => {
  if (compareInstants(range.from, since.toISOString()) >= 0) return 0;
  const place = buckets?.starts.findIndex((start) => start >= since.getTime()) ?? -1;
  return place < 0 ? (buckets?.starts.length ?? 1) : place;
};

type Plan = { readonly tallies: readonly Tally[]; readonly basis: StatsBasis };

/** What is asked of the roll-ups and what of the events: of buckets whose events are all kept, whatever is quicker; of others
 * the roll-ups, where they tell these events and groups apart. `basis` is that of the others. */
const plan = (
  request: StatsRequest,
  buckets: Buckets | undefined,
  columns: readonly Column[],
  whole: number,
  since: Date,
  now: Date,
): Plan => {
  const { groupBy, timeZone, filter } = request;
  const { range: given, ...others } = filter ?? {};
  const range = both(request.range, given, now);
  const isOfClock = groupBy.some((each) => 'clock' in dimensions[each]);
  const clock = isOfClock ? clockOf(range, timeZone, now) : undefined;
  const shared = {
    keys: [bucketSql(buckets), ...groupBy.map((each) => dimensionSql(each, clock))],
    columns,
    where: filterSql(others, now),
    visible: request.kept.visible,
  };
  const tiersFor = (personal: boolean): Tier[] => usable(request, others, buckets, clock, personal);
  const kept = columns.every(keptAs);
  if (whole === 0) {
    // Cells that name people go with the events of the shortest period.
    const named = wholeSince(request.kept.periods, severityNames, now).toISOString();
    const fitting = kept ? tiersFor(compareInstants(range.from, named) >= 0) : [];
    return { tallies: [{ ...shared, range, tiers: fitting, whole: true }], basis: 'EVENTS' };
  }
  const told = request.onlyKept ? [] : tiersFor(false);
  if (told.length === 0)
    return {
      tallies: [{ ...shared, range, tiers: told, whole: false }],
      basis: 'REMAINING_EVENTS',
    };
  const step = told.at(-1)!.stepMs;
  const isLost = (instant: string): boolean => compareInstants(instant, since.toISOString()) < 0;
  const from = isLost(range.from) ? floorTo(range.from, step) : range.from;
  const isOver = range.to !== undefined && isLost(floorTo(range.to, step));
  const to = isOver ? ceilTo(range.to, step) : range.to;
  const start = buckets?.starts[whole];
  const split = start === undefined ? to : new Date(start).toISOString();
  const older: Tally = { ...shared, range: { from, to: kept ? to : split }, tiers: told, whole: false }; // oxfmt-ignore
  const younger: Tally[] =
    kept || start === undefined ? [] : [{ ...shared, range: both(range, { from: split }, now), tiers: [], whole: true }]; // oxfmt-ignore
  return { tallies: [older, ...younger], basis: 'ROLLUPS' };
};

/** What lies in two ranges. */
const both = (one: Instants, given: TimeRange | null | undefined, now: Date): Instants => {
  if (!given) return one;
  const other = resolveRange(given, now);
  const [from] = [one.from, other.from].toSorted((a, b) => compareInstants(b, a));
  const [to] = [one.to, other.to].flatMap((each) => each ?? []).toSorted(compareInstants);
  return { from: from!, to };
};

/** The roll-ups that tell apart what the filter and the groups do, from the longest cells to the shortest, of each length those
 * with the fewest. No cell may be longer than a bucket, nor lie in two, or in two hours of the clock. */
const usable = (
  { groupBy, interval }: StatsRequest,
  filter: EventFilter,
  buckets: Buckets | undefined,
  clock: Clock | undefined,
  personal: boolean,
): Tier[] => {
  const names = groupBy.map((each) => dimensions[each]);
  const clocks = names.flatMap((each) => ('clock' in each ? each.ms : []));
  const fields = [...filterFields(filter), ...names.flatMap((each) => ('clock' in each ? [] : each.name))]; // oxfmt-ignore
  const edges = [...(buckets?.starts.slice(1) ?? []), ...clocks, ...(clock?.offsets ?? [])];
  const fitting = tiers.filter(
    (tier) =>
      (personal || !tier.personal) &&
      (!interval || tier.stepMs <= intervals[interval].ms) &&
      fields.every((name) => tier.keys.includes(name)) &&
      edges.every((edge) => edge % tier.stepMs === 0),
  );
  const byStep = Map.groupBy(fitting, ({ stepMs }) => stepMs);
  return [...byStep]
    .toSorted(([one], [other]) => other - one)
    .map(([, ofStep]) => ofStep.toSorted((a, b) => a.keys.length - b.keys.length)[0]!);
};

/** The place of the bucket, from 1 on. */
const bucketSql = (buckets: Buckets | undefined): SQL =>
  buckets ? placeSql(buckets.starts) : sql`1`;

const dimensionSql = (dimension: Dimension, clock: Clock | undefined): SQL => {
  const of = dimensions[dimension];
  return 'clock' in of ? clockSql(of.clock, clock!) : sql`${events[of.name]}`;
};

/** Every group that occurs in every bucket, whether there is a row of the database for it or not. */
const filled = (
  rows: readonly TallyRow[],
  { range, groupBy }: StatsRequest,
  buckets: Buckets | undefined,
  columns: readonly Column[],
  now: Date,
  basisOf: (place: number) => StatsBasis,
): EventStats[] => {
  const keyOf = (row: TallyRow): string =>
    JSON.stringify(groupBy.map((_, place) => row[`k${place + 1}`]));
  const found = Map.groupBy(rows, keyOf);
  if (groupBy.length === 0 && rows.length === 0) found.set('[]', []);
  const groups = [...found]
    .map(([key, ofGroup]) => ({
      values: valuesOf(groupBy, ofGroup[0]),
      size: ofGroup.reduce((sum, row) => sum + (row['m0'] as number), 0),
      lot: lotOf(key),
      byBucket: new Map(ofGroup.map((row) => [row['k0'] as number, row])),
    }))
    .toSorted((one, other) => other.size - one.size || (one.lot < other.lot ? -1 : 1));
  const spans = buckets ? spansOf(buckets, range, now, rows) : [{ start: range.from, end: range.to ?? null }]; // oxfmt-ignore
  if (spans.length * groups.length > MAX_STATS) throw tooMany();
  return spans.flatMap((span, place) => {
    const basis = basisOf(place);
    return groups.map(({ values, byBucket }) => ({
      ...span,
      basis,
      group: values,
      ...measured(columns, byBucket.get(place + 1), basis),
    }));
  });
};

/** Where the range is open its last buckets may lie ahead of the clock; they are there only where events are. */
const spansOf = (
  { starts, end }: Buckets,
  { to }: Instants,
  now: Date,
  rows: readonly TallyRow[],
) => {
  const ends = [...starts.slice(1), end];
  const begun = starts.findLastIndex((start) => to !== undefined || start <= now.getTime()) + 1;
  const last = rows.reduce((most, row) => Math.max(most, row['k0'] as number), begun);
  return starts.slice(0, last).map((start, place) => ({
    start: new Date(start).toISOString(),
    end: new Date(ends[place]!).toISOString(),
  }));
};

const valuesOf = (groupBy: readonly Dimension[], row: TallyRow | undefined): EventStats['group'] =>
  Object.fromEntries(
    groupBy.map((dimension, place) => [dimensions[dimension].name, row?.[`k${place + 1}`]]),
  );

const measured = (columns: readonly Column[], row: TallyRow | undefined, basis: StatsBasis) => {
  const parts = { events: {}, times: {}, data: {} } as Record<string, Record<string, unknown>>;
  for (const [place, column] of columns.entries()) {
    const { part, path, name, fold } = column;
    const isKnown = basis !== 'ROLLUPS' || keptAs(column) !== undefined;
    const value = row?.[`m${place}`] ?? (isKnown && isCount(fold, name) ? 0 : null);
    const into = part === 'data' ? ((parts['data']![path] ??= {}) as Record<string, unknown>) : parts[part]!; // oxfmt-ignore
    into[name] = value;
  }
  return parts as Pick<EventStats, 'events' | 'times' | 'data'>;
};

const isCount = (fold: Measure['fold'], name: string): boolean =>
  fold === 'sum' || name === 'distinctUsers';

const tooMany = (): JejakError =>
  new JejakError(
    'TOO_EXPENSIVE',
    `That is more than ${MAX_STATS.toLocaleString('en')} groups in buckets; narrow \`range\` or \`filter\`, or take a longer \`interval\` or group by less where there are such.`,
  );
