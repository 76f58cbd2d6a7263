// One run: servers, load and subscribers, the faults one after the other in an order that the seed decides, and at the
// end the judgement over everything that was sent.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, createRandom } from '../test/support/generate.ts';
import { createAnomalies } from './anomalies.ts';
import { type Arena, openArena } from './arena.ts';
import { type Chain, createChain, judge } from './checker.ts';
import { type Fault, faults } from './faults.ts';
import { startNaive } from './naive.ts';
import type { Server } from './server.ts';
import { startSubscriber } from './subscriber.ts';
import { startLoad } from './writers.ts';

export type Profile = {
  readonly writers: number;
  readonly pauseMs: number;
  /** The share of calls with a single event; the others carry up to a hundred. */
  readonly singles: number;
  /** At least so many events are acknowledged. */
  readonly events: number;
  readonly longestMs: number;
  readonly breathMs: number;
};

// oxfmt-ignore
export const profiles = {
  short: { writers: 4, pauseMs: 60, singles: 1 / 3, events: 5_000, longestMs: 2_500, breathMs: 100 },
  long: { writers: 12, pauseMs: 5, singles: 1 / 8, events: 1_000_000, longestMs: 60_000, breathMs: 1_000 },
} as const satisfies Record<string, Profile>;
export type ProfileName = keyof typeof profiles;

export type Options = {
  readonly profile: ProfileName;
  readonly seed: number;
  /** The faults come again until so much time has passed. */
  readonly minutes?: number | undefined;
  /** No faults and, instead of subscribers, a reader that believes the last id: the checker must find loss. */
  readonly negative?: boolean;
  readonly only?: string | undefined;
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

/** How many events the writers may be ahead of the slowest subscriber. */
const LEAD = 60_000;
const ASK_MS = 250;
/** A subscriber that had nothing for so long will have nothing more. */
const STALLED_MS = 60_000;
/** What callers gave up may still be on its way for a moment. */
const SETTLE_MS = 2_000;
const NEGATIVE_MS = 4_000;

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
  const { longestMs } = profile;
  const opened = await openArena({ seed: options.seed, random, anomalies, longestMs, resources });
  const { history, client, first, second } = opened;
  const servers = [first, second];
  const chain = (name: string): Chain => createChain(name, history, anomalies);

  const readers = resources.use(new AsyncDisposableStack());
  const chains = options.negative
    ? [chain('the naive reader')]
    : servers.map((server) => chain(`the subscriber of ${server.name}`));
  if (options.negative) readers.use(await startNaive(chains[0]!, opened.cluster));
  else
    for (const [index, server] of servers.entries())
      readers.use(startSubscriber(chains[index]!, server, anomalies));
  const arena: Arena = { ...opened, chains };

  const behind = (): number =>
    history.totals.acknowledged - Math.min(...chains.map((of) => of.count()));
  const load = startLoad(Array.from({ length: profile.writers }, opened.writer), servers, {
    seed: options.seed,
    singles: profile.singles,
    pauseMs: options.negative ? 0 : profile.pauseMs,
    hold: () => !options.negative && behind() > LEAD,
  });
  const asking = askAround(servers, arena);

  const happened: Happened[] = [];
  const skipped: string[] = [];
  if (options.negative) await sleep(NEGATIVE_MS);
  else {
    await haunt(arena, {
      ...options,
      random,
      happened,
      skipped,
      until: began.getTime() + (options.minutes ?? 0) * 60_000,
    });
    while (history.totals.acknowledged < profile.events) await sleep(100);
  }

  options.say('Stopping the writers');
  await load.stop();
  await asking.stop();
  await sleep(SETTLE_MS);
  const table = await opened.table();
  if (!options.negative) {
    const whole = chain('a subscriber from the beginning');
    chains.push(whole);
    readers.use(startSubscriber(whole, second, anomalies));
  }
  options.say('Waiting for the subscribers');
  await arrived(chains, table.last(), options.negative ? 1_000 : STALLED_MS);
  await sleep(300); // nothing more may come
  await readers.disposeAsync();
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
  readonly random: Random;
  readonly happened: Happened[];
  readonly skipped: string[];
  readonly until: number;
};

/** The faults in an order of chance; each begins when the one before is over and everybody has caught up. */
const haunt = async (arena: Arena, haunting: Haunting): Promise<void> => {
  const { profile, only, random, happened, skipped, until, say } = haunting;
  const chosen: Fault[] = [];
  for (const fault of faults) {
    const times = only ? Number(only.split(',').includes(fault.row)) * 2 : fault[profile];
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
      happened.push({ fault, recoveredMs, deliveredMs });
      say(
        `${fault.row} ${fault.about}: ${Math.round(recoveredMs)} ms, ${arena.history.totals.acknowledged} acknowledged, ${arena.anomalies.count()} anomalies`,
      );
    }
  } while (Date.now() < until);
};

/** How long until each subscriber has what is acknowledged by now. */
const caughtUp = async ({ history, chains, anomalies }: Arena): Promise<number> => {
  const began = performance.now();
  const position = Math.max(...history.lanes.map((lane) => lane.position.at(-1) ?? 0));
  if (!(await arrived(chains, position, STALLED_MS)))
    for (const { name, last } of chains)
      if (last() < position) anomalies.note('stuck', `${name} stands at ${last()} of ${position}`);
  return performance.now() - began;
};

/** Whether every chain reaches a position, none standing still for so long. */
const arrived = async (
  chains: readonly Chain[],
  position: number,
  stalledMs: number,
): Promise<boolean> => {
  const behind = () => chains.filter((chain) => chain.last() < position);
  const counted = () => behind().reduce((sum, chain) => sum + chain.count(), 0);
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
