// The closed vocabularies as enums, and what is known of each category and severity.

import { type Definition, catalog, definitionOf } from '../events/catalog.ts';
import { daysKept } from '../events/retention.ts';
import {
  type Category,
  type Severity,
  categories,
  categoryNames,
  severities,
  severityNames,
  statuses,
} from '../events/vocabulary.ts';
import { builder } from './builder.ts';

type Names<T extends string> = { [K in T]: { description: string } };
export const enumValues = <T extends string, Row>(
  rows: Record<T, Row>,
  describe: (row: Row) => string,
): Names<T> =>
  Object.fromEntries(
    Object.entries<Row>(rows).map(([name, row]) => [name, { description: describe(row) }]),
  ) as Names<T>;

export const EventCategory = builder.enumType('EventCategory', {
  description: 'The eight categories of the specification.',
  values: enumValues(
    categories,
    ({ en, id, prefix }) => `${en} (${id}); codes begin with ${prefix}.`,
  ),
});
export const SeverityEnum = builder.enumType('Severity', {
  description: 'How severe an event is, least first. It decides how long the event is kept.',
  values: enumValues(
    severities,
    ({ en, retentionDays }) => `${en}. Kept ${retentionDays} days, where no other period was set.`,
  ),
});
export const EventStatus = builder.enumType('EventStatus', {
  description: 'What became of the action that an event records.',
  values: enumValues(statuses, (about) => about),
});

const EventDefinition = builder.objectRef<Definition>('EventDefinition');
EventDefinition.implement({
  readers: ['events:read', 'events:write'],
  description:
    'One of the 84 catalogued events: what it means and what an event of its code is completed with.',
  fields: (t) => ({
    code: t.expose('code', { type: 'EventCode', description: 'Such as AUTH-001.' }),
    category: t.expose('category', { type: EventCategory, description: 'Its category.' }),
    type: t.exposeString('type', {
      description: 'Its family, such as USER_LOGIN: the `type` of its events.',
    }),
    name: t.exposeString('name', { description: 'Its name, such as "User Login Success".' }),
    description: t.string({
      description: 'What it means, in English.',
      resolve: ({ descriptions }) => descriptions.en,
    }),
    descriptionIndonesian: t.string({
      description: 'What it means, in Indonesian.',
      resolve: ({ descriptions }) => descriptions.id,
    }),
    severity: t.expose('severity', {
      type: SeverityEnum,
      description: 'Severity of its events where the caller names none.',
    }),
    action: t.exposeString('action', {
      description: 'Action of its events where the caller names none.',
    }),
    status: t.expose('status', {
      type: EventStatus,
      description: 'Status of its events where the caller names none.',
    }),
    typicalData: t.stringList({
      description: 'Keys that its data usually hold; never required.',
      resolve: ({ data }) => [...data],
    }),
    retentionDays: t.int({
      description:
        'How many days events of this code and severity are kept, counted from their timestamp.',
      resolve: (definition, _args, { retention }) =>
        daysKept(retention.policy().periods, definition),
    }),
    securityRelevant: t.boolean({
      description: 'Whether those who watch security should see it, whatever its category.',
      resolve: ({ security }) => security,
    }),
  }),
});

const SeverityLevel = builder.objectRef<Severity>('SeverityLevel');
SeverityLevel.implement({
  readers: ['events:read'],
  description: 'A severity, what it asks of people, and how long its events are kept.',
  fields: (t) => ({
    severity: t.field({ type: SeverityEnum, description: 'Its name.', resolve: (name) => name }),
    description: t.string({
      description: 'What it means, in English.',
      resolve: (name) => severities[name].en,
    }),
    descriptionIndonesian: t.string({
      description: 'What it means, in Indonesian.',
      resolve: (name) => severities[name].id,
    }),
    responseRequired: t.string({
      description:
        'What people are expected to do: None, Monitor, Investigate or Immediate Action.',
      resolve: (name) => severities[name].response,
    }),
    retentionDays: t.int({
      description:
        'How many days its events are kept, counted from their timestamp; a code may have a period of its own.',
      resolve: (name, _args, { retention }) => retention.policy().periods.severities[name],
    }),
  }),
});

const CategoryType = builder.objectRef<Category>('Category');
CategoryType.implement({
  readers: ['events:read'],
  description: 'A category of events.',
  fields: (t) => ({
    code: t.field({
      type: EventCategory,
      description: 'Its name in the log.',
      resolve: (name) => name,
    }),
    name: t.string({ description: 'Its name in English.', resolve: (name) => categories[name].en }),
    nameIndonesian: t.string({
      description: 'Its name in Indonesian.',
      resolve: (name) => categories[name].id,
    }),
    prefix: t.string({
      description:
        'What its codes begin with: SYS for SYSTEM, SEC for SECURITY, ANLY for ANALYTICS.',
      resolve: (name) => categories[name].prefix,
    }),
    definitions: t.field({
      type: [EventDefinition],
      description: 'Its catalogued events, in the order of the specification.',
      resolve: (name) => definitions.filter(({ category }) => category === name),
    }),
  }),
});

const definitions = [...catalog.values()];
const mentions = ({ code, name, type, descriptions }: Definition, words: string): boolean =>
  [code, name, type, descriptions.en, descriptions.id].some((text) =>
    text.toLowerCase().includes(words),
  );

export { EventDefinition };

builder.queryFields((t) => ({
  categories: t.field({
    type: [CategoryType],
    description: 'The eight categories with their catalogued events.',
    scope: 'events:read',
    resolve: () => [...categoryNames],
  }),
  severities: t.field({
    type: [SeverityLevel],
    description: 'The five severities, least first.',
    scope: 'events:read',
    resolve: () => [...severityNames],
  }),
  eventDefinitions: t.field({
    type: [EventDefinition],
    description: 'The catalogued events, in the order of the specification.',
    scope: 'events:read',
    args: {
      category: t.arg({ type: EventCategory, description: 'Only those of this category.' }),
      search: t.arg.string({
        description:
          'Only those whose code, name, type or description, in either language, contains this text; case does not matter.',
      }),
    },
    resolve: (_root, { category, search }) =>
      definitions.filter(
        (definition) =>
          (!category || definition.category === category) &&
          (!search || mentions(definition, search.toLowerCase())),
      ),
  }),
  eventDefinition: t.field({
    type: EventDefinition,
    nullable: true,
    description: 'One catalogued event; null where the code is not in the catalog.',
    scope: 'events:read',
    args: { code: t.arg({ type: 'EventCode', required: true, description: 'Such as AUTH-001.' }) },
    resolve: (_root, { code }) => definitionOf(code),
  }),
}));
