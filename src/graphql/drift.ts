// Where the log and the catalog have drifted apart, as the API tells it.

import { JejakError } from '../errors.ts';
import { maySeePersonal } from '../access/viewer.ts';
import { definitionOf, isDataKey } from '../events/catalog.ts';
import * as drift from '../query/drift.ts';
import { resolveRange } from '../query/range.ts';
import { ask, builder } from './builder.ts';
import { shownTo } from './event.ts';
import { DAY, TimeRange, conditionOf } from './filter.ts';
import { EventCategory, EventDefinition, SeverityEnum } from './vocabulary.ts';

const COUNT = { description: 'How many events.' } as const;

const UncataloguedEvents = builder.objectRef<drift.Uncatalogued>('UncataloguedEvents').implement({
  readers: ['events:read'],
  description: 'Events of one kind that the catalog does not know.',
  fields: (t) => ({
    category: t.expose('category', { type: EventCategory, description: 'Their category.' }),
    type: t.string({
      resolve: ({ type }, _args, context) => shownTo(context, 'type', type),
      description: 'Their family.',
    }),
    name: t.string({
      resolve: ({ name }, _args, context) => shownTo(context, 'name', name),
      description: 'Their name.',
    }),
    count: t.exposeFloat('count', COUNT),
    latest: t.expose('latest', { type: 'DateTime', description: 'Timestamp of the latest.' }),
  }),
});

const LoweredEvents = builder.objectRef<drift.Lowered>('LoweredEvents').implement({
  readers: ['events:read'],
  description:
    'Events of one code that were logged with a severity below that of their definition.',
  fields: (t) => ({
    definition: t.field({
      type: EventDefinition,
      description: 'Their definition.',
      resolve: ({ code }) => definitionOf(code)!,
    }),
    severity: t.expose('severity', { type: SeverityEnum, description: 'What they say instead.' }),
    count: t.exposeFloat('count', COUNT),
  }),
});

const UnknownKey = builder.objectRef<drift.UnknownKey>('UnknownKey').implement({
  readers: ['events:read'],
  description: 'A key in the data of events that their definition does not name.',
  fields: (t) => ({
    definition: t.field({
      type: EventDefinition,
      description: 'Their definition.',
      resolve: ({ code }) => definitionOf(code)!,
    }),
    key: t.string({
      description:
        'The key, at the top of `metadata`, `requestData` or `responseData`. It may be a name: who may not see what is personal is shown it masked, unless it is one that the catalog knows.',
      resolve: ({ key }, _args, { viewer, mask, read }) => {
        if (isDataKey(key)) return key;
        if (!maySeePersonal(viewer)) return mask.value('resourceName', key);
        read?.add(key);
        return key;
      },
    }),
    count: t.exposeFloat('count', COUNT),
  }),
});

type Where = { readonly where: ReturnType<typeof conditionOf> };
const LISTED = `the most frequent first, at most ${drift.MAX_ROWS}.`;

const CatalogDrift = builder.objectRef<Where>('CatalogDrift').implement({
  readers: ['events:read'],
  description:
    'Where the log and the catalog have drifted apart. Each part is computed when it is asked for.',
  fields: (t) => ({
    neverSeen: t.field({
      type: [EventDefinition],
      description: 'Definitions of which there is no event, in the order of the specification.',
      resolve: ({ where }, _args, context) =>
        ask(context, (question) => drift.neverSeen(question, where)),
    }),
    uncatalogued: t.field({
      type: [UncataloguedEvents],
      description: `Events without a code, by category, type and name, ${LISTED}`,
      resolve: ({ where }, _args, context) =>
        ask(context, (question) => drift.uncatalogued(question, where)),
    }),
    lowered: t.field({
      type: [LoweredEvents],
      description: `Events of a severity below that of their definition, ${LISTED}`,
      resolve: ({ where }, _args, context) =>
        ask(context, (question) => drift.lowered(question, where)),
    }),
    unknownKeys: t.field({
      type: [UnknownKey],
      description: `Keys that the definition of their events does not name, ${LISTED}`,
      resolve: ({ where }, _args, context) =>
        ask(context, (question) => drift.unknownKeys(question, where)),
    }),
  }),
});

builder.queryFields((t) => ({
  catalogDrift: t.field({
    type: CatalogDrift,
    description: `What is declared and never seen, seen and not declared, or seen otherwise than declared, over at most ${drift.MAX_DRIFT_DAYS} days; more is TOO_EXPENSIVE.`,
    scope: 'events:read',
    args: {
      range: t.arg({
        type: TimeRange,
        defaultValue: DAY,
        description: 'Over which time, by the timestamp of the events.',
      }),
    },
    resolve: (_root, { range }, context) => {
      const now = context.clock();
      const { from, to } = resolveRange(range ?? DAY, now);
      const days =
        ((to === undefined ? now.getTime() : Date.parse(to)) - Date.parse(from)) / 86_400_000;
      if (days > drift.MAX_DRIFT_DAYS)
        throw new JejakError('TOO_EXPENSIVE', `Drift is told over at most ${drift.MAX_DRIFT_DAYS} days; narrow \`range\`.`); // oxfmt-ignore
      return { where: conditionOf({ range: { from, to } }, context) };
    },
  }),
}));
