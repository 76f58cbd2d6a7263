// One run: servers, load and subscribers, the faults one after the other in an order that the seed decides, and at the
// end the judgement over everything that was sent.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, createRandom } from '../test/support/generate.ts';
import { type Anomalies, createAnomalies } from './anomalies.ts';
import { type Arena, type Follower, type Stage, openStage } from './arena.ts';
import { type Chain, createChain, judge } from './checker.ts';
import { castHere } from './here.ts';
import { type Fault, faults } from './faults.ts';
import { castLive } from './live.ts';
import type { Server } from './server.ts';
import { startSubscriber } from './subscriber.ts';

export type Profile = {
  readonly cast: (casting: Casting) => Promise<Cast>;
  readonly writers: number;
  readonly pauseMs: number;
  /** The share of calls with a single event; the others carry up to a hundred. */
  readonly singles: number;
  /** At least so many events are acknowledged. */
  readonly events: number;
  readonly longestMs: number;
  readonly breathMs: number;
  /** How soon events are delivered again after a fault of the database. */
  readonly promisedMs: number;
};

// oxfmt-ignore
export const profiles = {
  short: { cast: castHere, writers: 4, pauseMs: 60, singles: 1 / 3, events: 5_000, longestMs: 2_500, breathMs: 100, promisedMs: Infinity },
  long: { cast: castHere, writers: 12, pauseMs: 5, singles: 1 / 8, events: 1_000_000, longestMs: 60_000, breathMs: 1_000, promisedMs: Infinity },
  live: { cast: castLive, writers: 2, pauseMs: 60, singles: 1 / 3, events: 0, longestMs: 5_000, breathMs: 300, promisedMs: 3_000 },
} as const satisfies Record<string, Profile>;
export type ProfileName = keyof typeof profiles;

export type Casting = {
  readonly stage: Stage;
  readonly options: Options;
  readonly profile: Profile;
  readonly anomalies: Anomalies;
  readonly resources: AsyncDisposableStack;
};

/** Who writes and who follows. */
export type Cast = Pick<Arena, 'followers' | 'writers' | 'readers'> & {
  /** Resolves when everything that was begun is acknowledged. */
  readonly stopWriting: () => Promise<unknown>;
  readonly stopReading: () => Promise<unknown>;
  /** What each follower was sent. */
  readonly chains: (table: Chain) => readonly Chain[];
  /** What the negative control does in place of the faults. */
  readonly err: () => Promise<unknown>;
};

export type Options = {
  readonly profile: ProfileName;
  readonly seed: number;
  /** The faults come again until so much time has passed. */
  readonly minutes?: number | undefined;
  /** No faults, and followers that make the mistakes everybody makes: the checker must find loss. */
  readonly negative?: boolean;
  readonly only?: string | undefined;
  /** The most that each fault happens. */
  readonly most?: number | undefined;
  readonly say: (text: string) => void;
  /** Ends the run early; what it started is stopped all the same. */
  readonly signal?: AbortSignal;
};

export type Happened = {
  readonly fault: Fault;
  readonly recoveredMs: number;
  readonly deliveredMs: number;
};
export type Report = {
  readonly options: Options;
  readonly began: Date;
  readonly seconds: number;
  readonly calls: number;
  readonly refused: number;
  readonly silent: number;
  readonly slowestMs: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly stored: number;
  readonly delivered: number;
  readonly happened: readonly Happened[];
  readonly skipped: readonly string[];
  readonly anomalies: number;
  readonly lost: number;
  readonly examples: readonly string[];
};

const ASK_MS = 250;
/** A subscriber that had nothing for so long will have nothing more. */
const STALLED_MS = 60_000;
/** What callers gave up may still be on its way for a moment. */
const SETTLE_MS = 2_000;
/** The rows of faults in which the database or the way to it fails. */
const databaseRows = new Set(['A2', 'A3', 'B1', 'B2']);

export const run = async (options: Options): Promise<Report> => {
  await using resources = new AsyncDisposableStack();
  const { signal } = options;
  const ended = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });
  return await Promise.race([trial(options, resources), ended]);
};

const trial = async (options: Options, resources: AsyncDisposableStack): Promise<Report> => {
  const began = new Date();
  const profile = profiles[options.profile];
  const random = createRandom(options.seed);
  const anomalies = createAnomalies(options.negative ? undefined : options.say);
  const { longestMs, promisedMs } = profile;
  const stage = await openStage({ seed: options.seed, random, anomalies, longestMs, resources });
  const { history, client, first, second } = stage;
  const cast = await profile.cast({ stage, options, profile, anomalies, resources });
  const arena: Arena = { ...stage, ...cast };
  const asking = askAround([first, second], arena);

  const happened: Happened[] = [];
  const skipped: string[] = [];
  if (options.negative) await cast.err();
  else {
    const until = began.getTime() + (options.minutes ?? 0) * 60_000;
    await haunt(arena, { ...options, promisedMs, random, happened, skipped, until });
    while (history.totals.acknowledged < profile.events) await sleep(100);
  }

  options.say('Stopping the writers');
  await cast.stopWriting();
  await asking.stop();
  await sleep(SETTLE_MS);
  const table = await stage.table();
  const whole = createChain('a subscriber from the beginning', history, anomalies);
  const latecomer = resources.use(startSubscriber(whole, second, anomalies));
  options.say('Waiting for the subscribers');
  const patienceMs = options.negative ? 1_000 : STALLED_MS;
  await arrived([...cast.followers, whole], table.last(), patienceMs);
  await sleep(300); // nothing more may come
  await Promise.all([cast.stopReading(), latecomer[Symbol.asyncDispose]()]);
  const chains = [...cast.chains(table), whole];
  judge(history, table, chains, anomalies);

  const { calls, refused, silent, slowestMs } = client.totals;
  return {
    options,
    began,
    seconds: (Date.now() - began.getTime()) / 1_000,
    calls,
    refused,
    silent,
    slowestMs,
    ...history.totals,
    stored: table.count(),
    delivered: chains.reduce((sum, of) => sum + of.count(), 0),
    happened,
    skipped,
    anomalies: anomalies.count(),
    lost: anomalies.count('lost'),
    examples: anomalies.examples(),
  };
};

type Haunting = Options & {
  readonly promisedMs: number;
  readonly random: Random;
  readonly happened: Happened[];
  readonly skipped: string[];
  readonly until: number;
};

/** The faults in an order of chance; each begins when the one before is over and everybody has caught up. */
const haunt = async (arena: Arena, haunting: Haunting): Promise<void> => {
  const { profile, only, most = Infinity, random, happened, skipped, until, say } = haunting;
  const chosen: Fault[] = [];
  for (const fault of faults) {
    const wanted = only ? Number(only.split(',').includes(fault.row)) * 2 : fault[profile];
    const times = Math.min(wanted, most);
    if (times === 0) continue;
    if (await (fault.possible?.() ?? true))
      chosen.push(...Array.from({ length: times }, () => fault));
    else skipped.push(`${fault.row}, ${fault.about}: not possible here`);
  }
  do {
    for (const fault of shuffled(chosen, random)) {
      await sleep(random.below(2 * profiles[profile].breathMs));
      const recoveredMs = await fault.act(arena);
      const deliveredMs = await caughtUp(arena);
      const happening = { fault, recoveredMs, deliveredMs };
      happened.push(happening);
      expectSoon(happening, arena, haunting.promisedMs);
      say(
        `${fault.row} ${fault.about}: ${Math.round(recoveredMs)} ms, delivered ${Math.round(deliveredMs)} ms later, ${arena.history.totals.acknowledged} acknowledged, ${arena.anomalies.count()} anomalies`,
      );
    }
  } while (Date.now() < until);
};

const expectSoon = (
  { fault, recoveredMs, deliveredMs }: Happened,
  { anomalies, client }: Arena,
  promisedMs: number,
): void => {
  const spentMs = recoveredMs + deliveredMs;
  if (databaseRows.has(fault.row) && spentMs > promisedMs + client.lateMs())
    anomalies.note('late', `${fault.about}: ${Math.round(spentMs)} ms`);
};

/** How long until each follower has what is acknowledged by now. */
const caughtUp = async ({ history, followers, anomalies }: Arena): Promise<number> => {
  const began = performance.now();
  const position = Math.max(...history.lanes.map((lane) => lane.position.at(-1) ?? 0));
  if (!(await arrived(followers, position, STALLED_MS)))
    for (const { name, last } of followers)
      if (last() < position) anomalies.note('stuck', `${name} stands at ${last()} of ${position}`);
  return performance.now() - began;
};

/** Whether every follower reaches a position, none standing still for so long. */
const arrived = async (
  followers: readonly Follower[],
  position: number,
  stalledMs: number,
): Promise<boolean> => {
  const behind = () => followers.filter(({ last }) => last() < position);
  const counted = () => behind().reduce((sum, follower) => sum + follower.count(), 0);
  let [count, moved] = [counted(), performance.now()];
  while (behind().length > 0) {
    if (performance.now() > moved + stalledMs) return false;
    await sleep(20);
    if (counted() !== count) [count, moved] = [counted(), performance.now()];
  }
  return true;
};

/** Questions, for they are owed an answer as soon. */
const askAround = (servers: readonly Server[], { client }: Arena) => {
  let stopped = false;
  const running = Promise.all(
    servers.map(async (server) => {
      while (!stopped) {
        await client.look(server);
        await client.ask(server, '{ events(first: 5) { edges { node { eventId severity } } } }');
        await sleep(ASK_MS);
      }
    }),
  );
  return { stop: () => ((stopped = true), running) };
};

const shuffled = <T>(items: readonly T[], random: Random): T[] =>
  items
    .map((item) => ({ item, at: random.number() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
