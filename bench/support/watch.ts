// Sockets that watch the log while somebody writes into it, in one process with one clock. Every event carries a number,
// and each socket is held to the count and the sum of the numbers that it should have had: what is lost or comes twice is
// an error of the benchmark, not a better figure.

import type { EventInput } from '../../src/events/fields.ts';
import type { Running } from './contender.ts';
import { renamed } from './loads.ts';
import { type Peer, startPeer } from './messages.ts';
import { type Usage, usage } from './processor.ts';
import { sampleRows } from './writers.ts';

/** Any of these values, for each column that is named. */
export type Filter = Readonly<Record<string, readonly (string | number)[]>>;

/** What the watcher's process is told to open. */
export type Watch = {
  readonly url: string;
  readonly key: string;
  readonly document: string;
  readonly sockets: number;
  /** The sockets have them in turn. */
  readonly groups: readonly Group[];
  /** Events as JSON without the braces; event `n` is made from the one at `n % templates.length`. */
  readonly templates: readonly string[];
  /** Sockets that are closed come back after a random part of so many seconds, with their cursors. */
  readonly comeBackSeconds?: number;
};
/** A filter, and which of the templates it lets pass. */
export type Group = { readonly filter: Filter; readonly passes: readonly boolean[] };

export type Writing = {
  readonly eventsPerCall: number;
  /** Without it, the next call is sent when the last one's events have arrived everywhere. */
  readonly callsPerSecond?: number;
  /** Events have ids of ours, and a call that fails is sent again until it is answered. */
  readonly insistent?: boolean;
};

export type Latency = { readonly p50Ms: number; readonly p99Ms: number };
export type Watched = {
  readonly seconds: number;
  readonly calls: number;
  /** Those with events in them. */
  readonly frames: number;
  /** Events times the sockets that had them. */
  readonly deliveries: number;
  /** To the arrival of a frame, with the first of its events, from the writing of that one's call. */
  readonly fromSending: Latency;
  /** The same from the arrival of the acknowledgement; 0 where the frame came first. */
  readonly fromAnswer: Latency;
  readonly cpuSeconds: number;
};

/** One socket from the beginning of the log until it has had so many events. */
export type Replay = Omit<Watch, 'sockets' | 'groups' | 'templates'> & { readonly events: number };
export type Replayed = { readonly seconds: number; readonly sum: number };

const FIELDS = 'eventId code category name severity username timestamp processingTimeMs';
/** Each asks for the same fields of an event. */
export const documents = {
  eventLogged: `subscription Watch($filter: EventFilter, $after: String) { eventLogged(filter: $filter, after: $after) { event { ${FIELDS} } cursor } }`,
  eventStream: `subscription Watch($filter: EventFilter, $after: String) { eventStream(filter: $filter, after: $after) { events { ${FIELDS} } cursor replay lagMs } }`,
} as const;
export type Door = keyof typeof documents;

/** The rival's sockets cannot come back. */
export const rivalDocument = documents.eventLogged
  .replace(', $after: String', '')
  .replace(', after: $after', '');

const USERS = 100;
/** Complete, because the rival knows no catalog; the number of an event comes last. */
const events = sampleRows(USERS).map(({ draft: { eventId: _made, ...draft } }, index) => {
  const { processingTimeMs: _none, ...event } = draft;
  return { ...event, userId: index + 1 };
});
const templates = events.map((event) => JSON.stringify(renamed(event, (name) => name)).slice(1, -1)); // oxfmt-ignore

const groupOf = (filter: Filter): Group => ({
  filter,
  passes: events.map((event) =>
    Object.entries(filter).every(([name, values]) =>
      values.includes((event as EventInput)[name as keyof EventInput] as string),
    ),
  ),
});

const TENTH = USERS / 10;
/** What the sockets want: one filter that lets all pass, or a hundred which let a tenth pass each. */
export const crowds = {
  alike: [groupOf({ severity: [...new Set(events.map(({ severity }) => severity))] })],
  different: events.map((_, first) =>
    groupOf({ userId: Array.from({ length: TENTH }, (__, step) => ((first + step) % USERS) + 1) }),
  ),
} as const;

export type Watcher = AsyncDisposable & {
  /** Opens the sockets, and is done when each has had an event. */
  readonly open: (watch: Crowd) => Promise<void>;
  readonly write: (writing: Writing) => Promise<void>;
  /** Lets everything arrive, and fails if a socket had other than it should. */
  readonly finish: () => Promise<Watched>;
  readonly replay: (door: Door, events: number) => Promise<Replayed>;
  /** When each socket had its first event after it came back, in milliseconds since 1970. */
  readonly resumed: () => Promise<number[]>;
};
export type Crowd = Pick<Watch, 'document' | 'sockets' | 'groups' | 'comeBackSeconds'>;

const watcherFile = new URL('./watcher.ts', import.meta.url);

export const startWatcher = ({ url, key }: Running, signal: AbortSignal): Watcher => {
  const peer: Peer = startPeer(watcherFile, signal);
  return {
    open: (crowd) => peer.ask('open', { ...crowd, url, key, templates } satisfies Watch),
    write: (writing) => peer.ask('write', writing),
    finish: () => peer.ask('finish'),
    replay: (door, count) =>
      peer.ask('replay', { url, key, document: documents[door], events: count } satisfies Replay),
    resumed: () => peer.ask('resumed'),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
};

export const sleep = (seconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, seconds * 1000));

export type Costing = Watched & {
  readonly serverSeconds: number;
  /** Of one core, by others than the benchmark. */
  readonly othersCpu: number;
};

/** Writes for so long, and says what it cost until the last frame had arrived. */
export const writeFor = async (
  seconds: number,
  writing: Writing,
  watcher: Watcher,
  server: Running,
): Promise<Costing> => {
  const before = await costs(server);
  await watcher.write(writing);
  await sleep(seconds);
  const watched = await watcher.finish();
  const after = await costs(server);
  const serverSeconds = after.server - before.server;
  const postgres = after.postgres - before.postgres;
  const known = serverSeconds + postgres + watched.cpuSeconds;
  const othersCpu = Math.max(0, (after.machine - before.machine - known) / watched.seconds);
  return { ...watched, serverSeconds, othersCpu };
};

const costs = async (server: Running): Promise<Usage & { server: number }> => ({
  server: await server.cpuSeconds(),
  ...(await usage(server.postmaster)),
});
