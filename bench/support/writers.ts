// Rows on their way into the table with nothing before them: no HTTP, no GraphQL, no rules, no ids of callers, no order.
// What our server does is measured against these.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Sql } from '../../src/database/connection.ts';
import { type Draft, type Prepared, complete } from '../../src/events/complete.ts';
import { type InputName, fields, inputNames } from '../../src/events/fields.ts';
import { sampleEvents } from './events.ts';

/** Completed events, as the server would store them. */
export const sampleRows = (count: number): Prepared[] =>
  sampleEvents(count).map((event) => complete(event, new Date()) as Prepared);

/** Inserts some rows in one statement. */
export type Writer = (sql: Sql, rows: readonly Draft[]) => Promise<unknown>;

const columns = inputNames.map((name) => `"${fields[name].column}"`).join(', ');
const arrays = { integer: 'int[]', address: 'inet[]', json: 'jsonb[]', time: 'timestamptz[]' };
const types = inputNames.map(
  (name) => (arrays as Record<string, string>)[fields[name].kind] ?? 'text[]',
);
const TAGS = inputNames.indexOf('tags');

const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
const elementOf = (name: InputName, draft: Draft): string => {
  const value = draft[name] as string | number | object | null;
  if (value === null) return 'NULL';
  if (fields[name].kind === 'json') return quote(JSON.stringify(value));
  if (fields[name].kind === 'tags') return quote(`{${(value as string[]).map(quote).join(',')}}`);
  return quote(typeof value === 'object' ? '' : String(value));
};

const insertArrays = `INSERT INTO events (id, ${columns})
  SELECT nextval('batch_numbers'), ${inputNames.map((_, index) => `c${index}${index === TAGS ? '::text[]' : ''}`).join(', ')}
  FROM unnest(${types.map((type, index) => `$${index + 1}::${type}`).join(', ')}) AS row(${inputNames.map((_, index) => `c${index}`).join(', ')})`;

const insertJson = `INSERT INTO events (id, ${columns})
  SELECT nextval('batch_numbers'), ${columns}
  FROM json_to_recordset($1::text::json) AS row(${inputNames
    .map(
      (name, index) =>
        `"${fields[name].column}" ${types[index]!.slice(0, -2)}${index === TAGS ? '[]' : ''}`,
    )
    .join(', ')})`;

// A statement may have 65,535 parameters.
const insertValues = (rows: number): string => {
  const width = inputNames.length;
  const tuple = (row: number) =>
    `(nextval('batch_numbers'), ${inputNames.map((_, index) => `$${row * width + index + 1}`).join(', ')})`;
  return `INSERT INTO events (id, ${columns}) VALUES ${Array.from({ length: rows }, (_, row) => tuple(row)).join(', ')}`;
};

export const writers = {
  arrays: (sql, rows) =>
    sql.unsafe(
      insertArrays,
      inputNames.map((name) => `{${rows.map((row) => elementOf(name, row)).join(',')}}`),
      { prepare: true },
    ),
  json: (sql, rows) =>
    sql.unsafe(
      insertJson,
      [
        JSON.stringify(
          rows.map((row) =>
            Object.fromEntries(inputNames.map((name) => [fields[name].column, row[name]])),
          ),
        ),
      ],
      { prepare: true },
    ),
  values: (sql, rows) =>
    sql.unsafe(
      insertValues(rows.length),
      rows.flatMap((row) => inputNames.map((name) => row[name] as string)),
      { prepare: true },
    ),
} as const satisfies Record<string, Writer>;

export type Work = {
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** How many callers, each with one call under way at all times. */
  readonly callers: number;
  readonly eventsPerCall: number;
};
export type Worked = {
  readonly eventsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** Callers within this process, each calling again when it was answered. */
export const work = async (
  { warmUpSeconds, seconds, callers, eventsPerCall }: Work,
  call: (index: number) => Promise<unknown>,
): Promise<Worked> => {
  const begin = performance.now() + warmUpSeconds * 1000;
  const end = begin + seconds * 1000;
  const latencies: number[] = [];
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let now = performance.now(); now < end;) {
      const sent = now;
      await call(next++);
      now = performance.now();
      if (sent >= begin && now <= end) latencies.push(now - sent);
      if (callers === 1) await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const sorted = Float64Array.from(latencies).toSorted();
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
  return {
    eventsPerSecond: (sorted.length * eventsPerCall) / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
};
