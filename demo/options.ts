// What the person who starts the demo may choose.

import { parseArgs } from 'node:util';

export type Options = {
  /** Events a second, on average. */
  readonly rate: number;
  /** Events in the day that is filled in at the start. */
  readonly day: number;
};

const usage = `Usage: npm run demo -- [--rate 5] [--day 4000]

  --rate  events a second from now on, on average; default 5
  --day   events in the 24 hours that are filled in first; default 4000, 0 for none

  JEJAK_URL  the server to log to; without it the one on PORT, or one that is started here
  JEJAK_KEY  a key with the scopes events:write and events:read; otherwise JEJAK_ADMIN_KEY
`;

/** Throws with the mistake named, and what there is to choose. */
export const readOptions = (args: readonly string[]): Options => {
  try {
    return parseOptions(args);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`, { cause: error });
  }
};

const parseOptions = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: { rate: { type: 'string', default: '5' }, day: { type: 'string', default: '4000' } },
  });
  const rate = Number(values.rate);
  const day = Number(values.day);
  if (!(rate > 0 && rate <= 2000)) throw new Error('--rate must be above 0 and at most 2000.');
  if (!(day >= 0 && day <= 1_000_000)) throw new Error('--day must be from 0 to 1000000.');
  return { rate, day };
};
