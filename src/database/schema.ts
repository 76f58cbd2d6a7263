// The tables as drizzle sees them. `events` is computed from the fields; partitions, functions and indexes are written by
// hand in drizzle/, and a test compares both with the database.

import {
  bigint,
  customType,
  integer,
  pgTable,
  smallint,
  text,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import { type Field, type FieldName, type Kind, fieldNames, fields } from '../events/fields.ts';

const inet = customType<{ data: string }>({ dataType: () => 'inet' });
const json = customType<{ data: unknown }>({ dataType: () => 'jsonb' });
const instant = customType<{ data: string }>({ dataType: () => 'timestamptz' });

const boundedText = (field: Field) =>
  field.unbounded ? text(field.column) : varchar(field.column, { length: field.max! });

const columns = {
  position: (field) => bigint(field.column, { mode: 'number' }),
  identifier: boundedText,
  text: boundedText,
  integer: (field) => integer(field.column),
  address: (field) => inet(field.column),
  json: (field) => json(field.column),
  tags: (field) => text(field.column).array(),
  time: (field) => instant(field.column),
  code: boundedText,
  category: boundedText,
  severity: boundedText,
  status: boundedText,
} satisfies Record<Kind, (field: Field) => unknown>;

type EventColumns = { [N in FieldName]: ReturnType<(typeof columns)[(typeof fields)[N]['kind']]> };

export const events = pgTable(
  'events',
  Object.fromEntries(
    fieldNames.map((name) => {
      const column = columns[fields[name].kind](fields[name]);
      return [name, 'required' in fields[name] ? column.notNull() : column];
    }),
  ) as unknown as EventColumns,
);

export const batches = pgTable('batches', {
  seq: bigint({ mode: 'number' }).primaryKey(),
  number: bigint({ mode: 'number' }).notNull(),
  key: uuid().notNull(),
  size: smallint().notNull(),
  severities: smallint().notNull(),
  categories: smallint().notNull(),
  earliest: instant().notNull(),
  latest: instant().notNull(),
  committedAt: instant('committed_at').notNull(),
});

/** A batch holds at most this many events; its number times this, plus an event's place, is the event's id. */
export const BATCH_SPAN = 1024;

/** A select list that yields events, or so much of them, under their API names from a raw query. */
export const columnsOf = (names: readonly FieldName[]): string =>
  names.map((name) => `"${fields[name].column}" AS "${name}"`).join(', ');

export const eventColumns = columnsOf(fieldNames);
