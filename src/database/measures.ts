// What can be measured of events that are counted together, as SQL over the rows of `events`.

import { numberSql } from './number.ts';
import { JejakError } from '../errors.ts';
import { fields } from '../events/fields.ts';
import { LARGE } from '../events/find.ts';
import { statusesOfFailure } from '../events/vocabulary.ts';

/** `fold` is how the measure of a whole follows from those of its parts; without it only the events themselves tell. */
export type Measure = {
  readonly of: string;
  readonly fold?: 'sum' | 'min' | 'max';
  readonly instant?: true;
};

const among = (statuses: readonly string[]): string =>
  `count(*) FILTER (WHERE events.status IN (${statuses.map((status) => `'${status}'`).join(', ')}))::float8`;

export const measures = {
  count: { of: 'count(*)::float8', fold: 'sum' },
  errors: { of: among(['ERROR']), fold: 'sum' },
  failures: { of: among(statusesOfFailure), fold: 'sum' },
  firstAt: { of: 'min(events."timestamp")', fold: 'min', instant: true },
  lastAt: { of: 'max(events."timestamp")', fold: 'max', instant: true },
  distinctUsers: { of: 'count(DISTINCT events.username)::float8' },
} as const satisfies Record<string, Measure>;

/** What can be measured of a number that events have or have not. */
export const numberMeasures = (value: string) =>
  ({
    count: { of: `count(${value})::float8`, fold: 'sum' },
    sum: { of: `coalesce(sum(${value}), 0)::float8`, fold: 'sum' },
    minimum: { of: `min(${value})::float8`, fold: 'min' },
    maximum: { of: `max(${value})::float8`, fold: 'max' },
    p50: percentile(0.5, value),
    p95: percentile(0.95, value),
    p99: percentile(0.99, value),
  }) as const satisfies Record<string, Measure>;

const percentile = (part: number, value: string): Measure => ({
  of: `percentile_cont(${part}) WITHIN GROUP (ORDER BY ${value})`,
});

export const processingTime = 'events.processing_time_ms';

const PATH = /^(metadata|requestData|responseData)((?:\.[\p{L}\p{N}_-]{1,64}){1,8})$/u;

/** The one number in the data that the specification's reports ask for: how sure a prediction is, which is nobody's, in whatever
 * digits. Cells of roll-ups are for every viewer, so that what masking may hide does not count at its path for anybody. */
export const CONFIDENCE = 'responseData.confidence';

/** Texts that are numbers of too few digits to be somebody's: a score or a share with so many behind the point. */
const nobodys = (digits: number): string =>
  String.raw`^[ \t\r\n]*[-+]?(?:[0-9]{1,2}(?:\.[0-9]{0,${digits}})?|\.[0-9]{1,${digits}}|100(?:\.0*)?)(?:[eE]|[ \t\r\n]*$)`;

/** The number at a path into the data of an event, such as `responseData.confidence`; `masked` without those that masking may
 * hide in the event: a text where it is what is personal elsewhere in it, too. Throws BAD_USER_INPUT. */
export const numberAt = (path: string, masked: boolean): string => {
  const [, field, keys] = PATH.exec(path) ?? [];
  if (field === undefined || keys === undefined)
    throw new JejakError(
      'BAD_USER_INPUT',
      `${JSON.stringify(path.slice(0, 60))} is no path: \`metadata\`, \`requestData\` or \`responseData\` and up to 8 keys of letters, digits, _ and -, such as "responseData.confidence".`,
    );
  const { column } = fields[field as 'metadata'];
  const keyList = keys.slice(1).split('.').map((key) => `"${key}"`).join(); // oxfmt-ignore
  const text = `(events.${column} #>> '{${keyList}}')`;
  const json = `(events.${column} #> '{${keyList}}')`;
  const number = numberSql(text);
  return masked
    ? `CASE WHEN abs(${number}) < ${LARGE} AND (jsonb_typeof(${json}) = 'number' OR ${text} ~ '${nobodys(path === CONFIDENCE ? 99 : 6)}') THEN (${text})::float8 END`
    : number;
};
