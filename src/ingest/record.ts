// What viewers do with the log, told in the log itself, whatever they may log themselves.

import { type Viewer, ourselves } from '../access/viewer.ts';
import { JejakError } from '../errors.ts';
import type { EventInput } from '../events/fields.ts';
import { fields } from '../events/fields.ts';
import type { Log } from './log.ts';

/** Logs what a viewer did, under its name; resolves after the commit. Rejects as the log does. */
export type Recorder = (viewer: Viewer, deed: EventInput) => Promise<void>;

/** Who logs it: not the viewer, whose key may be narrowed to other events, or limited. */
const recorder = ourselves('jejak');

export const createRecord =
  (log: Log): Recorder =>
  async ({ name, forced }, deed) => {
    const event = { username: name.slice(0, fields.username.max), ...forced, ...deed };
    const [outcome] = await log([event], recorder);
    if (outcome?.outcome === 'REJECTED')
      throw new JejakError('UNAVAILABLE', `What is done here is recorded, which was refused: ${outcome.rejection.reason}`); // oxfmt-ignore
  };
