// API keys: an administrator makes, lists and revokes them.

import type { ApiKey as StoredKey } from '../access/keys.ts';
import type { Narrowing as Narrowed } from '../access/narrowing.ts';
import { scopeNames, scopes } from '../access/viewer.ts';
import { JejakError } from '../errors.ts';
import { subtractDuration } from '../events/time.ts';
import { rankOf, severityNames } from '../events/vocabulary.ts';
import { builder } from './builder.ts';
import type { Telling } from './told.ts';
import { EventCategory, SeverityEnum } from './vocabulary.ts';

/** The scopes under names that GraphQL allows: `events:read` is EVENTS_READ. */
const ScopeEnum = builder.enumType('Scope', {
  description: 'What a viewer may do.',
  values: Object.fromEntries(
    scopeNames.map((scope) => [
      scope.toUpperCase().replace(':', '_'),
      { value: scope, description: `${scopes[scope]} (\`${scope}\`)` },
    ]),
  ),
});

const narrowingFields = {
  category: { type: [EventCategory], description: 'Only of these categories.' },
  code: { type: ['EventCode'], description: 'Only of these codes; uncatalogued events have none.' },
  severity: { type: [SeverityEnum], description: 'Only of these severities.' },
  resourceType: { type: ['String'], description: 'Only about these kinds of resource.' },
  resourceId: { type: ['String'], description: 'Only about these resources.' },
} as const satisfies Record<keyof Narrowed, { type: unknown; description: string }>;

const NarrowingInput = builder.inputRef<Narrowed>('NarrowingInput').implement({
  description:
    'What a key is kept within, for reading and for logging. Every key that is given must hold; of a list any value will do.',
  fields: (t) =>
    Object.fromEntries(
      Object.entries(narrowingFields).map(([name, { type, description }]) => [
        name,
        t.field({ type: type as unknown as ['String'], description }),
      ]),
    ),
});

const Narrowing = builder.objectRef<Narrowed>('Narrowing').implement({
  readers: ['admin'],
  description: 'What a key is kept within, for reading and for logging; null is: no limit.',
  fields: (t) =>
    Object.fromEntries(
      Object.entries(narrowingFields).map(([name, { type, description }]) => [
        name,
        t.field({
          type: type as unknown as ['String'],
          nullable: true,
          description,
          resolve: (narrowing) => narrowing[name as keyof Narrowed],
        }),
      ]),
    ),
});

const ApiKey = builder.objectRef<StoredKey>('ApiKey').implement({
  readers: ['admin'],
  description: 'A key that opens the doors of the log. Only a hash of it is kept.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its number, for revoking it.' }),
    name: t.exposeString('name', { description: 'Who it was made for.' }),
    hint: t.exposeString('hint', { description: 'How the key begins, to tell it from others.' }),
    scopes: t.field({
      type: [ScopeEnum],
      description: 'What it may be used for.',
      resolve: (key) => [...key.scopes],
    }),
    narrowing: t.expose('narrowing', {
      type: Narrowing,
      nullable: true,
      description: 'What it is kept within; null is: nothing is outside.',
    }),
    sources: t.field({
      type: ['String'],
      nullable: true,
      description: 'The addresses and CIDR blocks it may be used from; null is: from anywhere.',
      resolve: ({ sources }) => sources && [...sources],
    }),
    origins: t.field({
      type: ['String'],
      nullable: true,
      description: 'The origins of the pages it is for; null where it is no key for browsers.',
      resolve: ({ origins }) => origins && [...origins],
    }),
    eventsPerSecond: t.exposeInt('eventsPerSecond', {
      nullable: true,
      description:
        'How many events may be logged with it per second, with a key for browsers from one address; null is: as many as the server allows every key.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ceases to be good; null is: never.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute; null is: never.',
    }),
    replaces: t.exposeID('replaces', {
      nullable: true,
      description: 'The number of the key in whose place it was made; null where there was none.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null while it is good.',
    }),
  }),
});

const CreateApiKeyPayload = builder
  .objectRef<{ apiKey: StoredKey; key: string }>('CreateApiKeyPayload')
  .implement({
    readers: ['admin'],
    description: 'A new key.',
    fields: (t) => ({
      apiKey: t.expose('apiKey', { type: ApiKey, description: 'What is kept of it.' }),
      key: t.exposeString('key', {
        description: 'The key itself, for "Authorization: Bearer …". It is shown only here.',
      }),
    }),
  });

const isKeyId = (id: string): boolean => /^\d{1,9}$/.test(id);

/** The arguments that were given. */
const withoutAbsent = <A extends object>(args: A) =>
  Object.fromEntries(Object.entries(args).filter(([, value]) => value != null)) as {
    [N in keyof A]: Exclude<A[N], null | undefined>;
  };

builder.queryFields((t) => ({
  apiKeys: t.field({
    type: [ApiKey],
    description:
      'Every key that was made, revoked ones included, the oldest first. Needs the scope `admin`.',
    scope: 'admin',
    resolve: (_root, _args, { keys }) => keys.list(),
  }),
}));

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeyPayload,
    description: 'Makes a key. Needs the scope `admin`.',
    scope: 'admin',
    extensions: { told: 'ADMIN-004' } satisfies Telling,
    args: {
      name: t.arg.string({
        required: true,
        description: 'Who it is for, such as the name of a service; 1 to 100 characters.',
      }),
      scopes: t.arg({
        type: [ScopeEnum],
        required: true,
        description: 'What it may be used for; at least one.',
      }),
      narrowing: t.arg({
        type: NarrowingInput,
        description: 'What it is kept within; everything without it. Not with the scope ADMIN.',
      }),
      sources: t.arg.stringList({
        description: 'Addresses and CIDR blocks it may be used from; anywhere without it.',
      }),
      eventsPerSecond: t.arg.int({
        description:
          'How many events may be logged with it per second, 1 to 1,000,000; as many as the server allows every key without it.',
      }),
      expiresAt: t.arg({
        type: 'DateTime',
        description: 'When it ceases to be good; never without it.',
      }),
    },
    resolve: (_root, args, { keys }) => keys.create(withoutAbsent(args)),
  }),
  createBrowserKey: t.field({
    type: CreateApiKeyPayload,
    description:
      'Makes a key for the pages of a browser, where everybody can read it. It may log events of a few codes and nothing else; address and user agent are those of the request, who acts is nobody (what is said of it is kept in `metadata.claimed`), and `metadata.source` is the name of the key. Needs the scope `admin`.',
    scope: 'admin',
    extensions: { told: 'ADMIN-004' } satisfies Telling,
    args: {
      name: t.arg.string({
        required: true,
        description: 'What it is for, such as the name of the site; 1 to 100 characters.',
      }),
      origins: t.arg.stringList({
        required: true,
        description: 'The origins of the pages, such as https://edupro.sch.id; 1 to 50.',
      }),
      codes: t.arg({
        type: ['EventCode'],
        required: true,
        description: 'The codes of the events it may log; 1 to 100.',
      }),
      maxSeverity: t.arg({
        type: SeverityEnum,
        defaultValue: 'WARNING',
        description: 'The highest severity it may log.',
      }),
      eventsPerSecond: t.arg.int({
        defaultValue: 20,
        description: 'How many events may be logged per second from one address, 1 to 1,000,000.',
      }),
      expiresAt: t.arg({
        type: 'DateTime',
        description: 'When it ceases to be good; never without it.',
      }),
    },
    resolve: (_root, { name, origins, codes, maxSeverity, eventsPerSecond, expiresAt }, { keys }) =>
      keys.create({
        name,
        scopes: ['events:write'],
        origins,
        narrowing: {
          code: codes,
          severity: severityNames.slice(0, rankOf(maxSeverity ?? 'WARNING') + 1),
        },
        eventsPerSecond: eventsPerSecond ?? 20,
        expiresAt: expiresAt ?? null,
      }),
  }),
  rotateApiKey: t.field({
    type: CreateApiKeyPayload,
    description:
      'Makes a key with the name and the rights of another, which stays good for a while, so that whoever uses it can change over. A key is replaced once; after that the one in its place is. Needs the scope `admin`.',
    scope: 'admin',
    extensions: { told: 'ADMIN-004' } satisfies Telling,
    args: {
      id: t.arg.id({ required: true, description: 'The number of the key to be replaced.' }),
      overlap: t.arg({
        type: 'Duration',
        defaultValue: 'P1D',
        description: 'For how long that one is good from now on; PT0S ends it at once.',
      }),
    },
    resolve: async (_root, { id, overlap }, { keys, clock }) => {
      const now = clock();
      const overlapMs = now.getTime() - subtractDuration(now, overlap ?? 'P1D')!.getTime();
      const made = isKeyId(id) ? await keys.rotate(Number(id), overlapMs) : undefined;
      if (!made)
        throw new JejakError(
          'BAD_USER_INPUT',
          `There is no key ${id} that is good; \`apiKeys\` lists them.`,
        );
      return made;
    },
  }),
  revokeApiKey: t.field({
    type: ApiKey,
    description:
      'Revokes a key, for good; within 5 seconds no server accepts it any more. Needs the scope `admin`.',
    scope: 'admin',
    extensions: { told: 'ADMIN-004' } satisfies Telling,
    args: { id: t.arg.id({ required: true, description: 'Its number.' }) },
    resolve: async (_root, { id }, { keys }) => {
      const revoked = isKeyId(id) ? await keys.revoke(Number(id)) : undefined;
      if (!revoked)
        throw new JejakError('BAD_USER_INPUT', `There is no key ${id}; \`apiKeys\` lists them.`);
      return revoked;
    },
  }),
}));
