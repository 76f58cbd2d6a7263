// Watching the log: every subscription is a position in it, not a listener to what passes by. What is delivered comes as
// arrays of payloads, each an answer of its own; see `deliveries.ts`.

import type { GraphQLResolveInfo } from 'graphql';
import type { Event as LoggedEvent } from '../events/fields.ts';
import { isVisible } from '../retention/visible.ts';
import { JejakError } from '../errors.ts';
import { cursorAfter, formatCursor } from '../live/cursor.ts';
import type { Found, Payload, Placed, Want } from '../live/groups.ts';
import {
  type EventFilter as Filter,
  filterBounds,
  filterFields,
  filterTest,
  settled,
} from '../query/filter.ts';
import { storedFilter } from '../query/stored.ts';
import { type Context, builder } from './builder.ts';
import { Event } from './event.ts';
import { EventFilter, asked } from './filter.ts';
import { columnsBelow } from './selection.ts';
import { tellFollowed } from './told.ts';

const CURSOR =
  'Subscribe again with `after` this to go on with the next event, without gap or repeat.';

type Logged = Payload & { readonly event: LoggedEvent };

const EventLogged = builder.objectRef<Logged>('EventLogged').implement({
  readers: ['events:read'],
  description: 'An event and where the subscriber now stands.',
  fields: (t) => ({
    event: t.expose('event', { type: Event, description: 'The event, as it is stored.' }),
    cursor: t.exposeString('cursor', { description: CURSOR }),
  }),
});

type Batch = Payload & {
  readonly events: readonly LoggedEvent[];
  readonly replay: boolean;
  readonly lagMs: number;
};

const EventStreamBatch = builder.objectRef<Batch>('EventStreamBatch').implement({
  readers: ['events:read'],
  description:
    'Events that came together, and where the subscriber now stands. Without events it is a checkpoint: nothing that matches came, and the cursor moves on.',
  fields: (t) => ({
    events: t.field({
      type: [Event],
      description: 'The events, in the order of commits; none in a checkpoint.',
      resolve: ({ events }) => [...events],
    }),
    cursor: t.exposeString('cursor', { description: CURSOR }),
    replay: t.exposeBoolean('replay', {
      description:
        'Whether these events are of the past: committed before the subscription had caught up with the log.',
    }),
    lagMs: t.exposeInt('lagMs', {
      description:
        'How long before they were packed the last of them was committed, in milliseconds; 0 in a checkpoint.',
    }),
  }),
});

const AFTER =
  'Begin after this cursor, that of an earlier payload, of `logEvent` or the `liveCursor` of a page; "earliest" begins with the first event that is kept. Without it only what is committed from now on. Errors: CURSOR_EXPIRED, CURSOR_INVALID.';
const FILTER = 'Which events; all of them without it. A range with `last` is counted from now.';

const DEFAULT_BATCH = 100;
const MAX_BATCH = 1_000;

/** A payload for each event. */
const each = ({ events }: Found): Logged[] =>
  events.map((placed) => ({ event: placed.event, cursor: formatCursor(placed) }));

/** Payloads of at most so many events; the last one stands where all was read. */
const batched =
  (most: number) =>
  ({ events, end, replay, lagMs }: Found): Batch[] => {
    const batch = (placed: readonly Placed[], cursor: string): Batch => ({
      events: placed.map(({ event }) => event),
      cursor,
      replay,
      lagMs,
    });
    const whole = Array.from(
      { length: Math.max(0, Math.ceil(events.length / most) - 1) },
      (_, index) => {
        const placed = events.slice(index * most, (index + 1) * most);
        return batch(placed, formatCursor(placed.at(-1)!));
      },
    );
    return [...whole, batch(events.slice(whole.length * most), cursorAfter(end))];
  };

const wantOf = (
  form: string,
  pack: Want['pack'],
  given: Filter | null | undefined,
  context: Context,
  info: GraphQLResolveInfo,
): Want => {
  const now = context.clock();
  const filter = settled(asked(given, context), now);
  const bounds = filterBounds(filter);
  const columns = () => {
    const holds = context.retention.policy().holds.flatMap(filterFields);
    return columnsBelow(info, context, [...filterFields(filter), ...holds]);
  };
  const matches = filterTest(filter, now);
  return {
    // With the policy, for pages that were read under an earlier one are still remembered.
    key: JSON.stringify([form, filter, columns(), context.retention.policy().version]),
    wanted: (event) =>
      matches(event) && isVisible(context.retention.policy(), event, context.clock()),
    // For each page anew: what is kept by a hold that is placed later is there from the next one on.
    get need() {
      return { bounds, columns: columns() };
    },
    pack,
  };
};

/** Follows the log once it is told that somebody begins to. */
const following = async (
  given: Filter | null | undefined,
  want: Want,
  after: string | null | undefined,
  context: Context,
  { operation, variableValues }: GraphQLResolveInfo,
  begin?: Parameters<Context['follow']>[2],
) => {
  const question = { query: operation.loc?.source.body, variables: variableValues.coerced };
  await tellFollowed(
    context,
    question,
    given && storedFilter(given, context.protection.storedForms),
  );
  return context.follow(want, context.resumeAfter ?? after, begin);
};

const securityRelevant: Filter = {
  or: [{ category: ['SECURITY'] }, { severity: ['CRITICAL'] }],
};

builder.subscriptionFields((t) => ({
  eventLogged: t.field({
    type: EventLogged,
    description:
      'Every event that matches, in the order of commits: first those after the cursor, then each as it is committed.',
    scope: 'events:read',
    args: {
      filter: t.arg({ type: EventFilter, description: FILTER }),
      after: t.arg.string({ description: AFTER }),
    },
    subscribe: (_root, { filter, after }, context, info) =>
      following(filter, wantOf('each', each, filter, context, info), after, context, info),
    resolve: (logged) => logged as unknown as Logged,
  }),
  securityEventLogged: t.field({
    type: EventLogged,
    description:
      'Every event of category SECURITY, and every CRITICAL one whatever its category, in the order of commits.',
    scope: 'events:read',
    args: { after: t.arg.string({ description: AFTER }) },
    subscribe: (_root, { after }, context, info) =>
      following(null, wantOf('each', each, securityRelevant, context, info), after, context, info),
    resolve: (logged) => logged as unknown as Logged,
  }),
  eventStream: t.field({
    type: EventStreamBatch,
    description:
      'The same as `eventLogged` in batches: what comes together is one message. The first message says where the subscription begins; where nothing matches, one without events moves the cursor on every 15 seconds.',
    scope: 'events:read',
    args: {
      filter: t.arg({ type: EventFilter, description: FILTER }),
      after: t.arg.string({ description: AFTER }),
      maxBatch: t.arg.int({
        description: `The most events in a message, 1 to ${MAX_BATCH}; ${DEFAULT_BATCH} without it.`,
      }),
    },
    subscribe: (_root, { filter, after, maxBatch }, context, info) => {
      const most = maxBatch ?? DEFAULT_BATCH;
      if (most < 1 || most > MAX_BATCH)
        throw new JejakError('BAD_USER_INPUT', `\`maxBatch\` is 1 to ${MAX_BATCH}.`);
      const pack = batched(most);
      const begin = (cursor: string): Batch[] => [{ events: [], cursor, replay: false, lagMs: 0 }];
      const want = wantOf(`batches of ${most}`, pack, filter, context, info);
      return following(filter, want, after, context, info, begin);
    },
    resolve: (batch) => batch as unknown as Batch,
  }),
}));
