// The one way into the log, behind every door: protects and completes what callers sent, stores it through the batcher and says for
// each event, in the order they came, what became of it.

import { isDeepStrictEqual } from 'node:util';
import type { Sql } from '../database/connection.ts';
import { isDataError } from '../database/failures.ts';
import { BATCH_SPAN, eventColumns } from '../database/schema.ts';
import {
  type Prepared,
  type Rejection,
  type Warning,
  complete,
  isRejection,
} from '../events/complete.ts';
import { type Event, type InputName, fields, inputNames } from '../events/fields.ts';
import type { Protected, Protection } from '../events/protect.ts';
import type { RateLimit } from '../access/rate.ts';
import type { Pulse } from '../database/pulse.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { Batcher, Placed } from './batcher.ts';
import type { Quarantine } from './quarantine.ts';

/** Where an event stands in the order of the log. */
export type Position = { readonly seq: number; readonly place: number; readonly key: string };

export type Outcome =
  | {
      readonly outcome: 'STORED' | 'REPAIRED';
      readonly event: Event;
      readonly position: Position;
      readonly warnings: readonly Warning[];
    }
  | {
      readonly outcome: 'DUPLICATE';
      readonly event: Event;
      readonly position: Position | null;
      readonly warnings: readonly Warning[];
    }
  | {
      readonly outcome: 'REJECTED';
      readonly rejection: Rejection;
      readonly warnings: readonly Warning[];
    };

/** Whom the events come from; `replay` where they come out of the quarantine and go back into it only by hand. */
export type Origin = {
  readonly keyId: number;
  readonly keyName: string;
  readonly replay?: boolean;
};

/** Logs the events of one call. Rejects with OVERLOADED or UNAVAILABLE; whatever else is wrong is an outcome. */
export type Log = (sources: readonly unknown[], origin: Origin) => Promise<Outcome[]>;

type LogParts = {
  readonly batcher: Batcher;
  readonly sql: Sql;
  readonly quarantine: Quarantine;
  readonly protect: Protection['protect'];
  readonly pulse: Pulse;
  readonly rateLimit: RateLimit | undefined;
  /** Told after every commit. */
  readonly committed: () => void;
  readonly clock: () => Date;
  readonly logger: Logger;
  readonly metrics: Metrics;
};

/** Makes the log of one server. */
export const createLog = ({
  batcher,
  sql,
  quarantine,
  protect,
  pulse,
  rateLimit,
  committed,
  clock,
  logger,
  metrics,
}: LogParts): Log => {
  /** Stores the events of one call; where the data of one are at fault, the halves apart, until that one stands alone. */
  const store = async (events: readonly Prepared[], owner: number): Promise<Outcome[]> => {
    if (events.length === 0) return [];
    let placed: Placed;
    try {
      placed = await batcher.add(events, owner);
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (events.length === 1) return [unstorable(error as Error)];
      const middle = events.length >> 1;
      return [
        ...(await store(events.slice(0, middle), owner)),
        ...(await store(events.slice(middle), owner)),
      ];
    }
    committed();
    return outcomesOf(placed, events, sql);
  };

  const setAside = async (
    sources: readonly Protected[],
    outcomes: readonly Outcome[],
    keyName: string,
  ): Promise<void> => {
    const refused = outcomes.flatMap((of, index) =>
      of.outcome === 'REJECTED'
        ? [{ source: sources[index]!.source, rejection: of.rejection }]
        : [],
    );
    if (refused.length === 0) return;
    // The callers have the reason all the same.
    await quarantine
      .keep(keyName, refused)
      .catch((error: unknown) => logger.error({ err: error }, 'Refused events could not be kept'));
  };

  return async (sources, { keyId, keyName, replay = false }) => {
    await rateLimit?.(keyId, sources.length);
    const now = clock();
    // Nothing below has what is not to be stored: no queue, no answer, no quarantine.
    const safe = sources.map((source) => protect(source, replay));
    const results = safe.map((each) => warned(complete(each.source, now), each.warnings));
    return pulse.guard(async () => {
      const stored = await store(
        results.filter((result): result is Prepared => !isRejection(result)),
        keyId,
      );
      let next = 0;
      const outcomes = results.map((result) =>
        isRejection(result) ? rejected(result) : stored[next++]!,
      );
      for (const { outcome } of outcomes) metrics.events.inc({ outcome });
      if (!replay) await setAside(safe, outcomes, keyName);
      return outcomes;
    });
  };
};

const warned = (result: Prepared | Rejection, warnings: readonly Warning[]): Prepared | Rejection =>
  warnings.length === 0 || isRejection(result)
    ? result
    : { ...result, warnings: [...warnings, ...result.warnings] };

const rejected = (rejection: Rejection): Outcome => ({
  outcome: 'REJECTED',
  rejection,
  warnings: [],
});
const unstorable = (error: Error): Outcome =>
  rejected({ code: 'UNSTORABLE', reason: `The database refused the event: ${error.message}.` });

const outcomesOf = async (
  { appended, offset }: Placed,
  events: readonly Prepared[],
  sql: Sql,
): Promise<Outcome[]> => {
  const taken = new Set(appended.taken);
  const takenIds = events
    .filter((_, index) => taken.has(offset + index))
    .map((event) => event.draft.eventId);
  const stored =
    takenIds.length === 0 ? new Map<string, Existing>() : await findExisting(sql, takenIds);
  return events.map((prepared, index) => {
    const place = offset + index;
    if (taken.has(place)) return duplicate(prepared, stored.get(prepared.draft.eventId));
    // The draft becomes the event: to copy its columns took 4 % of an event's time.
    const event: Event = Object.assign(prepared.draft, {
      id: appended.number * BATCH_SPAN + place,
      createdAt: appended.createdAt,
      updatedAt: appended.createdAt,
    });
    const position = { seq: appended.seq!, place, key: appended.key };
    const outcome = prepared.warnings.length === 0 ? 'STORED' : 'REPAIRED';
    return { outcome, event, position, warnings: prepared.warnings };
  });
};

type Existing = Event & { readonly seq: number | null; readonly key: string | null };

const findExisting = async (
  sql: Sql,
  eventIds: readonly string[],
): Promise<Map<string, Existing>> => {
  const rows = await sql.unsafe<Existing[]>(
    `SELECT ${eventColumns}, batches.seq, batches.key FROM events
     LEFT JOIN batches ON batches.number = events.id / ${BATCH_SPAN}
     WHERE event_id = ANY ($1::text[])`,
    [eventIds as string[]],
  );
  return new Map(rows.map((row) => [row.eventId, row]));
};

const duplicate = (prepared: Prepared, existing: Existing | undefined): Outcome => {
  const { eventId } = prepared.draft;
  if (!existing)
    return rejected({
      code: 'EXPIRED',
      reason: `An event with eventId ${eventId} was stored before and its retention has ended.`,
    });
  const { seq, key, ...event } = existing;
  const difference = differenceBetween(prepared, event);
  if (difference !== undefined)
    return rejected({
      code: 'CONFLICT',
      reason: `eventId ${eventId} belongs to an event whose \`${difference}\` is another; nothing was overwritten. Use a new eventId for a new event.`,
    });
  const position = seq === null ? null : { seq, place: event.id % BATCH_SPAN, key: key! };
  return { outcome: 'DUPLICATE', event, position, warnings: prepared.warnings };
};

/**
 * The first field in which what the caller says differs from what is stored; what it leaves to the server is not compared.
 * A value that was repaired is the same when what was sent is the same, whatever the repair made of it then.
 */
const differenceBetween = ({ draft, supplied }: Prepared, stored: Event): string | undefined => {
  const [originalNow, originalThen] = [originalOf(draft.metadata), originalOf(stored.metadata)];
  const differs = (name: InputName): boolean => {
    const { column } = fields[name];
    const said = (supplied[name] ?? null) !== null;
    if (name === 'metadata')
      return said && !alike(withoutOriginal(draft.metadata), withoutOriginal(stored.metadata));
    return (
      (said || originalNow[column] !== undefined) &&
      !alike(originalNow[column] ?? draft[name], originalThen[column] ?? stored[name])
    );
  };
  return (
    inputNames.find(differs) ??
    Object.keys(originalNow).find(
      (key) => !columnNames.has(key) && !alike(originalNow[key], originalThen[key]),
    )
  );
};

const columnNames: ReadonlySet<string> = new Set(inputNames.map((name) => fields[name].column));

/** Whether two values are the same once stored: JSON knows neither -0 nor the prototype of an object. */
const alike = (a: unknown, b: unknown): boolean => isDeepStrictEqual(asStored(a), asStored(b));
const asStored = (value: unknown): unknown =>
  value === undefined ? null : JSON.parse(JSON.stringify(value));

const originalOf = (metadata: unknown): Record<string, unknown> =>
  (metadata as { _original?: Record<string, unknown> } | null)?._original ?? {};
const withoutOriginal = (metadata: unknown): unknown => {
  if (typeof metadata !== 'object' || metadata === null || !('_original' in metadata))
    return metadata;
  const { _original, ...rest } = metadata;
  return rest;
};
