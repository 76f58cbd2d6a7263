// Load on a server: so many connections, each with one call under way at all times. The generator is a process of its own
// and says how busy it was, so that a figure which is the generator's can be told from one which is the server's.

import { startPeer } from './messages.ts';
import type { Running } from './contender.ts';
import { usage } from './processor.ts';

export type Load = {
  readonly name: string;
  readonly path: string;
  readonly connections: number;
  /** The bodies of the calls, sent in turn. */
  readonly bodies: readonly string[];
  /** Events that each call adds. */
  readonly eventsPerCall: number;
  /** A text that every answer has when all went well. */
  readonly expect: string;
  /** The status that every answer has; 200 where nothing else is said. */
  readonly status?: number;
};

/** For the generator: a load, on whom, and for how long. */
export type Order = Load & {
  readonly url: string;
  readonly key: string;
  readonly warmUpSeconds: number;
  readonly seconds: number;
};

/** Latencies from the writing of a call to the last byte of its answer. */
export type Generated = {
  readonly calls: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuSeconds: number;
};

export type Measured = {
  readonly eventsPerSecond: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Shares of one core. `othersCpu` is what the machine did that is not of the benchmark. */
  readonly serverCpu: number;
  readonly postgresCpu: number;
  readonly generatorCpu: number;
  readonly othersCpu: number;
  readonly eventsPerCommit: number;
};

const generatorFile = new URL('./generator.ts', import.meta.url);

export const putLoad = async (
  load: Load,
  server: Running,
  timing: { readonly warmUpSeconds: number; readonly seconds: number },
  signal: AbortSignal,
): Promise<Measured> => {
  await using generator = startPeer(generatorFile, signal);
  const before = await contents(server);
  await generator.ask('warmUp', { ...load, ...timing, url: server.url, key: server.key });
  const begin = { server: await server.cpuSeconds(), ...(await usage(server.postmaster)) };
  const generated = await generator.ask<Generated>('measure');
  const end = { server: await server.cpuSeconds(), ...(await usage(server.postmaster)) };
  const answered = await generator.ask<number>('finish');
  const after = await contents(server);

  const acknowledged = answered * load.eventsPerCall;
  const stored = after.events - before.events;
  if (stored !== acknowledged)
    throw new Error(`${acknowledged} events were acknowledged and ${stored} are in the log.`);
  const { calls, seconds, p50Ms, p99Ms } = generated;
  const serverCpu = (end.server - begin.server) / seconds;
  const postgresCpu = (end.postgres - begin.postgres) / seconds;
  const generatorCpu = generated.cpuSeconds / seconds;
  const machineCpu = (end.machine - begin.machine) / seconds;
  return {
    eventsPerSecond: (calls * load.eventsPerCall) / seconds,
    callsPerSecond: calls / seconds,
    p50Ms,
    p99Ms,
    serverCpu,
    postgresCpu,
    generatorCpu,
    othersCpu: Math.max(0, machineCpu - serverCpu - postgresCpu - generatorCpu),
    eventsPerCommit: stored / (after.batches - before.batches),
  };
};

const contents = async (server: Running) => ({
  events: await server.count('SELECT count(*) FROM events'),
  batches: await server.count('SELECT count(*) FROM batches'),
});
