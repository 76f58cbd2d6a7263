// Whom what concerns: who read, changed, exported or predicted about one person, as that person may ask; and after a
// breach, whose data somebody had to do with.

import { type SQL, and, eq, inArray, or, sql } from 'drizzle-orm';
import type { Sql } from '../database/connection.ts';
import { execute } from '../database/execute.ts';
import { events } from '../database/schema.ts';
import { mendText } from '../events/text.ts';
import { instantFromPostgres } from '../events/time.ts';
import { lotSql } from './lot.ts';
import { hasJson, jsonb } from './json.ts';

/** Whom an event is about, by its columns `resource_type` and `resource_id`. */
export type Subject = { readonly resourceType: string; readonly resourceId: string };

/** The codes of what tells that the log itself was read or exported. */
export const READ_CODE = 'ADMIN-008';
export const EXPORT_CODE = 'DATA-012';
/** What an export of the log is an export of. */
export const LOG_RESOURCE = 'EVENT_LOG';

/** In the place of the type where only the identifier is known. */
export const ANY_TYPE = '';

/** A subject as records of reading name it, in `metadata.subjects`: a slash of the type itself is percent-encoded. */
export const subjectText = ({ resourceType, resourceId }: Subject): string =>
  `${resourceType.replaceAll('%', '%25').replaceAll('/', '%2F')}/${resourceId}`;
const typeIn = (text: SQL): SQL =>
  sql`replace(replace(split_part(${text}, '/', 1), '%2F', '/'), '%25', '%')`;

/** Whom a filter names; null, or how large it was, where it names nobody. */
const named = sql`${events.requestData} #> '{filter,resourceId}'`;

const isNamed = (subject: Subject): SQL =>
  hasJson(events.metadata, { subjects: [subjectText(subject)] });

/** Events about a subject, records of who read such events, and of exports and subscriptions whose filter does not name other
 * subjects only. */
export const concerning = ({ resourceType, resourceId }: Subject): SQL => {
  const subject = { resourceType: mendText(resourceType), resourceId: mendText(resourceId) };
  return or(
    and(eq(events.resourceType, subject.resourceType), eq(events.resourceId, subject.resourceId)),
    and(
      eq(events.code, READ_CODE),
      or(isNamed(subject), isNamed({ ...subject, resourceType: ANY_TYPE })),
    ),
    and(
      inArray(events.code, [READ_CODE, EXPORT_CODE]),
      eq(events.resourceType, LOG_RESOURCE),
      eq(events.status, 'STARTED'),
      sql`(jsonb_typeof(${named}) = 'array' AND NOT ${named} @> ${jsonb([subject.resourceId])}) IS NOT TRUE`,
    ),
  )!;
};

/** What was done, by the event's action. */
const actions = {
  READ: ['VIEW', 'READ', 'ACCESS', 'SEARCH', 'DOWNLOAD', 'AUDIT'],
  CHANGED: ['CREATE', 'UPDATE', 'DELETE', 'IMPORT', 'VALIDATE'],
  EXPORTED: ['EXPORT'],
  PREDICTED: ['PREDICT'],
} as const;
export type Dealing = keyof typeof actions | 'OTHER';

const dealing = sql.join(
  [
    sql`CASE`,
    ...Object.entries(actions).map(
      ([name, of]) => sql`WHEN ${events.action} IN ${of} THEN ${sql.raw(`'${name}'`)}`,
    ),
    sql`ELSE 'OTHER' END`,
  ],
  sql` `,
);

export const MOST_ROWS = 1_000;

export type Dealt = {
  readonly dealing: Dealing;
  readonly username: string | null;
  readonly userId: number | null;
  readonly eventCount: number;
  readonly first: string;
  readonly last: string;
};

/** Who did what, how often, and when first and last; the latest first, at most 1,000. */
export const dealtWith = (question: Sql, where: SQL | undefined): Promise<Dealt[]> =>
  execute<Dealt>(
    question,
    sql`
    SELECT ${dealing} AS dealing, ${events.username} AS username, ${events.userId} AS "userId",
           count(*)::float8 AS "eventCount", min(${events.timestamp}) AS first, max(${events.timestamp}) AS last
    FROM ${events} WHERE ${where}
    GROUP BY 1, 2, 3 ORDER BY max(${events.timestamp}) DESC, ${lotSql(sql`coalesce(${events.username}, '')`)} LIMIT ${sql.raw(String(MOST_ROWS))}`,
  );

export type Breach = {
  readonly eventCount: number;
  readonly subjectCount: number;
  readonly types: string[];
  readonly first: string | null;
  readonly last: string | null;
  readonly subjects: readonly Breached[];
};
export type Breached = Subject & {
  readonly eventCount: number;
  readonly types: string[];
  readonly first: string;
  readonly last: string;
};

/** Whose data the events are about, the most concerned first, at most 1,000; what was read of the log counts as well. */
export const breachOf = async (question: Sql, where: SQL | undefined): Promise<Breach> => {
  const [row] = await execute<Breach>(
    question,
    sql`
    WITH chosen AS (SELECT * FROM ${events} WHERE ${where}),
    about AS (
      SELECT subject."resourceType", subject."resourceId", count(*) AS "eventCount",
             array_agg(DISTINCT event_type) AS types, min("timestamp") AS first, max("timestamp") AS last
      FROM chosen, LATERAL (
        SELECT resource_type AS "resourceType", resource_id AS "resourceId"
        WHERE resource_type IS NOT NULL AND resource_id IS NOT NULL AND resource_type <> ${LOG_RESOURCE}
        UNION ALL
        SELECT ${typeIn(sql`text`)}, substr(text, strpos(text, '/') + 1)
        FROM jsonb_array_elements_text(CASE WHEN code = ${READ_CODE} AND jsonb_typeof(metadata -> 'subjects') = 'array'
                                            THEN metadata -> 'subjects' ELSE '[]' END) AS text
      ) AS subject GROUP BY 1, 2
    ), most AS (SELECT * FROM about ORDER BY "eventCount" DESC, "resourceType", "resourceId" LIMIT ${sql.raw(String(MOST_ROWS))})
    SELECT (SELECT count(*)::float8 FROM chosen) AS "eventCount", (SELECT count(*)::float8 FROM about) AS "subjectCount",
           (SELECT coalesce(array_agg(DISTINCT event_type), '{}') FROM chosen) AS types,
           (SELECT min("timestamp") FROM chosen) AS first, (SELECT max("timestamp") FROM chosen) AS last,
           (SELECT coalesce(jsonb_agg(to_jsonb(most) || jsonb_build_object('first', first::text, 'last', last::text)), '[]') FROM most) AS subjects`,
  );
  return { ...row!, subjects: row!.subjects.map(withInstants) };
};

const withInstants = (subject: Breached): Breached => ({
  ...subject,
  first: instantFromPostgres(subject.first),
  last: instantFromPostgres(subject.last),
});
