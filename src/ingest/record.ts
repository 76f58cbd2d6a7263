// What viewers do with the log, told in the log itself, whatever they may log themselves.

import { type Viewer, ourselves } from '../access/viewer.ts';
import { JejakError } from '../errors.ts';
import { bytesOf, cut, cutValues } from '../events/cut.ts';
import type { EventInput } from '../events/fields.ts';
import { fields } from '../events/fields.ts';
import { cutText, isKeyed, mendJson } from '../events/text.ts';
import type { Log } from './log.ts';

/** What was done, and with what. */
type Deed = EventInput & { readonly requestData: Readonly<Record<string, unknown>> };

/** Logs what a viewer did, under its name; resolves after the commit. Rejects as the log does. */
export type Recorder = (viewer: Viewer, deed: Deed) => Promise<void>;

/** Who logs it: not the viewer, whose key may be narrowed to other events, or limited. */
const recorder = ourselves('jejak');

/** Of each part of what was asked, in an event whose JSON has at most 32 KB. */
const MOST_BYTES = 6_000;

export const createRecord =
  (log: Log): Recorder =>
  async ({ name, forced }, { requestData, ...deed }) => {
    const username = cutText(name, fields.username.max);
    const event = { username, ...forced, ...deed, requestData: eachOf(requestData, recorded) };
    const [outcome] = await log([event], recorder);
    if (outcome?.outcome === 'REJECTED')
      throw new JejakError('UNAVAILABLE', `What is done here is recorded, which was refused: ${outcome.rejection.reason}`); // oxfmt-ignore
  };

const eachOf = (object: object, make: (value: unknown) => unknown): object =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, make(value)]));

/** As it can be recorded, whatever it is: plain JSON, for behind a live object there may be all of the schema, and what of it is
 * too large or too deep cut. */
const recorded = (given: unknown): unknown => {
  if (given === undefined) return undefined;
  let plain: unknown;
  try {
    plain = JSON.parse(JSON.stringify(given));
  } catch {
    return '…'; // thousands of levels deep
  }
  const shallow = isKeyed(plain) ? eachOf(plain, (value) => (isDeep(value, 2) ? cut(value, MOST_BYTES) : value)) : plain; // oxfmt-ignore
  if (bytesOf(shallow) <= MOST_BYTES && !isDeep(shallow, 1)) return shallow;
  return cutValues(shallow, MOST_BYTES) ?? cut(shallow, MOST_BYTES);
};

const isDeep = (value: unknown, level: number): boolean => mendJson(value, level).tooDeep;
