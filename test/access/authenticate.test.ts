// What is believed of a credential without looking again.

import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { createAccess } from '../../src/access/authenticate.ts';
import { blocksOf } from '../../src/access/caller.ts';
import { createKeys } from '../../src/access/keys.ts';
import { testDatabase } from '../support/database.ts';

const ADMIN = 'the-key-of-the-administrator';
const caller = { headers: {}, socket: {} } as IncomingMessage;

test('a key that is revoked while it is looked up is not believed after it, whoever asks in between', async () => {
  const { sql } = await testDatabase();
  const keys = createKeys(sql, async (work) => work(), ADMIN);
  const made = await keys.create({ name: 'reader', scopes: ['events:read'] });
  const access = createAccess({
    keys: {
      ...keys,
      find: async (key) => {
        const found = await keys.find(key);
        if (key === made.key) {
          await keys.revoke(made.apiKey.id);
          await access.authenticate(`Bearer ${ADMIN}`, caller);
        }
        return found;
      },
    },
    tokens: undefined,
    proxies: blocksOf([]),
    storedForms: (_name, text) => [text],
  });
  const ask = () => access.authenticate(`Bearer ${made.key}`, caller);
  expect(await ask()).toMatchObject({ name: 'reader' });
  await expect(ask()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});
