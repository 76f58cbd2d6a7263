// A person's own trail, and whose data a breach concerns.

import { type SQL, and, or } from 'drizzle-orm';
import { maySeePersonal } from '../access/viewer.ts';
import * as trail from '../query/trail.ts';
import { type Context, ask, builder } from './builder.ts';
import { EventConnection, pageArguments, resolvePage } from './connection.ts';
import { shownTo } from './event.ts';
import { EventFilter, TimeRange, askPersonal, conditionOf, storable } from './filter.ts';

const DealingEnum = builder.enumType('Dealing', {
  description: 'What was done with the data of a person.',
  values: {
    READ: { description: 'Seen: viewed, searched, downloaded, or read in this log.' },
    CHANGED: { description: 'Made, changed, imported, checked or deleted.' },
    EXPORTED: { description: 'Taken out in bulk.' },
    PREDICTED: { description: 'Used for a prediction.' },
    OTHER: { description: 'Anything else that was recorded.' },
  } as const satisfies Record<trail.Dealing, unknown>,
});

const SubjectDealing = builder.objectRef<trail.Dealt>('SubjectDealing').implement({
  readers: ['events:read'],
  description: 'What one user did with the data of the person.',
  fields: (t) => ({
    dealing: t.expose('dealing', { type: DealingEnum, description: 'What was done.' }),
    username: t.string({
      resolve: ({ username }, _args, context) => shownTo(context, 'username', username),
      nullable: true,
      description: 'Name of the user; null where the events name nobody.',
    }),
    userId: t.int({
      resolve: ({ userId }, _args, context) => shownTo(context, 'userId', userId),
      nullable: true,
      description: 'Number of the user.',
    }),
    eventCount: t.exposeFloat('eventCount', { description: 'How many events.' }),
    first: t.expose('first', { type: 'DateTime', description: 'Timestamp of the first.' }),
    last: t.expose('last', { type: 'DateTime', description: 'Timestamp of the last.' }),
  }),
});

const SubjectTrail = builder.objectRef<{ where: SQL | undefined }>('SubjectTrail').implement({
  readers: ['events:read'],
  description:
    'Who read, changed, exported or predicted about one person, as far as the log is kept.',
  fields: (t) => ({
    dealings: t.field({
      type: [SubjectDealing],
      description: `By user and by what was done, the latest first; at most ${trail.MOST_ROWS.toLocaleString('en')}.`,
      resolve: ({ where }, _args, context) =>
        ask(context, (question) => trail.dealtWith(question, where)),
    }),
    events: t.field({
      type: EventConnection,
      description: 'The events themselves, the latest first.',
      args: pageArguments,
      resolve: ({ where }, page, context, info) =>
        resolvePage(page, 'NEWEST_FIRST', { where }, context, info),
    }),
  }),
});

const shownTypes = ({ types }: { readonly types: string[] }, _args: object, context: Context) =>
  types.map((type) => shownTo(context, 'type', type));

const BreachSubject = builder.objectRef<trail.Breached>('BreachSubject').implement({
  readers: ['events:read'],
  description: 'A person or thing whose data a breach concerns.',
  fields: (t) => ({
    resourceType: t.string({
      resolve: ({ resourceType }, _args, context) => shownTo(context, 'resourceType', resourceType),
      description:
        'Its kind, such as STUDENT; empty where somebody asked for what is personal by the identifier alone.',
    }),
    resourceId: t.string({
      resolve: ({ resourceType, resourceId }, _args, { viewer, mask, read }) => {
        read?.add({ resourceType, resourceId });
        return maySeePersonal(viewer) ? resourceId : mask.value('resourceId', resourceId);
      },
      description: 'Its identifier.',
    }),
    eventCount: t.exposeFloat('eventCount', { description: 'How many events concern it.' }),
    types: t.stringList({
      resolve: shownTypes,
      description: 'The families of those events.',
    }),
    first: t.expose('first', { type: 'DateTime', description: 'Timestamp of the first.' }),
    last: t.expose('last', { type: 'DateTime', description: 'Timestamp of the last.' }),
  }),
});

const BreachSummary = builder.objectRef<trail.Breach>('BreachSummary').implement({
  readers: ['events:read'],
  description: 'Whose data some events concern, and which kinds of data.',
  fields: (t) => ({
    eventCount: t.exposeFloat('eventCount', { description: 'How many events match.' }),
    types: t.stringList({
      resolve: shownTypes,
      description: 'The families of events: the kinds of data.',
    }),
    first: t.expose('first', {
      type: 'DateTime',
      nullable: true,
      description: 'Timestamp of the first; null where none match.',
    }),
    last: t.expose('last', {
      type: 'DateTime',
      nullable: true,
      description: 'Timestamp of the last; null where none match.',
    }),
    subjectCount: t.exposeFloat('subjectCount', {
      description: 'How many persons and things they concern.',
    }),
    subjects: t.expose('subjects', {
      type: [BreachSubject],
      description: `Those persons and things, the most concerned first; at most ${trail.MOST_ROWS.toLocaleString('en')}.`,
    }),
  }),
});

builder.queryFields((t) => ({
  subjectTrail: t.field({
    type: SubjectTrail,
    description:
      'Who read, changed, exported or predicted about one person: events about that resource, and what the log tells of itself: who read such events, and exports that may have held them.',
    scope: 'events:read',
    args: {
      resourceType: t.arg.string({ required: true, description: 'Such as STUDENT.' }),
      resourceId: t.arg.string({ required: true, description: 'Such as STD-2025-001.' }),
      range: t.arg({
        type: TimeRange,
        description: 'Over which time; all that is kept without it.',
      }),
    },
    resolve: (_root, { range, resourceType, resourceId }, context) => {
      for (const name of ['resourceType', 'resourceId'] as const)
        if (context.mask.isHidden(name)) askPersonal(`A trail by \`${name}\``, context);
      const stored = storable({ resourceType: [resourceType], resourceId: [resourceId] }, context.protection); // oxfmt-ignore
      const subjects = stored.resourceType!.flatMap((type) =>
        stored.resourceId!.map((id) => ({ resourceType: type, resourceId: id })),
      );
      for (const subject of subjects) context.read?.add(subject);
      const concerned = or(...subjects.map(trail.concerning));
      return { where: and(concerned, conditionOf({ range }, context)) };
    },
  }),
  breachSummary: t.field({
    type: BreachSummary,
    description:
      'Whose data some events concern: those of a session, a user, an address or a time that are thought to be part of a breach. What was read of the log itself counts too.',
    scope: 'events:read',
    args: {
      filter: t.arg({ type: EventFilter, required: true, description: 'Which events.' }),
    },
    resolve: (_root, { filter }, context) =>
      ask(context, (question) => trail.breachOf(question, conditionOf(filter, context))),
  }),
}));
