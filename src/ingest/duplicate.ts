// What an event is whose id is taken: the same as what is stored, another under its id, or one that has been forgotten.

import { isDeepStrictEqual } from 'node:util';
import type { Sql } from '../database/connection.ts';
import { BATCH_SPAN, eventColumns } from '../database/schema.ts';
import { type Prepared, isServerId } from '../events/complete.ts';
import { type Event, type InputName, fields, inputNames } from '../events/fields.ts';
import { admits } from '../access/narrowing.ts';
import { type Viewer, isTold, may, maySeePersonal } from '../access/viewer.ts';
import { type Outcome, rejected } from './outcome.ts';

export type Existing = Event & {
  readonly seq: number | null;
  readonly key: string | null;
  /** The hash of who supplied its id; null where nobody did. */
  readonly owner: string | null;
};

/** The events that are stored under the ids and may still be seen. */
export const findExisting = async (
  sql: Sql,
  eventIds: readonly string[],
  visible: (event: Event) => boolean,
): Promise<Map<string, Existing>> => {
  const rows = await sql.unsafe<Existing[]>(
    `SELECT ${eventColumns}, batches.seq, batches.key,
            (SELECT owner FROM event_ids WHERE event_ids.event_id = events.event_id) AS owner FROM events
     LEFT JOIN batches ON batches.number = events.id / ${BATCH_SPAN}
     WHERE event_id = ANY ($1::text[])`,
    [eventIds as string[]],
  );
  return new Map(rows.filter(visible).map((row) => [row.eventId, row]));
};

/**
 * A duplicate, a conflict, or expired where nothing is there any more. Who may not see all of the event, or not untold, is told
 * no more of it than was sent: it is theirs and the same as a whole, or another. Of what is not theirs they could find out by
 * trying what it holds. An id of ours, which nobody can guess, who reads no events has from the answer when it was stored.
 */
export const judge = (
  prepared: Prepared,
  existing: Existing | undefined,
  viewer: Viewer,
  sender: string,
): Outcome => {
  const { eventId } = prepared.draft;
  if (!existing)
    return rejected({
      code: 'EXPIRED',
      reason: `An event with \`eventId\` ${eventId} was stored before and its retention has ended.`,
      warnings: prepared.warnings,
    });
  const { seq, key, owner, ...event } = existing;
  const seesAll =
    may(viewer, 'events:read') && maySeePersonal(viewer) && !isTold(viewer) && admits(viewer.narrowing, event); // oxfmt-ignore
  const difference = differenceBetween(prepared, event, !seesAll);
  const isTheirs =
    owner === sender || (owner === null && isServerId(eventId) && !may(viewer, 'events:read'));
  if (difference !== undefined || (!seesAll && !isTheirs)) {
    const whose = seesAll ? `an event whose \`${difference}\` is another` : 'another event';
    return rejected({
      code: 'CONFLICT',
      reason: `\`eventId\` ${eventId} belongs to ${whose}; nothing was overwritten. Use a new \`eventId\` for a new event.`,
      warnings: prepared.warnings,
    });
  }
  const position = seq === null ? null : { seq, place: event.id % BATCH_SPAN, key: key! };
  return { outcome: 'DUPLICATE', event, position, warnings: prepared.warnings };
};

/**
 * The first field in which what the caller says differs from what is stored; what it leaves to the server is not compared.
 * A value that was repaired is the same when what was sent is the same, whatever the repair made of it then. As a `whole` all is
 * compared but the time, which is the server's where none was sent.
 */
const differenceBetween = (
  { draft, supplied }: Prepared,
  stored: Event,
  whole: boolean,
): string | undefined => {
  const [originalNow, originalThen] = [originalOf(draft.metadata), originalOf(stored.metadata)];
  const differs = (name: InputName): boolean => {
    const { column } = fields[name];
    const said = (supplied[name] ?? null) !== null || (whole && name !== 'timestamp');
    if (name === 'metadata')
      return said && !alike(withoutOriginal(draft.metadata), withoutOriginal(stored.metadata));
    return (
      (said || originalNow[column] !== undefined) &&
      !alike(originalNow[column] ?? draft[name], originalThen[column] ?? stored[name])
    );
  };
  return (
    inputNames.find(differs) ??
    Object.keys(whole ? { ...originalThen, ...originalNow } : originalNow).find(
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
