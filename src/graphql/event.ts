// The event as callers read it and as they say it, both computed from the fields.

import { maySeePersonal } from '../access/viewer.ts';
import { definitionOf } from '../events/catalog.ts';
import {
  type Event as LoggedEvent,
  type EventInput,
  type FieldName,
  type InputName,
  type Kind,
  fieldNames,
  fields,
  inputNames,
} from '../events/fields.ts';
import type { Mask, Shown } from '../events/mask.ts';
import { type Context, builder } from './builder.ts';
import type { About } from './told.ts';
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

/** What may say something of a person, besides what the policy masks. */
const personal: ReadonlySet<FieldName> = new Set<FieldName>(['description', 'userId', 'username', 'ipAddress', 'userAgent', 'sessionId', 'resourceId', 'resourceName', 'requestData', 'responseData', 'errorMessage', 'metadata']); // oxfmt-ignore

const isPersonal = (name: FieldName, mask: Mask): boolean =>
  personal.has(name) || mask.isHidden(name);

/** A value of a column apart from its event, as the viewer may see it; about whom it is where that is known. */
export const shownTo = <T extends string | number | null>(
  { viewer, mask, read }: Context,
  name: string,
  value: T,
  about?: About,
): Shown<T> => {
  if (read && value !== null && isPersonal(name as FieldName, mask)) {
    read.add(value);
    if (about) read.add(about);
  }
  return maySeePersonal(viewer) ? (value as Shown<T>) : mask.value(name as InputName, value);
};

/** `updated_at` never differs from `created_at` and stays in the database. */
const published = fieldNames.filter((name) => name !== 'updatedAt');

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
          resolve: (event, _args, { viewer, mask, read }) => {
            if (read && isPersonal(name, mask)) read.add(event);
            return (maySeePersonal(viewer) ? event[name] : mask.field(event, name)) as string;
          },
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
