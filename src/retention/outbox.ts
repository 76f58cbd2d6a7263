// What retention did, told in the log itself. The event is written with the deed, in one transaction, and logged after it;
// what a crash keeps from being logged is logged later, and never twice, since each has an id of its own.

import { ourselves } from '../access/viewer.ts';
import type { Sql } from '../database/connection.ts';
import { canonicalId } from '../events/complete.ts';
import type { EventInput } from '../events/fields.ts';
import type { RetentionResource } from '../events/retention.ts';
import type { Log } from '../ingest/log.ts';
import type { Logger } from '../logger.ts';

/** `about` sets the deed apart from every other one, such as "run-7". */
export type Deed = { readonly about: string; readonly at: Date; readonly event: EventInput };

/** Within the transaction of the deed. */
export const note = async (sql: Sql, { about, at, event }: Deed): Promise<void> => {
  const time = at.toISOString();
  const eventId = canonicalId(event.code!, time, about);
  await sql`INSERT INTO retention_outbox (event) VALUES (${sql.json({ ...event, eventId, timestamp: time } as never)})`;
};

/** What an administrator did about retention. */
export const changedBy = (
  by: string,
  action: string,
  resourceType: RetentionResource,
  resourceId: string,
  { description, changes }: { description: string; changes?: object },
): EventInput => ({
  code: 'ADMIN-005',
  action,
  resourceType,
  resourceId,
  description,
  metadata: { config_section: 'retention', changes, by },
});

const ITSELF = ourselves('retention');

/** Logs what was noted, in its order. */
export const flush = async (sql: Sql, log: Log, logger: Logger): Promise<void> => {
  const noted = await sql<{ id: number; event: EventInput }[]>`
    SELECT id, event FROM retention_outbox ORDER BY id LIMIT 1000`;
  if (noted.length === 0) return;
  const outcomes = await log(
    noted.map(({ event }) => event),
    ITSELF,
  );
  for (const [index, outcome] of outcomes.entries())
    if (outcome.outcome === 'REJECTED')
      logger.error({ event: noted[index]!.event, reason: outcome.rejection.reason }, 'What retention did could not be logged'); // oxfmt-ignore
  await sql`DELETE FROM retention_outbox WHERE id = ANY (${noted.map(({ id }) => id)})`;
};
