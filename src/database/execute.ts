// Runs statements that were composed with drizzle's conditions.

import { type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type { Sql } from './connection.ts';

const dialect = new PgDialect();

/** The rows as the statement names them. To compose a page of events column by column, and to read it so, took drizzle's
 * query builder a quarter of the server's time. */
export const execute = <Row extends object>(database: Sql, statement: SQL): Promise<Row[]> => {
  const query = dialect.sqlToQuery(statement);
  return database.unsafe<Row[]>(query.sql, query.params as never[]);
};

/** A text in the statement itself, not as a parameter: how many events an index finds is known only with it, and the plan depends
 * on that. So each such statement is planned for itself. */
export const written = (text: string): SQL =>
  sql.raw(`${WRITTEN}${text.replaceAll(/[\\']/g, (quote) => quote + quote)}'`);

const WRITTEN = "E'";
export const hasWritten = (statement: string): boolean => statement.includes(WRITTEN);
