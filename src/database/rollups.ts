// The roll-ups: what was measured of the events of an hour or of a part of one, most of it kept for years. A cell's columns have
// the names of the columns of `events`, its `timestamp` being where it begins, so that one condition chooses events and cells
// alike.

import { type FieldName, fields } from '../events/fields.ts';
import {
  CONFIDENCE,
  type Measure,
  measures,
  numberAt,
  numberMeasures,
  processingTime,
} from './measures.ts';

const HOUR_MS = 3_600_000;

/** What cells tell apart; `of` is the tier that another is added up from, without it from the events. */
export type Tier = {
  readonly table: string;
  readonly stepMs: number;
  readonly keys: readonly FieldName[];
  readonly of?: string;
  /** It names people, as an endpoint may too, and is kept no longer than the events: as long as the severity that is kept for
   * the shortest time. It is asked only where all events are kept, and so need not tell severities apart, which made four times as
   * many cells of it. */
  readonly personal?: true;
};

// Each tier after the one it is added up from. Quarters of an hour fit the clocks of every zone, and leave at most so much at
// either end of a range to be read from the events; hours are a quarter as many. A user is active in most hours, so that a day of
// 1,200 users is 28,000 cells of an hour (18 ms), and a cell of a quarter of a day stands for six of them at the most. What goes
// wrong or slowly is asked of the last hour: five minutes leave little of it to be read from the events.
// oxfmt-ignore
export const tiers: readonly Tier[] = [
  { table: 'rollup_kind_quarters', stepMs: HOUR_MS / 4, keys: ['severity', 'category', 'type', 'code', 'status'] },
  { table: 'rollup_kind_hours', stepMs: HOUR_MS, keys: ['severity', 'category', 'type', 'code', 'status'], of: 'rollup_kind_quarters' },
  { table: 'rollup_hours', stepMs: HOUR_MS, keys: ['severity', 'category'], of: 'rollup_kind_hours' },
  { table: 'rollup_user_hours', stepMs: HOUR_MS, keys: ['username', 'userId', 'userRole'], personal: true },
  { table: 'rollup_user_quarter_days', stepMs: 6 * HOUR_MS, keys: ['username', 'userId', 'userRole'], of: 'rollup_user_hours', personal: true },
  { table: 'rollup_endpoint_fives', stepMs: HOUR_MS / 12, keys: ['endpoint'], personal: true },
  { table: 'rollup_name_fives', stepMs: HOUR_MS / 12, keys: ['severity', 'category', 'name'], personal: true },
];

/** A measure that cells hold, and of what it is one: the events, their processing times, or a number in their data. */
export type Kept = {
  readonly column: string;
  readonly part: 'events' | 'times' | 'data';
  readonly path: string;
  readonly name: string;
  readonly measure: Measure;
};

const keptOf = (part: Kept['part'], table: object, prefix: string, path = ''): Kept[] =>
  Object.entries(table as Record<string, Measure>)
    .filter(([, measure]) => measure.fold)
    .map(([name, measure]) => ({
      column: prefix + name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`),
      part,
      path,
      name,
      measure,
    }));

export const kept: readonly Kept[] = [
  ...keptOf('events', measures, ''),
  ...keptOf('times', numberMeasures(processingTime), 'time_'),
  ...keptOf('data', numberMeasures('events.confidence'), 'confidence_', CONFIDENCE),
];

const columnOf = (name: FieldName): string => `"${fields[name].column}"`;
const list = (items: readonly string[]): string => items.join(', ');
const keysOf = ({ keys }: Tier): string[] => ['"timestamp"', ...keys.map(columnOf)];

/** How a measure of several cells follows from theirs. */
export const folded = ({ column, measure }: Kept): string =>
  `${measure.fold}(events.${column})${measure.instant ? '' : '::float8'}`;

const cells = (tier: Tier): string => {
  const keys = tier.keys.map((key) => `events.${columnOf(key)}`);
  const start = `date_bin('${tier.stepMs / 1000} seconds', events."timestamp", '2000-01-01Z')`;
  const found = kept.map((each) => (tier.of ? folded(each) : each.measure.of));
  return `
    SELECT ${list([start, ...keys])}, ${list(found)} FROM ${tier.of ? `new_${tier.of}` : 'picked'} AS events
    GROUP BY ${list([start, ...keys].map((_, place) => String(place + 1)))}`;
};

const adding: Record<NonNullable<Measure['fold']>, (column: string) => string> = {
  sum: (column) => `kept.${column} + excluded.${column}`,
  min: (column) => `least(kept.${column}, excluded.${column})`,
  max: (column) => `greatest(kept.${column}, excluded.${column})`,
};

/** One statement that adds some events to some tiers. `where` is a condition on `events`, which may name other tables that are
 * defined `before` it. */
export const additionOf = (where: string, before: string, into = tiers): string => {
  const columns = kept.map(({ column }) => column);
  const needed = [...new Set(['status', ...into.flatMap(({ keys }) => keys)] as const)].map(
    columnOf,
  );
  return `
WITH ${before}, picked AS MATERIALIZED (
  SELECT "timestamp", ${list(needed)}, processing_time_ms, ${numberAt(CONFIDENCE, true)} AS confidence
  FROM events WHERE ${where}
)${into
    .map(
      (
        tier,
      ) => `, new_${tier.table} (${list([...keysOf(tier), ...columns])}) AS MATERIALIZED (${cells(tier)}
), added_${tier.table} AS (
  INSERT INTO ${tier.table} AS kept (${list([...keysOf(tier), ...columns])}) SELECT * FROM new_${tier.table}
  ON CONFLICT (${list(keysOf(tier))}) DO UPDATE SET
    ${list(kept.map(({ column, measure }) => `${column} = ${adding[measure.fold!](column)}`))}
)`,
    )
    .join('')}
SELECT count(*) AS counted FROM picked`;
};
