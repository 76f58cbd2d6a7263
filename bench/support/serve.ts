// The process of a server under test: starts it when asked, and tells what it costs.

import { Session } from 'node:inspector/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Answers, answering } from './messages.ts';

/** What a server needs to know to start; each has a database of its own. Without a port it takes a free one. */
export type Place = { readonly databaseUrl: string; readonly key: string; readonly port?: string };
export type Serving = AsyncDisposable & { readonly url: string };

const SAMPLE_MICROS = 250;
/** Buffers are given back by the collection after that of what held them. */
const COLLECTIONS = 3;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** `more` is what this process answers besides. */
export const serve = (start: (place: Place) => Promise<Serving>, more: Answers = {}): void => {
  let serving: Serving | undefined;
  const inspector = new Session();
  let connected = false;
  answering(
    {
      ...more,
      start: async (place: Place) => {
        serving = await start(place);
        return serving.url;
      },
      /** Microseconds of processor time since the process began. */
      cpu: () => {
        const { user, system } = process.cpuUsage();
        return user + system;
      },
      /** Bytes of resident memory. */
      memory: () => process.memoryUsage.rss(),
      /** The same without garbage. */
      memoryInUse: () => {
        for (let times = 0; times < COLLECTIONS; times++) collect();
        return process.memoryUsage.rss();
      },
      profile: async () => {
        if (!connected) inspector.connect();
        connected = true;
        await inspector.post('Profiler.enable');
        await inspector.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROS });
        await inspector.post('Profiler.start');
      },
      profiled: async () => (await inspector.post('Profiler.stop')).profile,
    },
    async () => serving?.[Symbol.asyncDispose](),
  );
};
