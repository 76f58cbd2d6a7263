// Watching the log: every subscription is a position in it, not a listener to what passes by.

import type { Event as LoggedEvent } from '../events/fields.ts';
import type { Logged } from '../live/follow.ts';
import { filterTest } from '../query/filter.ts';
import { builder } from './builder.ts';
import { Event } from './event.ts';
import { EventFilter } from './filter.ts';

const EventLogged = builder.objectRef<Logged>('EventLogged').implement({
  description: 'An event and where the subscriber now stands.',
  fields: (t) => ({
    event: t.expose('event', { type: Event, description: 'The event, as it is stored.' }),
    cursor: t.exposeString('cursor', {
      description:
        'Subscribe again with `after` this to go on with the next event, without gap or repeat.',
    }),
  }),
});

const AFTER =
  'Begin after this cursor, that of an earlier payload, of `logEvent` or the `liveCursor` of a page; "earliest" begins with the first event that is kept. Without it only what is committed from now on. Errors: CURSOR_EXPIRED, CURSOR_INVALID.';

/** Category SECURITY, or severity CRITICAL whatever the category. */
const concernsSecurity = ({ category, severity }: LoggedEvent): boolean =>
  category === 'SECURITY' || severity === 'CRITICAL';

builder.subscriptionFields((t) => ({
  eventLogged: t.field({
    type: EventLogged,
    description:
      'Every event that matches, in the order of commits: first those after the cursor, then each as it is committed.',
    authScopes: { may: 'read' },
    args: {
      filter: t.arg({
        type: EventFilter,
        description:
          'Which events; all of them without it. A range with `last` is counted from now.',
      }),
      after: t.arg.string({ description: AFTER }),
    },
    subscribe: (_root, { filter, after }, { follow, clock }) =>
      follow(filterTest(filter, clock()), after),
    resolve: (logged) => logged,
  }),
  securityEventLogged: t.field({
    type: EventLogged,
    description:
      'Every event of category SECURITY, and every CRITICAL one whatever its category, in the order of commits.',
    authScopes: { may: 'read' },
    args: { after: t.arg.string({ description: AFTER }) },
    subscribe: (_root, { after }, { follow }) => follow(concernsSecurity, after),
    resolve: (logged) => logged,
  }),
}));
