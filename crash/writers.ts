// The load: writers that log events of their own through every door, in calls of any size, to whichever server answers,
// and send what was not acknowledged again with the same ids. Some events carry no id; those are sent once. Some callers
// lose patience early and try elsewhere while the first try is still under way.

import { setTimeout as sleep } from 'node:timers/promises';
import type { EventInput } from '../src/events/fields.ts';
import { createRandom, generateEvents } from '../test/support/generate.ts';
import { type Client, type Door, doors } from './client.ts';
import { type MarkedEvent, mark } from './event.ts';
import type { History } from './history.ts';
import type { Address } from './server.ts';

export type Writer = {
  readonly next: (changes?: Partial<EventInput>) => MarkedEvent;
  /** Logs events until each that has an id is acknowledged. */
  readonly insist: (events: readonly MarkedEvent[], servers: readonly Address[]) => Promise<void>;
};

const LARGEST_CALL = 100;
const UNNAMED_SHARE = 0.1;
const IMPATIENT_SHARE = 0.02;
const PAUSE_MS = 40;

/** A writer has a lane of its own in the history, of which `from` events are there already. */
export const createWriter = (
  seed: number,
  history: Pick<History, 'openLane'>,
  client: Client,
  from = 0,
): Writer => {
  const lane = history.openLane();
  const random = createRandom(seed * 7919 + lane);
  const source = generateEvents({
    seed: seed * 104_729 + lane,
    count: 1e9,
    now: new Date(),
    spanMs: 60_000,
  });
  let sequence = from;
  const send = (server: Address, events: readonly MarkedEvent[]) => {
    const door: Door = events.length === 1 ? random.pick(doors) : random.pick(doors.slice(1));
    const patience = random.chance(IMPATIENT_SHARE) ? 20 + random.below(200) : undefined;
    return client.log(server, door, events, patience);
  };
  return {
    next: (changes = {}) => {
      const own = random.chance(UNNAMED_SHARE) ? {} : { eventId: `${seed}-${lane}-${sequence}` };
      return mark({ ...source.next().value!, ...own, ...changes }, lane, sequence++);
    },
    insist: async (events, servers) => {
      let left = events;
      let server = random.pick(servers);
      while (left.length > 0) {
        const answer = await send(server, left);
        if ('results' in answer) return;
        if (!('silence' in answer && answer.silence === 'down'))
          left = left.filter((event) => event.eventId);
        server = random.pick(servers);
        await sleep(PAUSE_MS + random.below(PAUSE_MS));
      }
    },
  };
};

export type Load = {
  /** Resolves when everything that was begun is acknowledged. */
  readonly stop: () => Promise<unknown>;
};

type LoadOptions = {
  readonly seed: number;
  readonly singles: number;
  readonly pauseMs: number;
  readonly hold: () => boolean;
};

/** Writers that go on until they are stopped; `hold` makes them wait. */
export const startLoad = (
  writers: readonly Writer[],
  servers: readonly Address[],
  { seed, singles, pauseMs, hold }: LoadOptions,
): Load => {
  let stopped = false;
  const run = async (writer: Writer, index: number): Promise<void> => {
    const random = createRandom(seed + index);
    while (!stopped) {
      const size = random.chance(singles) ? 1 : 1 + random.below(LARGEST_CALL);
      await writer.insist(
        Array.from({ length: size }, () => writer.next()),
        servers,
      );
      do await sleep(pauseMs);
      while (hold() && !stopped);
    }
  };
  const running = Promise.all(writers.map(run));
  return {
    stop: () => {
      stopped = true;
      return running;
    },
  };
};
