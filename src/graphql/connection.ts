// Pages of events as Relay describes them: https://relay.dev/graphql/connections.htm

import { and } from 'drizzle-orm';
import { resolveCursorConnection } from '@pothos/plugin-relay';
import type { GraphQLResolveInfo } from 'graphql';
import { JejakError } from '../errors.ts';
import type { Event as LoggedEvent } from '../events/fields.ts';
import { cursorAfter } from '../live/cursor.ts';
import {
  type EventOrder,
  type Page,
  type Selection,
  type Count,
  MOST_COUNTED,
  countUpToMost,
  findPage,
  formatPlace,
} from '../query/events.ts';
import { createBudget } from './budget.ts';
import { type Context, ask, builder } from './builder.ts';
import { Event } from './event.ts';
import { DEFAULT_PAGE, MAX_PAGE, pageSize } from './page-size.ts';
import { columnsBelow, isSelected } from './selection.ts';

type PageInfoShape = {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor?: string | null;
  endCursor?: string | null;
};
type EdgeShape = { cursor: string; node: LoggedEvent };
type ConnectionShape = {
  edges: EdgeShape[];
  pageInfo: PageInfoShape;
  liveCursor: string;
  /** Counted once, where it is asked for. */
  count: () => Promise<Count>;
};

const PageInfo = builder.objectRef<PageInfoShape>('PageInfo').implement({
  readers: ['events:read'],
  description: 'Where a page begins and ends, and whether there is more (Relay).',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', {
      description:
        'Whether there are events after this page, up to `before` where that is given. For a page from the end (`last`, or `before` alone): whether `before` is given.',
    }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      description:
        'Whether `after` is given. For a page from the end (`last`, or `before` alone): whether there are events before this page, down to `after` where that is given.',
    }),
    startCursor: t.exposeString('startCursor', {
      nullable: true,
      description: 'Cursor of the first event, for `before`; null on an empty page.',
    }),
    endCursor: t.exposeString('endCursor', {
      nullable: true,
      description: 'Cursor of the last event, for `after`; null on an empty page.',
    }),
  }),
});

const EventEdge = builder.objectRef<EdgeShape>('EventEdge').implement({
  readers: ['events:read'],
  description: 'An event of a page.',
  fields: (t) => ({
    node: t.expose('node', { type: Event, description: 'The event.' }),
    cursor: t.exposeString('cursor', {
      description: 'Where it stands in the list, for `after` and `before`; not for subscriptions.',
    }),
  }),
});

export const EventConnection = builder.objectRef<ConnectionShape>('EventConnection').implement({
  readers: ['events:read'],
  description: 'A page of events.',
  fields: (t) => ({
    edges: t.expose('edges', {
      type: [EventEdge],
      description: 'The events of the page, each with its cursor.',
    }),
    pageInfo: t.expose('pageInfo', {
      type: PageInfo,
      description: 'Where the page begins and ends, and whether there is more.',
    }),
    totalCount: t.int({
      description: `How many events match in all, on every page; ${MOST_COUNTED.toLocaleString('en')} where there are more. Counted when it is asked for.`,
      resolve: async (connection) => (await connection.count()).count,
    }),
    totalCountIsExact: t.boolean({
      description: 'Whether `totalCount` is all of them; false where there are more.',
      resolve: async (connection) => (await connection.count()).isExact,
    }),
    liveCursor: t.exposeString('liveCursor', {
      description:
        'For `after` of a subscription: it goes on where this page was read, without gap or repeat.',
    }),
  }),
});

/** So much of what an operation asks for may be in memory at a time. */
const MOST_EVENTS = 1_000;
const spendEvents = createBudget(MOST_EVENTS, `An operation may ask for ${MOST_EVENTS} events in all its pages; ask for smaller pages, or for one after the other.`); // oxfmt-ignore

/** The paging arguments of a list. */
export const pageArguments = builder.args((t) => ({
  first: t.int({
    description: `How many events from the beginning, 1 to ${MAX_PAGE}; ${DEFAULT_PAGE} where neither this nor \`last\` is given. All pages of an operation together are for ${MOST_EVENTS.toLocaleString('en')} at most; more is TOO_EXPENSIVE.`,
  }),
  after: t.string({
    description: 'Only what comes after this cursor of a page. Error: CURSOR_INVALID.',
  }),
  last: t.int({ description: `How many events from the end, 1 to ${MAX_PAGE}.` }),
  before: t.string({
    description: 'Only what comes before this cursor of a page. Error: CURSOR_INVALID.',
  }),
}));

type PageArguments = {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
};

export const resolvePage = async (
  args: PageArguments,
  order: EventOrder,
  selection: Selection,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<ConnectionShape> => {
  const { database, viewer, isGone } = context;
  const columns = columnsBelow(info, context);
  for (const size of [args.first, args.last]) pageSize(size);
  spendEvents(context, args.first ?? args.last ?? DEFAULT_PAGE);
  if (args.first && args.last)
    throw new JejakError('BAD_USER_INPUT', 'Ask for `first` or for `last`, not for both.');
  let head: Page['head'];
  let counted: Promise<Count> | undefined;
  const page = await resolveCursorConnection<Promise<LoggedEvent[]>>(
    {
      args,
      defaultSize: DEFAULT_PAGE,
      maxSize: MAX_PAGE,
      toCursor: formatPlace,
    },
    async ({ before, after, limit, inverted }) => {
      const found = await database.page(
        viewer!.id,
        (pages) =>
          findPage(pages, {
            columns,
            ...selection,
            order,
            limit,
            inverted,
            withHead: isSelected('liveCursor', info),
            after,
            before,
          }),
        isGone,
      );
      head = found.head;
      return [...found.events];
    },
  );
  const edges = page.edges as EdgeShape[];
  return {
    edges,
    pageInfo: {
      ...page.pageInfo,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    liveCursor: cursorAfter(head),
    count: () =>
      (counted ??= ask(context, (question) =>
        countUpToMost(question, and(selection.where, selection.found)),
      )),
  };
};
