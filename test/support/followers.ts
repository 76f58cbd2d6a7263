// Counts the followers that wait at the head of the log, so that a test can tell one that ended from one that leaked. A
// test file wraps the reader of the servers it starts: vi.mock('../../src/live/reader.ts', countingParked).

import type * as Module from '../../src/live/reader.ts';

let parked = 0;

/** How many followers wait at the head, over all readers of this process. */
export const parkedFollowers = (): number => parked;

export const countingParked = async (original: () => Promise<unknown>): Promise<typeof Module> => {
  const module = (await original()) as typeof Module;
  return {
    ...module,
    createReader: (...parts) => {
      const reader = module.createReader(...parts);
      const park = (): Module.Parked => {
        const waiting = reader.park();
        parked++;
        void waiting.moved.then(() => parked--);
        return waiting;
      };
      return { ...reader, park };
    },
  };
};
