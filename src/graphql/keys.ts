// API keys: an administrator makes, lists and revokes them.

import type { ApiKey as StoredKey } from '../access/keys.ts';
import { scopeNames, scopes } from '../access/viewer.ts';
import { JejakError } from '../errors.ts';
import { builder } from './builder.ts';

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

const ApiKey = builder.objectRef<StoredKey>('ApiKey').implement({
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
    description: 'A new key.',
    fields: (t) => ({
      apiKey: t.expose('apiKey', { type: ApiKey, description: 'What is kept of it.' }),
      key: t.exposeString('key', {
        description: 'The key itself, for "Authorization: Bearer …". It is shown only here.',
      }),
    }),
  });

builder.queryFields((t) => ({
  apiKeys: t.field({
    type: [ApiKey],
    description:
      'Every key that was made, revoked ones included, the oldest first. Needs the scope `admin`.',
    authScopes: { may: 'admin' },
    resolve: (_root, _args, { keys }) => keys.list(),
  }),
}));

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeyPayload,
    description: 'Makes a key. Needs the scope `admin`.',
    authScopes: { may: 'admin' },
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
    },
    resolve: (_root, args, { keys }) => keys.create(args.name, args.scopes),
  }),
  revokeApiKey: t.field({
    type: ApiKey,
    description:
      'Revokes a key, for good; within 5 seconds no server accepts it any more. Needs the scope `admin`.',
    authScopes: { may: 'admin' },
    args: { id: t.arg.id({ required: true, description: 'Its number.' }) },
    resolve: async (_root, { id }, { keys }) => {
      const revoked = /^\d{1,9}$/.test(id) ? await keys.revoke(Number(id)) : undefined;
      if (!revoked)
        throw new JejakError('BAD_USER_INPUT', `There is no key ${id}; \`apiKeys\` lists them.`);
      return revoked;
    },
  }),
}));
