// Runs statements that were composed with drizzle's conditions.

import { Column, Param, SQL, StringChunk, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type { Sql } from './connection.ts';

const dialect = new PgDialect();

/** The rows as the statement names them. To compose a page of events column by column, and to read it so, took drizzle's
 * query builder a quarter of the server's time. */
export const execute = <Row extends object>(
  database: Pick<Sql, 'unsafe'>,
  statement: SQL,
): Promise<Row[]> => {
  const query = textOf(statement) ?? dialect.sqlToQuery(statement);
  return database.unsafe<Row[]>(query.sql, query.params as never[]);
};

/** What drizzle writes of a statement, in an eighth of its time: it asks each part for ten kinds and was 40 of 500 µs of a page.
 * Undefined where there is a part of another kind than those of conditions. */
export const textOf = (statement: SQL): { sql: string; params: unknown[] } | undefined => {
  let text = '';
  const params: unknown[] = [];
  const put = (part: unknown): boolean => {
    if (part instanceof SQL) return part.queryChunks.every(put);
    if (Array.isArray(part)) return put(sql`(${sql.join(part, separator)})`);
    if (part instanceof StringChunk) text += part.value.join('');
    else if (part instanceof Column) text += nameOf(part);
    else if (part instanceof Param) {
      const value = part.value === null ? null : part.encoder.mapToDriverValue(part.value);
      if (value instanceof SQL) return false;
      text += `$${params.push(value)}`;
    } else if (typeof part === 'object' && part !== null) return false;
    else if (part !== undefined) text += `$${params.push(part)}`;
    return true;
  };
  return put(statement) ? { sql: text, params } : undefined;
};

const separator = sql`, `;
const names = new WeakMap<Column, string>();
const nameOf = (column: Column): string => {
  const name = names.get(column) ?? dialect.sqlToQuery(sql`${column}`).sql;
  names.set(column, name);
  return name;
};

/** A text in the statement itself, not as a parameter: how many events an index finds is known only with it, and the plan depends
 * on that. So each such statement is planned for itself. */
export const written = (text: string): SQL =>
  sql.raw(`${WRITTEN}${text.replaceAll(/[\\']/g, (quote) => quote + quote)}'`);

const WRITTEN = "E'";
export const hasWritten = (statement: string): boolean => statement.includes(WRITTEN);
