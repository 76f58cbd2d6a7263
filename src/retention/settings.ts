// What an administrator may set: how long events of a severity or a code are kept, and holds. Each change is told in the log.

import type { Sql } from '../database/connection.ts';
import { JejakError } from '../errors.ts';
import { definitionOf } from '../events/catalog.ts';
import { bytesOf } from '../events/cut.ts';
import { CLEANUP_CODE, oldestKept } from '../events/retention.ts';
import { mendText } from '../events/text.ts';
import { type Severity, severities } from '../events/vocabulary.ts';
import { type EventFilter, filterBounds, filterSql, filterTest, settled } from '../query/filter.ts';
import { changedBy, note } from './outbox.ts';

export type Rule = {
  /** A severity or a code. */
  readonly target: string;
  readonly days: number;
  readonly setAt: string;
  readonly setBy: string;
};

export type Hold = {
  readonly id: number;
  readonly name: string;
  readonly reason: string;
  readonly filter: EventFilter;
  readonly placedAt: string;
  readonly placedBy: string;
  readonly releasedAt: string | null;
  readonly releasedBy: string | null;
};

export const MAX_DAYS = 36_500;
/** Each costs every question that reaches behind the periods. */
export const MAX_HOLDS = 100;
const NAME_MAX = 100;
const REASON_MAX = 2_000;
const FILTER_MAX_BYTES = 16 * 1024;

export const listRules = (sql: Sql): Promise<Rule[]> =>
  sql<
    Rule[]
  >`SELECT target, days, set_at AS "setAt", set_by AS "setBy" FROM retention_rules ORDER BY target`;

/** Sets the days of a severity or a code; null goes back to the document's. */
export const setRule = async (
  sql: Sql,
  target: string,
  days: number | null,
  by: string,
  clock: () => Date,
): Promise<void> => {
  if (!isSeverity(target) && !definitionOf(target))
    throw new JejakError('BAD_USER_INPUT', `"${target}" is neither a severity nor a code of the catalog.`); // oxfmt-ignore
  if (target === CLEANUP_CODE)
    throw new JejakError('BAD_USER_INPUT', `${CLEANUP_CODE} tells of removals and is always kept as long as the longest period.`); // oxfmt-ignore
  if (days !== null && (days < 1 || days > MAX_DAYS))
    throw new JejakError('BAD_USER_INPUT', `Events are kept 1 to ${MAX_DAYS} days.`);
  await sql.begin(async (transaction) => {
    const within = transaction as unknown as Sql;
    // One change at a time, so that what is told of it is what it was.
    const [{ version }] = await within<[{ version: number }]>`
      SELECT version FROM retention_policy FOR UPDATE`;
    const now = clock(); // while it waited, a run may have removed what expired meanwhile
    const [before] = await within<{ days: number }[]>`
      SELECT days FROM retention_rules WHERE target = ${target}`;
    const [were, are] = [before?.days, days].map((set) => set ?? documentDays(target));
    if (were !== undefined && (are ?? Infinity) > were)
      await within`
        INSERT INTO retention_gone (target, "until") VALUES (${target}, ${oldestKept(were, now).toISOString()})
        ON CONFLICT (target) DO UPDATE SET "until" = greatest(retention_gone."until", excluded."until")`;
    if (days === null) await within`DELETE FROM retention_rules WHERE target = ${target}`;
    else
      await within`
        INSERT INTO retention_rules (target, days, set_at, set_by) VALUES (${target}, ${days}, ${now.toISOString()}, ${by})
        ON CONFLICT (target) DO UPDATE SET days = excluded.days, set_at = excluded.set_at, set_by = excluded.set_by`;
    await note(within, {
      about: `rule-${version}`,
      at: now,
      event: changedBy(by, 'UPDATE', 'RETENTION_RULE', target, {
        description: days === null ? `Events of ${target} are kept as the specification says.` : `Events of ${target} are kept ${days} days.`, // oxfmt-ignore
        changes: { days: { from: before?.days ?? null, to: days } },
      }),
    });
  });
};

/** Undefined for a code: without a rule its events are kept as their severity is. */
const documentDays = (target: string): number | undefined =>
  isSeverity(target) ? severities[target].retentionDays : undefined;
export const isSeverity = (target: string): target is Severity => target in severities;

const columns = (sql: Sql) =>
  sql`id, name, reason, filter, placed_at AS "placedAt", placed_by AS "placedBy", released_at AS "releasedAt", released_by AS "releasedBy"`;

/** The latest first. */
export const listHolds = (sql: Sql, released: boolean): Promise<Hold[]> =>
  sql<Hold[]>`
    SELECT ${columns(sql)} FROM holds ${released ? sql`` : sql`WHERE released_at IS NULL`} ORDER BY id DESC`;

export const placeHold = async (
  sql: Sql,
  wanted: Pick<Hold, 'name' | 'reason' | 'filter'>,
  by: string,
  now: Date,
): Promise<Hold> => {
  const [name, reason] = [textOf('name', wanted.name, NAME_MAX), textOf('reason', wanted.reason, REASON_MAX)]; // oxfmt-ignore
  const filter = settled(wanted.filter, now);
  filterTest(filter, now); // throws where it cannot be meant
  const bounds = filterBounds(filter);
  if (bounds.severities?.length === 0 || bounds.categories?.length === 0)
    throw new JejakError('BAD_USER_INPUT', 'No event can match this filter, so that it would hold nothing; an empty list means none.'); // oxfmt-ignore
  if (bytesOf(filter) > FILTER_MAX_BYTES)
    throw new JejakError('BAD_USER_INPUT', `The filter of a hold, which is told in the log, has at most ${FILTER_MAX_BYTES} bytes as JSON; place several.`); // oxfmt-ignore
  if (!filterSql(filter, now))
    throw new JejakError('BAD_USER_INPUT', 'A hold needs a filter with at least one key; `minSeverity: DEBUG` is everything.'); // oxfmt-ignore
  return sql.begin(async (transaction) => {
    const within = transaction as unknown as Sql;
    await within`SELECT FROM retention_policy FOR UPDATE`;
    const [{ count, taken }] = await within<[{ count: number; taken: boolean }]>`
      SELECT count(*), coalesce(bool_or(name = ${name}), false) AS taken FROM holds WHERE released_at IS NULL`;
    if (taken) throw new JejakError('BAD_USER_INPUT', `There is a hold "${name}"; release it first, or take another name.`); // oxfmt-ignore
    if (count >= MAX_HOLDS) throw new JejakError('BAD_USER_INPUT', `At most ${MAX_HOLDS} holds are in force at a time; release one, or make the filter of one wider.`); // oxfmt-ignore
    const [hold] = await within<[Hold]>`
      INSERT INTO holds (name, reason, filter, placed_at, placed_by)
      VALUES (${name}, ${reason}, ${within.json(filter as never)}, ${now.toISOString()}, ${by}) RETURNING ${columns(sql)}`;
    await note(within, {
      about: `hold-${hold.id}`,
      at: now,
      event: changedBy(by, 'HOLD', 'RETENTION_HOLD', String(hold.id), {
        description: `The hold "${name}" was placed: ${reason}`,
        changes: { filter },
      }),
    });
    return hold;
  });
};

/** Undefined where there is no such hold in force. */
export const releaseHold = (
  sql: Sql,
  id: number,
  by: string,
  now: Date,
): Promise<Hold | undefined> =>
  sql.begin(async (transaction) => {
    const within = transaction as unknown as Sql;
    const [hold] = await within<Hold[]>`
      UPDATE holds SET released_at = ${now.toISOString()}, released_by = ${by}
      WHERE id = ${id} AND released_at IS NULL RETURNING ${columns(sql)}`;
    if (hold)
      await note(within, {
        about: `release-${hold.id}`,
        at: now,
        event: changedBy(by, 'RELEASE', 'RETENTION_HOLD', String(hold.id), {
          description: `The hold "${hold.name}" was released; what it kept goes at the next run.`,
          changes: { filter: hold.filter },
        }),
      });
    return hold;
  });

const textOf = (what: string, text: string, most: number): string => {
  const trimmed = mendText(text).trim();
  if (trimmed === '' || trimmed.length > most)
    throw new JejakError('BAD_USER_INPUT', `The ${what} of a hold has 1 to ${most} characters.`);
  return trimmed;
};
