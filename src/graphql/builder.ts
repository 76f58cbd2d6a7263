// The schema builder: its context, its scalars. Fields are in the order we write them.

import SchemaBuilder from '@pothos/core';
import type { Keys } from '../access/keys.ts';
import type { Viewer } from '../access/viewer.ts';
import type { Database, Sql } from '../database/connection.ts';
import type { IsGone } from '../database/turns.ts';
import type { Mask } from '../events/mask.ts';
import type { Protection } from '../events/protect.ts';
import type { Seen } from './told.ts';
import type { Log } from '../ingest/log.ts';
import type { Recorder } from '../ingest/record.ts';
import type { Quarantine } from '../ingest/quarantine.ts';
import type { Follow } from '../live/follow.ts';
import type { Logger } from '../logger.ts';
import type { Retention } from '../retention/retention.ts';

/** What resolvers work with: the parts of the server, and who is asking. */
export type Context = {
  readonly viewer: Viewer | null;
  readonly isGone: IsGone;
  readonly database: Database;
  readonly log: Log;
  readonly quarantine: Quarantine;
  readonly protection: Protection;
  /** What of an event is shown to who may not see what is personal. */
  readonly mask: Mask;
  readonly follow: Follow;
  readonly record: Recorder;
  readonly logger: Logger;
  readonly keys: Keys;
  readonly retention: Retention;
  readonly clock: () => Date;
  /** Where a client that comes back over SSE says it stood; it counts before the argument `after`. */
  readonly resumeAfter?: string | undefined;
  /** Why it is asked, where the caller says so. */
  readonly purpose?: string | undefined;
  /** Takes each event of which something personal is answered, and each name or number of a report, where that is to be told. */
  readonly read?: Set<Seen>;
};

/** Asks for the viewer, once it is their turn. */
export const ask = <T>(
  { database, viewer, isGone }: Context,
  work: (question: Sql) => Promise<T>,
): Promise<T> => database.question(viewer!.id, work, isGone);

type Text = { Input: string; Output: string };

export const builder = new SchemaBuilder<{
  Context: Context;
  Scalars: {
    ID: { Input: string; Output: string | number };
    DateTime: Text;
    Duration: Text;
    EventCode: Text;
    TimeZone: Text;
    JSON: { Input: unknown; Output: unknown };
  };
  DefaultFieldNullability: false;
}>({
  defaultFieldNullability: false,
});

builder.queryType({
  description:
    'What happened: events, reports, the catalog (scope `events:read`), and how the log is kept (scope `admin`).',
});
builder.mutationType({
  description:
    'Recording what happened (scope `events:write`), and who may do so, how long it is kept and what becomes of refused events (scope `admin`).',
});
builder.subscriptionType({
  description:
    'Events as they are committed, over graphql-transport-ws or server-sent events. Needs the scope `events:read`.',
});
