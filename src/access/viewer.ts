// Who is asking, and what they may do.

import { JejakError } from '../errors.ts';
import type { EventInput } from '../events/fields.ts';
import type { Narrowing } from './narrowing.ts';

/** What a viewer may be allowed to do, a line each. */
export const scopes = {
  'events:write': 'Log events.',
  'events:read': 'Read events, reports and the catalog, and subscribe.',
  'events:read_personal': 'See what is personal in the events that may be read.',
  'events:export': 'Take events out in bulk.',
  'alerts:write': 'Reserved for alerts; it opens nothing.',
  admin: 'Everything, and keys, retention, holds and refused events.',
} as const;
export type Scope = keyof typeof scopes;
export const scopeNames = Object.keys(scopes) as [Scope, ...Scope[]];

export type Viewer = {
  /** Whose its events are and whom its work counts against, such as "key 7" or "user 12". */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Of what is outside it sees nothing and logs nothing. */
  readonly narrowing?: Narrowing | undefined;
  /** What its events say, whatever the caller says: who acts, by a token; where it came from, by the key of a browser. */
  readonly forced?: EventInput | undefined;
  /** In the place of the limit that is set for all; Infinity is none. */
  readonly eventsPerSecond?: number | undefined;
};

/** A part of the server, which logs what it did and is never limited. */
export const ourselves = (id: string): Viewer => ({
  id,
  name: id,
  scopes: ['events:write'],
  eventsPerSecond: Infinity,
});
/** Whether it is such a part: nobody else is without a limit of their own. */
export const isOurs = ({ eventsPerSecond }: Viewer): boolean => eventsPerSecond === Infinity;

/** Whether what is personal is shown as it is; others see it masked. */
export const maySeePersonal = (viewer: Viewer | null): boolean =>
  may(viewer, 'events:read_personal');

/** Whether what a viewer sees is told in the log: that of a person, known by a token, who sees what is personal. A key is a
 * service's, which tells itself for whom it asks. */
export const isTold = (viewer: Viewer | null): boolean =>
  isPerson(viewer) && maySeePersonal(viewer);

const isPerson = (viewer: Viewer | null): boolean => {
  const { userId, username } = viewer?.forced ?? {};
  return userId != null || username != null;
};

export const may = (viewer: Viewer | null, scope: Scope): boolean =>
  viewer !== null && (viewer.scopes.includes(scope) || viewer.scopes.includes('admin'));

/** What refuses whoever may not. */
export const lacking = (viewer: Viewer | null, scope: Scope): JejakError =>
  viewer
    ? new JejakError(
        'FORBIDDEN',
        `"${viewer.name}" lacks the scope ${scope}; ${isPerson(viewer) ? 'no role of the token has it, see JEJAK_JWT_ROLES' : 'an administrator can make a key that has it'}.`,
      )
    : unidentified();

export const unidentified = (): JejakError =>
  new JejakError(
    'UNAUTHENTICATED',
    'Send a credential: "Authorization: Bearer <API key or token>".',
  );
