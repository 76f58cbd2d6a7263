// Where the log and the catalog have drifted apart: codes that never occur, events that have none, keys that a definition does
// not know, severities below the catalog's. Each is a grouping of the events of a range; the keys are the dear part.

import { type SQL, and, isNotNull, isNull, or, sql } from 'drizzle-orm';
import type { Sql } from '../database/connection.ts';
import { execute } from '../database/execute.ts';
import { events } from '../database/schema.ts';
import { type Definition, catalog } from '../events/catalog.ts';
import { lotSql } from './lot.ts';
import { LOG_RESOURCE } from './trail.ts';
import { retentionResources } from '../events/retention.ts';
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

/** Of what the server tells of itself, which says more than the document has keys for. */
const ownResources = [LOG_RESOURCE, ...retentionResources];
const count = sql`count(*)::float8 AS count`;
const most = sql.raw(String(MAX_ROWS));

/** Definitions of which `where` chooses no event. */
export const neverSeen = async (question: Sql, where: SQL | undefined): Promise<Definition[]> => {
  // A code is looked for where its events would be; the first one found ends the search.
  const rows = await execute<{ code: string }>(question, sql`
    SELECT code FROM (VALUES ${sql.join([...catalog.values()].map(({ code, category }) => sql`(${code}, ${category})`), sql`, `)}) AS declared (code, category)
    WHERE NOT EXISTS (SELECT FROM ${events} WHERE ${and(where, sql`${events.category} = declared.category AND ${events.code} = declared.code`)})`); // oxfmt-ignore
  const missing = new Set(rows.map(({ code }) => code));
  return [...catalog.values()].filter(({ code }) => missing.has(code));
};

/** Events without a code, the most frequent first. */
export const uncatalogued = (question: Sql, where: SQL | undefined): Promise<Uncatalogued[]> =>
  execute<Uncatalogued>(
    question,
    sql`
    SELECT ${events.category} AS category, ${events.type} AS type, ${events.name} AS name, ${count}, max(${events.timestamp}) AS latest
    FROM ${events} WHERE ${and(where, isNull(events.code))}
    GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 1, ${lotSql(sql`${events.type} || ' ' || ${events.name}`)} LIMIT ${most}`,
  );

/** Events of a severity below that of their definition, the most frequent first. */
export const lowered = (question: Sql, where: SQL | undefined): Promise<Lowered[]> => {
  const below = severityNames.map((severity) => {
    const higher = [...catalog.values()].filter((each) => rankOf(each.severity) > rankOf(severity));
    return higher.length === 0
      ? undefined
      : sql`(${events.severity} = ${severity} AND ${events.code} IN ${higher.map(({ code }) => code)})`;
  });
  return execute<Lowered>(
    question,
    sql`
    SELECT ${events.code} AS code, ${events.severity} AS severity, ${count}
    FROM ${events} WHERE ${and(where, or(...below))}
    GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT ${most}`,
  );
};

/** Keys of the data of events that their definition does not know, the most frequent first; what the server adds itself
 * begins with "_", or is `claimed` or `source`, and what it tells of its own doings is about the log. */
export const unknownKeys = async (question: Sql, where: SQL | undefined): Promise<UnknownKey[]> => {
  const objects = [events.metadata, events.requestData, events.responseData].map(
    (column) => sql`CASE jsonb_typeof(${column}) WHEN 'object' THEN ${column} ELSE '{}' END`,
  );
  const known = [...catalog.values()].flatMap(({ code, data }) => data.map((key) => `${code} ${key}`)); // oxfmt-ignore
  return execute<UnknownKey>(
    question,
    sql`
    SELECT ${events.code} AS code, key, ${count}
    FROM ${events}, jsonb_object_keys(${sql.join(objects, sql` || `)}) AS key
    WHERE ${and(where, isNotNull(events.code), sql`key !~ '^_' AND key NOT IN ('claimed', 'source') AND coalesce(${events.resourceType}, '') NOT IN ${ownResources}`)}
    GROUP BY ${events.code}, key HAVING ${events.code} || ' ' || key NOT IN ${known}
    ORDER BY count(*) DESC, ${events.code}, ${lotSql(sql`key`)} LIMIT ${most}`,
  );
};
