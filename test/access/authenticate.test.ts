// What is believed of a credential without looking again.

import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { createAccess } from '../../src/access/authenticate.ts';
import { blocksOf } from '../../src/access/caller.ts';
import { createKeys } from '../../src/access/keys.ts';
import { testDatabase } from '../support/database.ts';

const tokens = undefined;
const proxies = blocksOf([]);
const storedForms = (_name: string, text: string) => [text];
const ADMIN = 'the-key-of-the-administrator';
const caller = { headers: {}, socket: {} } as IncomingMessage;

test('a key that is revoked while it is looked up is not believed after it, whoever asks in between', async () => {
  const { sql } = await testDatabase();
  const keys = createKeys({ write: sql, access: sql }, async (work) => work(), ADMIN);
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
    tokens,
    proxies,
    storedForms,
  });
  const ask = () => access.authenticate(`Bearer ${made.key}`, caller);
  expect(await ask()).toMatchObject({ name: 'reader' });
  await expect(ask()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('the origins of pages are looked up once for all, and anew where a key is made for more', async () => {
  const { sql } = await testDatabase();
  let looked = 0;
  const made = createKeys({ write: sql, access: sql }, async (work) => work(), ADMIN);
  const keys = { ...made, origins: () => (looked++, made.origins()) };
  const access = createAccess({ keys, tokens, proxies, storedForms });
  const origin = 'https://portal.edupro.example';
  for (let other = 0; other < 50; other++)
    expect(await access.isOrigin(`https://${other}.example`)).toBe(false);
  expect(await access.isOrigin(origin)).toBe(false);
  expect(looked).toBe(1);
  const { apiKey } = await keys.create({ name: 'pages', scopes: ['events:write'], origins: [origin] }); // oxfmt-ignore
  expect(await access.isOrigin(origin)).toBe(true);
  await keys.revoke(apiKey.id);
  expect(await access.isOrigin(origin)).toBe(false);
  expect(looked).toBe(3);
});
