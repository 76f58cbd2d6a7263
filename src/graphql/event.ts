// The event as callers read it and as they say it, both computed from the fields.

import { definitionOf } from '../events/catalog.ts';
import {
  type Event as LoggedEvent,
  type EventInput,
  type FieldName,
  type Kind,
  fieldNames,
  fields,
  inputNames,
} from '../events/fields.ts';
import { builder } from './builder.ts';
import { EventCategory, EventDefinition, EventStatus, SeverityEnum } from './vocabulary.ts';

export const types = {
  position: 'ID',
  identifier: 'ID',
  text: 'String',
  integer: 'Int',
  address: 'String',
  json: 'JSON',
  tags: ['String'],
  time: 'DateTime',
  code: 'EventCode',
  category: EventCategory,
  severity: SeverityEnum,
  status: EventStatus,
} as const satisfies Record<Kind, unknown>;

/** `updated_at` never differs from `created_at` and stays in the database. */
const published = fieldNames.filter((name) => name !== 'updatedAt');

/** What may say something of a person. */
const personal: ReadonlySet<FieldName> = new Set<FieldName>(['description', 'userId', 'username', 'ipAddress', 'userAgent', 'sessionId', 'resourceId', 'resourceName', 'endpoint', 'requestData', 'responseData', 'errorMessage', 'metadata']); // oxfmt-ignore

export const Event = builder.objectRef<LoggedEvent>('Event');
Event.implement({
  readers: ['events:read', 'events:write'],
  description: 'Something that happened, as it was recorded. Events never change.',
  fields: (t) =>
    Object.fromEntries(
      published.map((name) => [
        name,
        t.field({
          type: types[fields[name].kind] as 'String',
          nullable: !('required' in fields[name]),
          description: fields[name].about,
          resolve: personal.has(name)
            ? (event, _args, { read }) => {
                read?.add(event);
                return event[name] as string;
              }
            : (event) => event[name] as string,
        }),
      ]),
    ),
});
builder.objectField(Event, 'definition', (t) =>
  t.field({
    type: EventDefinition,
    nullable: true,
    description: 'The catalog entry of its code; null for an uncatalogued event.',
    resolve: ({ code }) => (code === null ? null : definitionOf(code)),
  }),
);

export const LogEventInput = builder.inputRef<EventInput>('LogEventInput');
LogEventInput.implement({
  description:
    'What to record. `code` alone is enough for a catalogued event; without it `category`, `type` and `name` are required. `eventId` makes the call idempotent.',
  fields: (t) =>
    Object.fromEntries(
      inputNames.map((name) => [
        name,
        t.field({ type: types[fields[name].kind] as 'String', description: fields[name].about }),
      ]),
    ),
});
