// The cast of the profile `live`: writers and readers in processes of their own, which come through one door that leads to
// whichever server lives, and a bystander in this process straight at each server. Processes keep journals, which are
// read here.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EARLIEST } from '../src/live/cursor.ts';
import { createRandom } from '../test/support/generate.ts';
import { type Actor, createActor } from './actor.ts';
import type { Anomalies } from './anomalies.ts';
import { type Chain, createChain } from './checker.ts';
import { markOf } from './event.ts';
import { type History, positionOf } from './history.ts';
import { tailJournal } from './journal.ts';
import type { Read, ReaderSettings } from './processes/reader.ts';
import type { WriterSettings, Written } from './processes/writer.ts';
import { startProxy } from './proxy.ts';
import type { Cast, Casting } from './run.ts';
import type { Server } from './server.ts';
import { startSubscriber } from './subscriber.ts';
import { type SubscriptionName, subscriptions } from './subscriptions.ts';

const READERS = 2;
const names = Object.keys(subscriptions) as SubscriptionName[];
const NEGATIVE_ROUNDS = 3;
const NEGATIVE_PAUSE_MS = 500;
const NOBODY = 1; // a port on which nobody listens

export const castLive = async (casting: Casting): Promise<Cast> => {
  const { stage, options, profile, anomalies, resources } = casting;
  const { history, first, second } = stage;
  const servers = [first, second];
  const { port } = resources.use(await openDoor(servers, options.seed));

  const writers = Array.from({ length: profile.writers }, () => createWriterProcess(casting, port));
  const readers = Array.from({ length: READERS }, (_, index) =>
    createReaderProcess(casting, port, index),
  );
  const enterAll = (): void => writers.forEach(({ enter }) => enter());
  const bystanders = servers.map((server) => {
    const chain = createChain(`the bystander of ${server.name}`, history, anomalies);
    const knowing = knowingWriters(chain, history, enterAll);
    return { chain, socket: resources.use(startSubscriber(knowing, server, anomalies)) };
  });
  for (const { actor } of [...writers, ...readers]) {
    resources.use(actor);
    actor.start();
  }
  return {
    followers: [...readers, ...bystanders.map(({ chain }) => chain)],
    writers: writers.map(({ actor }) => actor),
    readers: readers.map(({ actor }) => actor),
    stopWriting: async () => {
      await Promise.all(writers.map(({ actor }) => actor.stop('SIGTERM')));
      enterAll();
    },
    stopReading: async () => {
      await Promise.all(readers.map(({ actor }) => actor.stop('SIGKILL')));
      await Promise.all(bystanders.map(({ socket }) => socket[Symbol.asyncDispose]()));
    },
    chains: (table) => [
      ...bystanders.map(({ chain }) => chain),
      ...readers.map(({ name, read }) =>
        told(createChain(name, history, anomalies), read(), table, anomalies),
      ),
    ],
    err: () => Promise.all(readers.map(killAgainAndAgain)),
  };
};

/** Leads to a living server by chance. */
const openDoor = (servers: readonly Server[], seed: number) => {
  const random = createRandom(seed);
  return startProxy(() => {
    const living = servers.map((server) => server.url()).filter((url) => url !== undefined);
    const port = living.length > 0 ? Number(new URL(random.pick(living)).port) : NOBODY;
    return { host: '127.0.0.1', port };
  });
};

const createWriterProcess = (casting: Casting, port: number) => {
  const { stage, options, profile, anomalies } = casting;
  const lane = stage.history.openLane();
  const journal = join(stage.cluster.directory, `writer-${lane}.journal`);
  const settings: WriterSettings = {
    journal,
    lane,
    url: `http://127.0.0.1:${port}`,
    seed: options.seed + lane,
    singles: profile.singles,
    pauseMs: profile.pauseMs,
  };
  const tail = tailJournal<Written>(journal);
  return {
    actor: createActor(`writer ${lane}`, 'writer', settings, anomalies),
    enter: () => {
      for (const entry of tail()) enter(entry, lane, stage.history, anomalies);
    },
  };
};

/** Enters into the history what a writer did. */
const enter = (entry: Written, writer: number, history: History, { note }: Anomalies): void => {
  if ('kind' in entry) note(entry.kind, entry.text);
  else if ('sent' in entry) for (const { metadata } of entry.sent) history.sent(metadata, entry.at);
  else if (!history.acknowledged({ ...entry, writer }, entry.position, entry.at))
    note('altered', `${writer}-${entry.sequence} was answered with two positions`);
};

const createReaderProcess = (
  { stage, options, anomalies }: Casting,
  port: number,
  index: number,
) => {
  const journal = join(stage.cluster.directory, `reader-${index}.journal`);
  const settings: ReaderSettings = {
    journal,
    url: `ws://127.0.0.1:${port}/graphql`,
    subscription: names[index % names.length]!,
    memory: options.negative ? (index % 2 === 0 ? 'none' : 'some') : 'all',
  };
  const name = `reader ${index} of ${settings.subscription}`;
  const tail = tailJournal<Read>(journal);
  let [count, last] = [0, 0];
  const look = (): void => {
    const read = tail();
    count += read.reduce((sum, { events }) => sum + events.length, 0);
    last = standing(read.at(-1)) ?? last;
  };
  return {
    name,
    actor: createActor(name, 'reader', settings, anomalies),
    read: tailJournal<Read>(journal),
    count: () => (look(), count),
    last: () => (look(), last),
  };
};

const standing = (read: Read | undefined): number | undefined =>
  read && (read.cursor === EARLIEST ? 0 : positionOf(read.cursor));

/** A chain that hears of an event only when the history knows who wrote it. */
const knowingWriters = (chain: Chain, { lanes }: History, enterAll: () => void): Chain => ({
  ...chain,
  deliver: (event, position) => {
    const mark = markOf(event);
    if (mark && mark.sequence >= (lanes[mark.writer]?.hash.length ?? 0)) enterAll();
    chain.deliver(event, position);
  },
});

/** Tells a chain what a reader read. The place of an event is that in the table; what the reader promised itself by each
 * cursor must agree with it: everything up to there was had, and nothing after it. */
const told = (chain: Chain, read: readonly Read[], table: Chain, { note }: Anomalies): Chain => {
  let stood = 0;
  for (const each of read) {
    for (const event of each.events) {
      const mark = markOf(event);
      const position = (mark && table.met[mark.writer]?.[mark.sequence]) ?? 0;
      if (position <= stood) note('reordered', `${chain.name}, ${position} came after ${stood}`);
      chain.deliver(event, position);
    }
    stood = standing(each)!;
    if (stood < chain.last())
      note('reordered', `${chain.name} stands at ${stood}, before its events`);
  }
  return chain;
};

/** The negative control: a reader that remembers too little, killed whenever it has read something. */
const killAgainAndAgain = async ({ actor, count }: { actor: Actor; count: () => number }) => {
  for (let round = 0; round < NEGATIVE_ROUNDS; round++) {
    for (const had = count(); count() === had;) await sleep(20);
    await actor.stop('SIGKILL');
    await sleep(NEGATIVE_PAUSE_MS);
    actor.start();
  }
  for (const had = count(); count() === had;) await sleep(20);
};
