// The specification's monitoring reports 2 to 6; the first, recent critical events, is a page of events. With default
// arguments each gives the figures of the document's own SQL, but for what traps Q2, Q4 and Q5 say; a test runs both.

import { type SQL, and, desc, eq, gte, inArray, isNotNull, lt, or, sql } from 'drizzle-orm';
import type { Question } from '../database/connection.ts';
import { events } from '../database/schema.ts';
import { JejakError } from '../errors.ts';
import { securityRelevantCodes } from '../events/catalog.ts';
import { instantFromPostgres } from '../events/time.ts';
import { statusesOfFailure } from '../events/vocabulary.ts';
import type { Instants } from './range.ts';

const count = sql<number>`count(*)::float8`;
const latest = sql<string>`max(${events.timestamp})`.mapWith(instantFromPostgres);

/** The events a report is about: those of a range of time, and of them those that `where` leaves. */
export type Span = Instants & { readonly where?: SQL | undefined };

const within = ({ from, to, where }: Span): SQL | undefined =>
  and(gte(events.timestamp, from), to === undefined ? undefined : lt(events.timestamp, to), where);

/** Rows without a username are left out unless asked for (trap Q2). Most active first. */
export const userActivity = (question: Question, range: Span, includeAnonymous: boolean) =>
  question
    .select({
      username: events.username,
      userId: sql<number | null>`max(${events.userId})`,
      eventCount: count,
      lastActivity: latest,
    })
    .from(events)
    .where(and(within(range), includeAnonymous ? undefined : isNotNull(events.username)))
    .groupBy(events.username)
    .orderBy(desc(count), events.username);

const share = (condition: SQL): SQL<number> =>
  sql<number>`round(count(*) FILTER (WHERE ${condition}) * 100.0 / count(*), 2)::float8`;

/** Rates are in percent. `errorRate` counts ERROR alone, `failureRate` everything that did not succeed (trap Q3). */
export const endpointErrorRates = (question: Question, range: Span, moreThan: number) => {
  const failed = eq(events.status, 'ERROR');
  const errorRate = share(failed);
  return question
    .select({
      endpoint: sql<string>`${events.endpoint}`,
      totalRequests: count,
      errorCount: sql<number>`(count(*) FILTER (WHERE ${failed}))::float8`,
      errorRate,
      failureRate: share(inArray(events.status, [...statusesOfFailure])),
    })
    .from(events)
    .where(and(within(range), isNotNull(events.endpoint)))
    .groupBy(events.endpoint)
    .having(sql`count(*) > ${moreThan}`)
    .orderBy(desc(errorRate), desc(count), events.endpoint);
};

/** A row per type and code (trap Q4); `includeRelated` adds the security-relevant codes of other categories. */
export const securitySummary = (question: Question, range: Span, includeRelated: boolean) =>
  question
    .select({ type: sql<string>`${events.type}`, code: events.code, count, latest })
    .from(events)
    .where(
      and(
        within(range),
        or(
          eq(events.category, 'SECURITY'),
          includeRelated ? inArray(events.code, [...securityRelevantCodes]) : undefined,
        ),
      ),
    )
    .groupBy(events.type, events.code)
    .orderBy(desc(count), events.type, events.code);

const MOST_HOURS = 24 * 400;

/** What float8 takes without an error: digits and blanks of ASCII only, and so few of them that neither the number nor its
 * square, which avg() keeps, leaves the range. */
const NUMBER = String.raw`^[ \t\r\n]*[-+]?([0-9]{1,99}\.?[0-9]{0,99}|\.[0-9]{1,99})([eE][-+]?[0-3]?[0-9])?[ \t\r\n]*$`;

/** A row per hour of the zone, the latest first, hours without predictions included (trap Q5). A confidence that is no
 * number counts as a prediction without one (trap V8). */
export const modelPerformance = async (
  question: Question,
  range: Span,
  timeZone: string,
  now: Date,
) => {
  const to = range.to ?? now.toISOString();
  if (Date.parse(to) - Date.parse(range.from) > MOST_HOURS * 3_600_000)
    throw new JejakError(
      'BAD_USER_INPUT',
      `A report by the hour covers at most ${MOST_HOURS / 24} days; narrow \`range\`.`,
    );
  const hourOf = (instant: SQL): SQL => sql`date_trunc('hour', ${instant}, ${timeZone})`;
  const last = sql`${to}::timestamptz - interval '1 microsecond'`; // `to` itself is not in the range
  const rows = await question.execute<{
    hour: string;
    averageConfidence: number | null;
    predictionCount: number;
  }>(sql`
    WITH prediction AS (
      SELECT ${hourOf(sql`${events.timestamp}`)} AS hour,
             CASE WHEN ${events.responseData} ->> 'confidence' ~ ${NUMBER}
                  THEN (${events.responseData} ->> 'confidence')::float8 END AS confidence
      FROM ${events}
      WHERE ${and(
        within(range),
        eq(events.category, 'PRED'),
        eq(events.type, 'INDIVIDUAL_PREDICTION'),
        eq(events.status, 'SUCCESS'),
      )}
    ), hours AS (
      SELECT ${hourOf(sql`instant`)} AS hour
      FROM generate_series(${range.from}::timestamptz, ${last}, '30 minutes') AS instant
      UNION SELECT ${hourOf(last)} WHERE ${range.from}::timestamptz <= ${last}
      UNION SELECT hour FROM prediction
    )
    SELECT hours.hour::text AS hour, avg(confidence) AS "averageConfidence", count(prediction.hour)::float8 AS "predictionCount"
    FROM hours LEFT JOIN prediction USING (hour) GROUP BY hours.hour ORDER BY hours.hour DESC`);
  return rows.map((row) => ({ ...row, hour: instantFromPostgres(row.hour) }));
};

/** Milliseconds by event name, slowest on average first, with the percentiles that averages hide (trap Q6). */
export const systemPerformance = (question: Question, range: Span) => {
  const averageMs = sql<number>`avg(${events.processingTimeMs})::float8`;
  const percentile = (part: number) =>
    sql<number>`percentile_cont(${sql.raw(String(part))}) WITHIN GROUP (ORDER BY ${events.processingTimeMs})`;
  return question
    .select({
      name: sql<string>`${events.name}`,
      averageMs,
      maxMs: sql<number>`max(${events.processingTimeMs})`,
      p50Ms: percentile(0.5),
      p95Ms: percentile(0.95),
      p99Ms: percentile(0.99),
      requestCount: count,
    })
    .from(events)
    .where(and(within(range), isNotNull(events.processingTimeMs)))
    .groupBy(events.name)
    .orderBy(desc(averageMs), events.name);
};
