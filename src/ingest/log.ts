// The one way into the log, behind every door: protects and completes what callers sent, stores it through the batcher and says for
// each event, in the order they came, what became of it.

import type { Sql } from '../database/connection.ts';
import { inTime, isDataError } from '../database/failures.ts';
import { BATCH_SPAN } from '../database/schema.ts';
import {
  type Prepared,
  type Rejection,
  type Warning,
  complete,
  isRejection,
} from '../events/complete.ts';
import { bytesOf } from '../events/cut.ts';
import type { Event } from '../events/fields.ts';
import type { Hash } from '../events/privacy.ts';
import type { Protected, Protection } from '../events/protect.ts';
import { admits, narrowingKeys } from '../access/narrowing.ts';
import type { RateLimit } from '../access/rate.ts';
import { type Viewer, isOurs } from '../access/viewer.ts';
import type { Pulse } from '../database/pulse.ts';
import type { Room } from '../database/room.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { Policy } from '../retention/policy.ts';
import { isVisible } from '../retention/visible.ts';
import { attribute } from './attribute.ts';
import type { Backpressure } from './backpressure.ts';
import type { Appended } from './append.ts';
import type { Batcher, Placed } from './batcher.ts';
import { type Existing, findExisting, judge } from './duplicate.ts';
import { type Outcome, isRejected, rejected } from './outcome.ts';
import type { Quarantine } from './quarantine.ts';

/**
 * Logs the events of one call, which come from the viewer. Rejects with OVERLOADED or UNAVAILABLE; whatever else is wrong is an
 * outcome. `replay` where they come out of the quarantine, saying who acted, and go back into it only by hand.
 */
export type Log = (
  sources: readonly unknown[],
  viewer: Viewer,
  options?: { readonly replay?: boolean },
) => Promise<Outcome[]>;

type LogParts = {
  readonly backpressure: Backpressure;
  readonly batcher: Batcher;
  /** Of the disk, where that is the embedded database's. */
  readonly room?: Room | undefined;
  readonly sql: Sql;
  readonly quarantine: Quarantine;
  readonly protect: Protection['protect'];
  readonly hash: Hash;
  readonly pulse: Pulse;
  readonly rateLimit: RateLimit;
  readonly clock: () => Date;
  /** What is kept, and for how long. */
  readonly kept: () => Policy;
  readonly logger: Logger;
  readonly metrics: Metrics;
};

/** Makes the log of one server. */
export const createLog = ({
  backpressure,
  batcher,
  room,
  sql,
  quarantine,
  protect,
  hash,
  pulse,
  rateLimit,
  clock,
  kept,
  logger,
  metrics,
}: LogParts): Log => {
  /** Stores the events of one call; where the data of one are at fault, the halves apart, until that one stands alone. */
  const store = async (events: readonly Prepared[], viewer: Viewer): Promise<Outcome[]> => {
    if (events.length === 0) return [];
    let placed: Placed;
    // Who a token is for may be a person, whom nothing stored is to name.
    const owner = events.some(({ named }) => named) ? hash(viewer.id) : '';
    try {
      placed = await batcher.add(events, viewer.id, owner);
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (events.length === 1) return [unstorable(error as Error, events[0]!)];
      const middle = events.length >> 1;
      return [
        ...(await store(events.slice(0, middle), viewer)),
        ...(await store(events.slice(middle), viewer)),
      ];
    }
    const existing = await existingAmong(placed, events);
    return outcomesOf(placed, events, existing, viewer, owner);
  };

  /** What is stored under the ids that were taken. */
  const existingAmong = ({ appended, offset }: Placed, events: readonly Prepared[]) => {
    const ids = appended.taken.flatMap((place) => events[place - offset]?.draft.eventId ?? []);
    const visible = (event: Event): boolean => isVisible(kept(), event, clock());
    return ids.length > 0 ? inTime(findExisting(sql, ids, visible)) : undefined;
  };

  const setAside = async (
    sources: readonly Protected[],
    outcomes: readonly Outcome[],
    keyName: string,
  ): Promise<void> => {
    const refused = outcomes.flatMap((of, index) =>
      isRejected(of) ? [{ source: sources[index]!.source, rejection: of.rejection }] : [],
    );
    // The callers have the reason all the same.
    await quarantine
      .keep(keyName, refused)
      .catch((error: unknown) => logger.error({ err: error }, 'Refused events could not be kept'));
  };

  return async (sent, viewer, { replay = false } = {}) => {
    await rateLimit(viewer, sent.length);
    const now = clock();
    const { periods } = kept();
    const { forced } = viewer;
    const attributed =
      forced && !replay ? sent.map((each) => attribute(each, forced, hash)) : undefined;
    // Nothing below has what is not to be stored: no queue, no answer, no quarantine.
    const sources = sent.map((each, index) => protect(attributed?.[index]?.source ?? each, replay));
    const results = sources.map(({ source, warnings }, index) =>
      within(
        viewer,
        warned(complete(source, now, periods, hash), warnings, attributed?.[index]?.claimed),
      ),
    );
    const bytes = results.reduce(
      (sum, result, index) =>
        sum + (isRejection(result) ? bytesOf(sources[index]!.source) : result.bytes),
      0,
    );
    return pulse.guard(async () => {
      room?.assert(isOurs(viewer));
      // Until all is done: to keep what was refused and to read what is a duplicate is work, too.
      using _place = backpressure.admit(viewer.id, sent.length, bytes);
      const stored = await store(
        results.filter((result): result is Prepared => !isRejection(result)),
        viewer,
      );
      let next = 0;
      const outcomes = results.map((result) =>
        isRejection(result) ? rejected(result) : stored[next++]!,
      );
      for (const [outcome, events] of tally(outcomes)) metrics.events.inc({ outcome }, events);
      if (!replay && outcomes.some(isRejected)) await setAside(sources, outcomes, viewer.name);
      return outcomes;
    });
  };
};

/** With the warnings of its protection, and one for each field that was claimed and is not the caller's to say. */
const warned = (
  result: Prepared | Rejection,
  before: readonly Warning[],
  claimed: readonly string[] = [],
): Prepared | Rejection => {
  if (before.length + claimed.length === 0) return result;
  const message =
    'is not the caller’s to say and was replaced; what was sent is kept in metadata.claimed';
  const warnings = claimed.map((field) => ({ field, message }));
  return { ...result, warnings: [...before, ...result.warnings, ...warnings] };
};

/** The event, or that it is none the viewer may log. */
const within = (
  { narrowing, name }: Viewer,
  result: Prepared | Rejection,
): Prepared | Rejection => {
  if (!narrowing || isRejection(result) || admits(narrowing, result.draft)) return result;
  return {
    code: 'FORBIDDEN',
    reason: `"${name}" may not log such an event; its \`${narrowingKeys.filter((key) => narrowing[key]).join('`, `')}\` must be within what the key is for.`,
    warnings: result.warnings,
  };
};

const tally = (outcomes: readonly Outcome[]): Map<Outcome['outcome'], number> => {
  const counts = new Map<Outcome['outcome'], number>();
  for (const { outcome } of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return counts;
};

const unstorable = ({ message }: Error, { warnings }: Prepared): Outcome =>
  rejected({
    code: 'UNSTORABLE',
    reason: `The database refused the event: ${message}.`,
    warnings,
  });

const outcomesOf = (
  { appended, offset }: Placed,
  events: readonly Prepared[],
  existing: ReadonlyMap<string, Existing> | undefined,
  viewer: Viewer,
  owner: string,
): Outcome[] => {
  const taken = new Set(appended.taken);
  return events.map((prepared, index) =>
    taken.has(offset + index)
      ? judge(prepared, existing?.get(prepared.draft.eventId), viewer, owner)
      : storedAt(prepared, appended, offset + index),
  );
};

const storedAt = (
  { draft, warnings }: Prepared,
  { number, createdAt, seq, key }: Appended,
  place: number,
): Outcome => {
  // The draft becomes the event: to copy its columns took 4 % of an event's time.
  const event: Event = Object.assign(draft, {
    id: number * BATCH_SPAN + place,
    createdAt,
    updatedAt: createdAt,
  });
  const position = { seq: seq!, place, key };
  return { outcome: warnings.length === 0 ? 'STORED' : 'REPAIRED', event, position, warnings };
};
