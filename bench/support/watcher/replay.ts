// One socket that reads the log from its beginning until it has had so many events.

import type { Replay, Replayed } from '../watch.ts';
import { createFrames } from './frames.ts';
import { subscribe } from './subscribe.ts';

export const replay = async ({ events, ...watch }: Replay): Promise<Replayed> => {
  const read = createFrames();
  const begun = performance.now();
  const done = Promise.withResolvers<Replayed>();
  let [count, sum] = [0, 0];
  const hear = (bytes: Buffer): void => {
    for (const number of read(bytes).numbers) {
      if (number === 0 || count === events) continue; // events that do not count, and what was logged meanwhile
      count++;
      sum += number;
    }
    if (count === events) done.resolve({ seconds: (performance.now() - begun) / 1000, sum });
  };
  const { close, ended } = subscribe({ ...watch, variables: { after: 'earliest' } }, (bytes) => {
    try {
      hear(bytes);
    } catch (error) {
      done.reject(error);
    }
  });
  void ended.then(done.reject);
  return await done.promise.finally(close);
};
