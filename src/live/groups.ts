// Subscribers who want the same are one group: what comes is tested, packed and later put into words once for all of them.
// At the head they wait together for the next page; behind it pages are read, at most a few at a time in the process, and
// shared by those who stand at the same place.

import type { Event } from '../events/fields.ts';
import { BATCH_SPAN } from '../database/schema.ts';
import { JejakError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Reader } from './reader.ts';
import { BESIDE, type Pace, createPace } from './pace.ts';
import type { Head, Need, Stretch } from './read-batches.ts';

/** An event and where it stands. */
export type Placed = {
  readonly event: Event;
  readonly seq: number;
  readonly place: number;
  readonly key: string;
};

/** What subscribers want, and in which form. */
export type Want = {
  /** The same for those who want the same. */
  readonly key: string;
  readonly wanted: (event: Event) => boolean;
  readonly need: Need;
  readonly pack: (found: Found) => readonly Payload[];
};
export type Found = {
  readonly events: readonly Placed[];
  readonly end: Head;
  /** Whether these were committed before the subscription had caught up. */
  readonly replay: boolean;
  /** How long ago the last of the events was committed, in milliseconds; 0 where there are none. */
  readonly lagMs: number;
};
export type Payload = { readonly cursor: string };

/** Where a subscriber stands: it has had all up to `seq`, and of the batch after it what is up to `place`, -1 for nothing. */
export type Stand = Head & { readonly place: number };
export type Page = {
  readonly payloads: readonly Payload[];
  /** The same in parts of little work, for one who is behind. */
  readonly parts?: readonly (readonly Payload[])[];
  readonly end: Stand;
  /** How many events there are up to its end, and about how much was read for it. */
  readonly passed: number;
  readonly bytes: number;
};

export type Group = {
  /** What comes after a place; at the head it is waited for. */
  readonly after: (at: Stand, replay: boolean) => Promise<Page>;
};

export type Groups = Disposable & {
  readonly size: () => number;
  /** How many subscribers there are. */
  readonly members: () => number;
  readonly pace: Pick<Pace, 'holdsBack' | 'rest'>;
  /** Joins the group of those who want the same; the function that is returned leaves it. */
  readonly enter: (want: Want) => readonly [Group, leave: () => void];
};

const CHECKPOINT_MS = 15_000;
const TICK_MS = 1_000;
/** The greatest Int of GraphQL, 24 days. */
const MAX_LAG_MS = 2 ** 31 - 1;
/** Pages that were read lately, in the whole process. The last one stays whatever its size, and none is given so long after
 * it was read: what is in it may have expired. */
const RECENT = { pages: 32, bytes: 32 * 2 ** 20, ms: 5_000 };

export const createGroups = (reader: Reader, metrics: Metrics): Groups => {
  const groups = new Map<string, { readonly group: LiveGroup; members: number }>();
  const recent = new Map<string, { readonly page: Promise<Page>; readAt: number; bytes: number }>();
  const pace = createPace(reader.underWay);
  const unwatch = reader.watch({
    came: ({ passed }) => pace.grew(passed),
    replaced: () => {},
  });

  const ticking = setInterval(() => {
    for (const { group } of groups.values()) group.checkpoint();
  }, TICK_MS);

  const forgetOld = (): void => {
    let bytes = 0;
    for (const [age, [name, page]] of [...recent].toReversed().entries()) {
      bytes += page.bytes;
      if (age > 0 && (age >= RECENT.pages || bytes > RECENT.bytes)) recent.delete(name);
    }
  };

  /** Reads a page, or shares one that was read lately. */
  const recall = (want: Want, at: Stand, replay: boolean): Promise<Page> => {
    const name = `${reader.replacements()} ${at.seq}.${at.place} ${replay} ${want.key}`;
    const known = recent.get(name);
    if (known && performance.now() - known.readAt < RECENT.ms) return known.page;
    recent.delete(name);
    const read = async (need: Need = {}): Promise<Page & { found: number }> =>
      pageOf(want, at, await reader.after(at, { ...want.need, ...need }), replay);
    const readBehind = async (atOnce?: number): Promise<Page> => {
      const page = await read({ atOnce, rest: pace.rest });
      return { ...page, parts: partsOf(page.payloads, Math.ceil(page.found / BESIDE.events)) };
    };
    const behind = !reader.remembers(at.seq);
    if (behind) metrics.replays.inc();
    const page = behind ? pace.inTurn(readBehind) : read();
    const entry = { page, readAt: Infinity, bytes: 0 };
    recent.set(name, entry);
    const sized = ({ bytes }: Page): void => {
      entry.bytes = bytes;
      entry.readAt = performance.now();
      forgetOld();
    };
    page.then(sized, () => recent.delete(name));
    return page;
  };

  return {
    pace,
    size: () => groups.size,
    members: () => [...groups.values()].reduce((sum, { members }) => sum + members, 0),
    enter: (want) => {
      const entry = groups.get(want.key) ?? {
        group: createGroup(want, reader, recall, pace.served),
        members: 0,
      };
      groups.set(want.key, entry);
      entry.members++;
      const leave = (): void => {
        if (--entry.members > 0) return;
        groups.delete(want.key);
        entry.group[Symbol.dispose]();
        if (groups.size === 0) recent.clear();
      };
      return [entry.group, leave];
    },
    [Symbol.dispose]: () => {
      unwatch();
      clearInterval(ticking);
    },
  };
};

type LiveGroup = Group & Disposable & { readonly checkpoint: () => void };
type Recall = (want: Want, at: Stand, replay: boolean) => Promise<Page>;

const createGroup = (want: Want, reader: Reader, recall: Recall, served: () => void): LiveGroup => {
  // Nothing that is wanted came after `since`, so that all who stand there or further wait for the same page.
  let since = reader.head().seq;
  let begun = Date.now();
  let next = awaited();
  let isAwaited = false;

  const finish = (page: Page): void => {
    const { resolve } = next;
    if (isAwaited) served();
    isAwaited = false;
    since = page.end.seq;
    begun = Date.now();
    next = awaited();
    resolve(page);
  };
  const fail = (error: unknown): void => {
    const { reject } = next;
    since = reader.head().seq;
    next = awaited();
    reject(error);
  };
  const unwatch = reader.watch({
    came: (stretch) => {
      try {
        const page = pageOf(want, { seq: since, key: '', place: -1 }, stretch, false);
        if (page.found > 0) finish(page);
      } catch (error) {
        fail(error); // the other groups go on
      }
    },
    replaced: () => fail(replaced()),
  });

  return {
    checkpoint: () => {
      if (Date.now() - begun < CHECKPOINT_MS) return;
      const stretch = { batches: [], end: reader.head(), passed: 0 };
      finish(pageOf(want, { ...stretch.end, place: -1 }, stretch, false));
    },
    after: (at, replay) => {
      if (at.place < 0 && at.seq >= since) {
        isAwaited = true;
        return next.promise;
      }
      const page = recall(want, at, replay);
      // While this one is being sent the one after it is read.
      void page
        .then(({ end }) => (end.seq < since ? recall(want, end, replay) : undefined))
        .catch(() => {});
      return page;
    },
    [Symbol.dispose]: unwatch,
  };
};

const awaited = (): PromiseWithResolvers<Page> => {
  const waiting = Promise.withResolvers<Page>();
  waiting.promise.catch(() => {}); // there may be nobody who waits
  return waiting;
};

const pageOf = (
  { wanted, pack }: Want,
  at: Stand,
  { batches, end, passed, broken }: Stretch,
  replay: boolean,
): Page & { readonly found: number } => {
  if (broken) throw broken === 'expired' ? expired() : replaced();
  const events: Placed[] = [];
  for (const { seq, key, events: logged } of batches)
    for (const event of logged) {
      const place = event.id % BATCH_SPAN;
      if ((seq > at.seq + 1 || place > at.place) && wanted(event))
        events.push({ event, seq, place, key });
    }
  const last = batches.find(({ seq }) => seq === events.at(-1)?.seq);
  const lagMs = Math.round(Date.now() - (last?.committedAt ?? Infinity));
  const payloads = pack({ events, end, replay, lagMs: Math.min(Math.max(0, lagMs), MAX_LAG_MS) });
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes, 0);
  return { payloads, end: { ...end, place: -1 }, passed, bytes, found: events.length };
};

const partsOf = <T>(all: readonly T[], count: number): (readonly T[])[] => {
  if (count <= 1) return [all];
  const size = Math.ceil(all.length / count);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, part) =>
    all.slice(part * size, (part + 1) * size),
  );
};

export const expired = (): JejakError =>
  new JejakError(
    'CURSOR_EXPIRED',
    'What came after the cursor is no longer kept; subscribe anew after "earliest" or from now.',
  );

export const replaced = (): JejakError =>
  new JejakError(
    'CURSOR_INVALID',
    'The cursor is not of this log, which may have been restored from a backup; list what was missed with a query, then subscribe anew.',
  );
