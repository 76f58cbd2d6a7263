// The sockets that watch and the one who writes, together: what is written is expected on every socket whose filter it
// passes, and what arrives is held against that.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Watch, Watched, Writing } from '../watch.ts';
import { createCaller } from './caller.ts';
import { createLedger } from './ledger.ts';
import { createSockets } from './sockets.ts';

const PROBES = 20;
const PROBE_MS = 1_000;
/** After what was waited for, in case more comes. */
const GRACE_MS = 300;
const PATIENCE_MS = 60_000;
const LOOK_MS = 5;
const RETRY_MS = 50;

export type Crowd = Disposable & {
  readonly open: () => Promise<void>;
  readonly write: (writing: Writing) => void;
  readonly finish: () => Promise<Watched>;
  readonly resumed: () => Promise<number[]>;
};

export const createCrowd = (watch: Watch): Crowd => {
  const { groups, templates } = watch;
  let failure: Error | undefined;
  const fail = (error: unknown): void => void (failure ??= error as Error);
  const ledger = createLedger(groups, watch.sockets);
  const sockets = createSockets(watch, ledger, fail);
  const caller = createCaller(watch.url, watch.key);
  let writing = false;
  let closing = false;
  let written = Promise.resolve();
  let lastNumber = 0;
  let calls = 0;
  let begun = { at: 0, cpu: 0 };

  /** Waits until it is so, something failed, or patience ends. */
  const until = async (reached: () => boolean, withinMs = PATIENCE_MS): Promise<void> => {
    const deadline = performance.now() + withinMs;
    while (!failure && !reached() && performance.now() < deadline) await sleep(LOOK_MS);
    if (failure) throw failure;
  };
  const untilArrived = () => until(() => ledger.missing() <= 0);

  /** Sends events that do not count, at least one for every filter, until each socket has had one. */
  const probe = async (): Promise<void> => {
    const events = probesOf(watch).map((template) => eventOf(template, 0));
    for (let count = 0; count < PROBES && !sockets.probed(); count++) {
      await caller.send(events);
      await until(sockets.probed, PROBE_MS);
    }
    if (!sockets.probed()) throw new Error('Not every socket hears what is logged.');
    await until(() => sockets.quietMs() > GRACE_MS);
  };

  const call = async ({ eventsPerCall, insistent = false }: Writing): Promise<void> => {
    const numbers = Array.from({ length: eventsPerCall }, () => ++lastNumber);
    const events = numbers.map((number) => {
      const id = insistent ? `"eventId":"watched-${number}",` : '';
      return eventOf(id + templates[number % templates.length]!, number);
    });
    ledger.send(numbers);
    await (insistent ? insist(events) : caller.send(events));
    ledger.acknowledge(numbers);
    calls++;
  };

  const insist = async (events: readonly string[]): Promise<void> => {
    while (!closing)
      try {
        return await caller.send(events);
      } catch {
        await sleep(RETRY_MS);
      }
  };

  const inTurn = async (order: Writing): Promise<void> => {
    while (writing && !failure) {
      await call(order);
      await untilArrived();
    }
  };
  const atRate = async (order: Writing, callsPerSecond: number): Promise<void> => {
    const underWay: Promise<void>[] = [];
    while (writing && !failure) {
      const due = ((performance.now() - begun.at) / 1000) * callsPerSecond;
      while (underWay.length < due) underWay.push(call(order).catch(fail));
      await sleep(1);
    }
    await Promise.all(underWay);
  };

  return {
    open: async () => {
      await sockets.open();
      await probe();
    },
    write: (order) => {
      begun = { at: performance.now(), cpu: cpuSeconds() };
      calls = 0;
      ledger.take();
      writing = true;
      const { callsPerSecond } = order;
      const writes = callsPerSecond === undefined ? inTurn(order) : atRate(order, callsPerSecond);
      written = writes.catch(fail);
    },
    finish: async () => {
      writing = false;
      await written;
      await untilArrived();
      const seconds = (performance.now() - begun.at) / 1000;
      await until(() => sockets.quietMs() > GRACE_MS);
      ledger.verify();
      return { ...ledger.take(), seconds, calls, cpuSeconds: cpuSeconds() - begun.cpu };
    },
    resumed: async () => {
      await until(() => !sockets.resumedAt().includes(undefined));
      return sockets.resumedAt().map((at) => at ?? Infinity);
    },
    [Symbol.dispose]: () => {
      closing = true;
      sockets[Symbol.dispose]();
      caller[Symbol.dispose]();
    },
  };
};

/** The number comes last; 0 does not count. */
const eventOf = (template: string, number: number): string =>
  `{${template},"processingTimeMs":${number}}`;

/** One template at least that passes each filter. */
const probesOf = ({ groups, templates }: Watch): string[] => {
  const chosen = new Set<number>();
  for (const { passes } of groups)
    if (![...chosen].some((index) => passes[index])) chosen.add(passes.indexOf(true));
  return [...chosen].map((index) => templates[index]!);
};

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
