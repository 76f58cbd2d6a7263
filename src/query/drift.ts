// Where the log and the catalog have drifted apart: codes that never occur, events that have none, keys that a definition does
// not know, severities below the catalog's. Each is a grouping of the events of a range; the keys are the dear part.

import { type SQL, and, isNotNull, isNull, or, sql } from 'drizzle-orm';
import type { Question } from '../database/connection.ts';
import { events } from '../database/schema.ts';
import { type Definition, catalog } from '../events/catalog.ts';
import { LOG_RESOURCE } from './trail.ts';
import { instantFromPostgres } from '../events/time.ts';
import { type Category, type Severity, rankOf, severityNames } from '../events/vocabulary.ts';

export const MAX_DRIFT_DAYS = 31;
/** Of what is listed by how often it occurs. */
export const MAX_ROWS = 200;

export type Uncatalogued = {
  readonly category: Category;
  readonly type: string;
  readonly name: string;
  readonly count: number;
  readonly latest: string;
};
export type Lowered = {
  readonly code: string;
  readonly severity: Severity;
  readonly count: number;
};
export type UnknownKey = { readonly code: string; readonly key: string; readonly count: number };

const count = sql<number>`count(*)::float8`;
const most = sql.raw(String(MAX_ROWS));

/** Definitions of which `where` chooses no event. */
export const neverSeen = async (
  question: Question,
  where: SQL | undefined,
): Promise<Definition[]> => {
  // A code is looked for where its events would be; the first one found ends the search.
  const rows = await question.execute<{ code: string }>(sql`
    SELECT code FROM (VALUES ${sql.join([...catalog.values()].map(({ code, category }) => sql`(${code}, ${category})`), sql`, `)}) AS declared (code, category)
    WHERE NOT EXISTS (SELECT FROM ${events} WHERE ${and(where, sql`${events.category} = declared.category AND ${events.code} = declared.code`)})`); // oxfmt-ignore
  const missing = new Set(rows.map(({ code }) => code));
  return [...catalog.values()].filter(({ code }) => missing.has(code));
};

/** Events without a code, the most frequent first. */
export const uncatalogued = async (
  question: Question,
  where: SQL | undefined,
): Promise<Uncatalogued[]> =>
  question
    .select({
      category: sql<Category>`${events.category}`,
      type: sql<string>`${events.type}`,
      name: sql<string>`${events.name}`,
      count,
      latest: sql<string>`max(${events.timestamp})`.mapWith(instantFromPostgres),
    })
    .from(events)
    .where(and(where, isNull(events.code)))
    .groupBy(events.category, events.type, events.name)
    .orderBy(sql`count(*) DESC`, events.category, events.type, events.name)
    .limit(most as unknown as number);

/** Events of a severity below that of their definition, the most frequent first. */
export const lowered = async (question: Question, where: SQL | undefined): Promise<Lowered[]> => {
  const below = severityNames.map((severity) => {
    const higher = [...catalog.values()].filter((each) => rankOf(each.severity) > rankOf(severity));
    return higher.length === 0
      ? undefined
      : sql`(${events.severity} = ${severity} AND ${events.code} IN ${higher.map(({ code }) => code)})`;
  });
  return question
    .select({
      code: sql<string>`${events.code}`,
      severity: sql<Severity>`${events.severity}`,
      count,
    })
    .from(events)
    .where(and(where, or(...below)))
    .groupBy(events.code, events.severity)
    .orderBy(sql`count(*) DESC`, events.code, events.severity)
    .limit(most as unknown as number);
};

/** Keys of the data of events that their definition does not know, the most frequent first; what the server adds itself
 * begins with "_", or is `claimed` or `source`, and what it tells of its own use is about the log. */
export const unknownKeys = async (
  question: Question,
  where: SQL | undefined,
): Promise<UnknownKey[]> => {
  const objects = [events.metadata, events.requestData, events.responseData].map(
    (column) => sql`CASE jsonb_typeof(${column}) WHEN 'object' THEN ${column} ELSE '{}' END`,
  );
  const known = [...catalog.values()].flatMap(({ code, data }) => data.map((key) => `${code} ${key}`)); // oxfmt-ignore
  return question.execute<UnknownKey>(sql`
    SELECT ${events.code} AS code, key, ${count} AS count
    FROM ${events}, jsonb_object_keys(${sql.join(objects, sql` || `)}) AS key
    WHERE ${and(where, isNotNull(events.code), sql`key !~ '^_' AND key NOT IN ('claimed', 'source') AND ${events.resourceType} IS DISTINCT FROM ${LOG_RESOURCE}`)}
    GROUP BY ${events.code}, key HAVING ${events.code} || ' ' || key NOT IN ${known}
    ORDER BY count(*) DESC, ${events.code}, key LIMIT ${most}`);
};
