// Reading history: one event, pages of events, the newest critical ones.

import { findEvent } from '../query/events.ts';
import { ask, builder } from './builder.ts';
import { EventConnection, pageArguments, resolvePage } from './connection.ts';
import { Event } from './event.ts';
import { DAY, EventFilter, TimeRange, conditionOf, selectionOf } from './filter.ts';

const EventOrder = builder.enumType('EventOrder', {
  description: 'The order of a list, by timestamp and then by id.',
  values: {
    NEWEST_FIRST: { description: 'The latest event first.' },
    OLDEST_FIRST: { description: 'The earliest event first.' },
  } as const,
});

builder.queryFields((t) => ({
  event: t.field({
    type: Event,
    nullable: true,
    description: 'One event by its eventId; null where there is none.',
    scope: 'events:read',
    args: { eventId: t.arg.id({ required: true, description: 'The `eventId`, not the `id`.' }) },
    resolve: async (_root, { eventId }, context) => {
      const [stored] = context.protection.storedForms('eventId', eventId);
      return (
        (await ask(context, (question) =>
          findEvent(question, stored!, conditionOf(null, context)),
        )) ?? null
      );
    },
  }),
  events: t.field({
    type: EventConnection,
    description: 'Events, a page at a time; pages stay where they are while new events arrive.',
    scope: 'events:read',
    args: {
      filter: t.arg({ type: EventFilter, description: 'Which events; all of them without it.' }),
      order: t.arg({
        type: EventOrder,
        defaultValue: 'NEWEST_FIRST',
        description: 'In which order.',
      }),
      ...pageArguments,
    },
    resolve: (_root, { filter, order, ...page }, context, info) =>
      resolvePage(page, order ?? 'NEWEST_FIRST', selectionOf(filter, context), context, info),
  }),
  recentCriticalEvents: t.field({
    type: EventConnection,
    description: 'Report 1 of the specification: critical events, the latest first.',
    scope: 'events:read',
    args: {
      range: t.arg({
        type: TimeRange,
        defaultValue: DAY,
        description: 'Over which time.',
      }),
      first: pageArguments.first,
      after: pageArguments.after,
    },
    resolve: (_root, { range, ...page }, context, info) =>
      resolvePage(
        page,
        'NEWEST_FIRST',
        { where: conditionOf({ severity: ['CRITICAL'], range: range ?? DAY }, context) },
        context,
        info,
      ),
  }),
}));
