// Counts those who follow the log, so that a test can tell one that ended from one that leaked. A test file wraps the
// groups of the servers it starts: vi.mock('../../src/live/groups.ts', countingFollowers).

import type * as Module from '../../src/live/groups.ts';

let following = 0;

/** How many follow the log, over all servers of this process. */
export const followers = (): number => following;

export const countingFollowers = async (
  original: () => Promise<unknown>,
): Promise<typeof Module> => {
  const module = (await original()) as typeof Module;
  return {
    ...module,
    createGroups: (...parts) => {
      const groups = module.createGroups(...parts);
      const enter: Module.Groups['enter'] = (want) => {
        const [group, leave] = groups.enter(want);
        following++;
        const left = (): void => {
          following--;
          leave();
        };
        return [group, left];
      };
      return { ...groups, enter };
    },
  };
};
