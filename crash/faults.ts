// The faults, a line each: its name, what happens, how often in each profile, and how many processes it
// kills.

import type { Arena } from './arena.ts';
import { killReader, killWriter } from './faults/clients.ts';
import {
  dropPartitions,
  killBackend,
  killEverything,
  killPostmaster,
  stopImmediately,
  stopTheWorld,
} from './faults/database.ts';
import { fillDisk, mountable } from './faults/disk.ts';
import {
  cutDatabaseOff,
  deliverThrice,
  endListening,
  hangUp,
  loseNotifications,
  swallowPackets,
} from './faults/network.ts';
import {
  endImpatiently,
  joinAndLeave,
  killBoth,
  killServer,
  startTogether,
} from './faults/processes.ts';

export type Fault = {
  readonly row: string;
  readonly about: string;
  readonly short: number;
  readonly long: number;
  readonly live: number;
  readonly kills: number;
  /** Lets it happen and waits until it is over; how long service took to resume, in ms. */
  readonly act: (arena: Arena) => Promise<number>;
  /** Whether it can be done on this machine. */
  readonly possible?: () => Promise<boolean>;
};

// oxfmt-ignore
export const faults: readonly Fault[] = [
  { row: 'A1', about: 'a server killed', short: 1, long: 12, live: 20, kills: 1, act: killServer },
  { row: 'A1', about: 'both servers killed', short: 0, long: 4, live: 2, kills: 2, act: killBoth },
  { row: 'A2', about: 'a backend of PostgreSQL killed', short: 1, long: 9, live: 3, kills: 1, act: killBackend },
  { row: 'A2', about: 'the postmaster killed', short: 0, long: 6, live: 1, kills: 1, act: killPostmaster },
  { row: 'A2', about: 'the postmaster and its children killed', short: 1, long: 6, live: 2, kills: 1, act: killEverything },
  { row: 'A2', about: 'PostgreSQL stopped at once', short: 0, long: 0, live: 3, kills: 1, act: stopImmediately },
  { row: 'A3', about: 'PostgreSQL stopped', short: 1, long: 2, live: 1, kills: 0, act: stopTheWorld },
  { row: 'A3', about: 'connections that carry nothing', short: 0, long: 2, live: 2, kills: 0, act: swallowPackets },
  { row: 'A4', about: 'disk full', short: 0, long: 2, live: 0, kills: 0, act: fillDisk, possible: mountable },
  { row: 'A5', about: 'a third server joins, the first leaves', short: 0, long: 3, live: 0, kills: 0, act: joinAndLeave },
  { row: 'A6', about: 'SIGTERM twice, then SIGKILL', short: 1, long: 5, live: 0, kills: 1, act: endImpatiently },
  { row: 'A8', about: 'empty partitions dropped', short: 1, long: 3, live: 0, kills: 0, act: dropPartitions },
  { row: 'A9', about: 'two servers start on nothing, both are killed', short: 0, long: 3, live: 0, kills: 2, act: startTogether },
  { row: 'B1', about: 'database away', short: 1, long: 3, live: 3, kills: 0, act: cutDatabaseOff },
  { row: 'B2', about: 'every notification lost', short: 1, long: 3, live: 3, kills: 0, act: loseNotifications },
  { row: 'B2', about: 'the listening connection ended', short: 1, long: 3, live: 3, kills: 0, act: endListening },
  { row: 'B3', about: 'a request delivered three times', short: 1, long: 4, live: 0, kills: 0, act: deliverThrice },
  { row: 'B4', about: 'a writer killed', short: 0, long: 0, live: 20, kills: 1, act: killWriter },
  { row: 'B4', about: 'a reader killed, twice', short: 0, long: 0, live: 20, kills: 2, act: killReader },
  { row: 'B4', about: 'callers gone after sending', short: 1, long: 4, live: 0, kills: 0, act: hangUp },
];
