// The filter and the range of time as inputs: the same wherever events are chosen.

import { type SQL, and } from 'drizzle-orm';
import {
  type EventFilter as Filter,
  filterSql,
  foundSql,
  lookFor,
  keyAsking,
} from '../query/filter.ts';
import { MAX_CONDITIONS, MAX_DEPTH, MAX_VALUES } from '../query/filter-size.ts';
import { namedIn } from '../query/named.ts';
import { type Selection, reaches } from '../query/events.ts';
import type { TimeRange as Range } from '../query/range.ts';
import { MAX_WORDS, SEARCHED_CHARACTERS } from '../query/search.ts';
import { storedFilter } from '../query/stored.ts';
import { refuseSecrets } from '../query/secrets.ts';
import { seenBy } from '../query/seen.ts';
import type { Subject } from '../query/trail.ts';
import { maySeePersonal } from '../access/viewer.ts';
import { JejakError } from '../errors.ts';
import type { Kept } from '../query/stats.ts';
import { visibleSql } from '../retention/visible.ts';
import { type Context, builder } from './builder.ts';
import { EventCategory, EventStatus, SeverityEnum } from './vocabulary.ts';

export const TimeRange = builder.inputRef<Range>('TimeRange').implement({
  description: 'A range of time: `last`, or `from` and optionally `to`.',
  fields: (t) => ({
    last: t.field({
      type: 'Duration',
      description: 'Everything since this long ago, such as PT24H.',
    }),
    from: t.field({
      type: 'DateTime',
      description: 'The first instant that belongs to the range.',
    }),
    to: t.field({
      type: 'DateTime',
      description: 'The first instant that no longer does; without it the range is open.',
    }),
  }),
});

/** What is asked about where nothing is said. */
export const DAY = { last: 'PT24H' };

const JsonField = builder.enumType('JsonField', {
  description: 'The fields of an event that hold JSON.',
  values: {
    METADATA: { value: 'metadata', description: 'Its `metadata`.' },
    REQUEST_DATA: { value: 'requestData', description: 'Its `requestData`.' },
    RESPONSE_DATA: { value: 'responseData', description: 'Its `responseData`.' },
  } as const,
});

const JsonCondition = builder.inputType('JsonCondition', {
  description:
    'A condition on one place in the JSON of an event. All that is said must hold; what is not there matches nothing but `exists: false`, and values of another type are neither equal nor greater nor less. To ask for what is never stored, such as a password, is BAD_USER_INPUT, unless it is whether it exists.',
  fields: (t) => ({
    field: t.field({ type: JsonField, required: true, description: 'In which field.' }),
    path: t.string({
      required: true,
      description:
        'Where: keys with dots between them, such as login.attempts, none of them empty; 0, 1, 2 and so on are also places in a list, and a backslash makes the character after it a part of a key, be it a dot or a backslash.',
    }),
    exists: t.boolean({ description: 'Whether there is a value, be it null.' }),
    equals: t.field({
      type: 'JSON',
      description: 'The very value: text, number, true, a list, an object.',
    }),
    in: t.field({
      type: ['JSON'],
      required: { list: false, items: false },
      description: 'One of these values; [null] asks for the null of JSON.',
    }),
    contains: t.field({
      type: 'JSON',
      description:
        'A list with this item or these items, an object with at least these keys and values, or this very text, number, true or false.',
    }),
    gt: t.float({ description: 'A number greater than this.' }),
    gte: t.float({ description: 'A number greater than this or equal to it.' }),
    lt: t.float({ description: 'A number less than this.' }),
    lte: t.float({ description: 'A number less than this or equal to it.' }),
  }),
});

export const EventFilter = builder.inputRef<Filter>('EventFilter');

EventFilter.implement({
  description: `Which events. Every key that is given must hold; a list means any of its values, and an empty one none, unless its key says otherwise. It means the same in queries and in subscriptions. At most ${MAX_CONDITIONS} conditions, ${MAX_DEPTH} levels deep, with ${MAX_VALUES} values in all lists together; more is BAD_USER_INPUT. To ask by what is masked, as by \`username\`, \`ipAddress\`, \`search\` or \`json\`, needs the scope \`events:read_personal\`; without it FORBIDDEN.`,
  fields: (t) => ({
    code: t.field({ type: ['EventCode'], description: 'Catalog codes.' }),
    category: t.field({ type: [EventCategory], description: 'Categories.' }),
    severity: t.field({ type: [SeverityEnum], description: 'Severities.' }),
    minSeverity: t.field({
      type: SeverityEnum,
      description: 'This severity and every higher one.',
    }),
    status: t.field({ type: [EventStatus], description: 'Statuses.' }),
    type: t.stringList({ description: 'Families, such as USER_LOGIN, to the letter.' }),
    userId: t.intList({ description: 'Numbers of users.' }),
    username: t.stringList({ description: 'User names, to the letter.' }),
    userRole: t.stringList({ description: 'Roles, to the letter.' }),
    ipAddress: t.stringList({ description: 'Addresses or CIDR blocks, such as 10.0.0.0/8.' }),
    sessionId: t.stringList({
      description: 'Sessions, to the letter: as they were sent, or as the log shows them.',
    }),
    resourceType: t.stringList({ description: 'Kinds of resource, to the letter.' }),
    resourceId: t.stringList({ description: 'Identifiers of resources, to the letter.' }),
    action: t.stringList({ description: 'Actions, to the letter.' }),
    endpoint: t.stringList({ description: 'Endpoints, to the letter.' }),
    httpMethod: t.stringList({ description: 'HTTP methods, to the letter.' }),
    errorCode: t.stringList({ description: 'Error codes, to the letter.' }),
    tagsAny: t.stringList({ description: 'Events with at least one of these tags.' }),
    tagsAll: t.stringList({
      description:
        'Events with all of these tags; an empty list means those that have tags, be it an empty list of them.',
    }),
    range: t.field({ type: TimeRange, description: 'By the timestamp of the event.' }),
    search: t.string({
      description: `Words, in name, description, error message and resource name. Between words stand blanks, tabs, line ends and . , ; : ' " ( ) / - _ =, any other character is a part of one; A to Z are taken without regard to case, the letters from À to ÿ without their accents where letter and accent are one character. Each must begin a word there, or be like a word of the resource's name (a third of their trigrams in common, 4 to 40 letters a to z in the word that is looked for and 3 to 40 in the name's), so that misspelt names are found; one in "quotation marks" must be that word. At most ${MAX_WORDS} of ${SEARCHED_CHARACTERS} characters; of descriptions and error messages the first ${SEARCHED_CHARACTERS} characters.`,
    }),
    json: t.field({
      type: [JsonCondition],
      description: 'Conditions on metadata, request and response data; all of them must hold.',
    }),
    and: t.field({
      type: [EventFilter],
      description: 'Events that match all of these filters; an empty list asks for nothing.',
    }),
    or: t.field({
      type: [EventFilter],
      description: 'Events that match at least one of these filters; none match an empty list.',
    }),
    not: t.field({
      type: EventFilter,
      description:
        'Events that do not match this filter, those without the value it asks about among them.',
    }),
  }),
});

/** What a viewer asks for with a filter: in terms of what is stored, and no more than they may see. */
export const asked = (
  filter: Filter | null | undefined,
  context: Pick<Asking, 'protection' | 'mask' | 'viewer' | 'read'>,
): Filter => {
  const { protection, mask, viewer } = context;
  if (!filter) return seenBy(viewer, null);
  const meant = seenBy(viewer, storable(filter, protection));
  const hidden = keyAsking(filter, mask.isHidden);
  if (hidden) askPersonal(`A filter by \`${hidden}\``, context, namedIn(meant));
  return meant;
};

/** A filter in terms of what is stored; throws BAD_USER_INPUT where it asks for what never is. */
export const storable = (
  filter: Filter,
  { protect, storedForms }: Context['protection'],
): Filter => {
  const stored = storedFilter(filter, storedForms);
  refuseSecrets(stored, protect);
  return stored;
};

/** The answer tells what is asked about: only those may ask who may see it, and that they did counts as having seen it, of whom
 * the question names. */
export const askPersonal = (
  what: string,
  { viewer, read }: Pick<Asking, 'viewer' | 'read'>,
  about: readonly Subject[] = [],
): void => {
  if (!maySeePersonal(viewer))
    throw new JejakError(
      'FORBIDDEN',
      `${what} asks for what is personal and needs the scope events:read_personal; ask by userId, resourceId or sessionId instead.`,
    );
  read?.add({ about });
};

type Asking = Pick<Context, 'protection' | 'mask' | 'viewer' | 'retention' | 'clock' | 'read'>;

/** The events that a filter chooses of those that the viewer may see, and how a page of them is read. */
export const selectionOf = (filter: Filter | null | undefined, context: Asking): Selection => {
  const now = context.clock();
  const meant = asked(filter, context);
  return {
    where: and(filterSql(meant, now), visibleSql(context.retention.policy(), filter, now)),
    reaches: reaches[lookFor(filter)],
    found: foundSql(meant),
  };
};

/** The events alone. */
export const conditionOf = (filter: Filter | null | undefined, context: Asking): SQL | undefined =>
  selectionOf(filter, context).where;

/** How long events are kept, and which of those that a filter chooses may be seen. */
export const keptOf = (filter: Filter, { retention }: Context, now: Date): Kept => {
  const policy = retention.policy();
  return { periods: policy.periods, visible: visibleSql(policy, filter, now) };
};
