// API keys. A key is `jejak_`, 43 characters that hold 256 random bits, and a checksum of 6 so that a mistyped or
// truncated one is told apart before the database is asked. Only its SHA-256 is stored; the key is shown once.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Sql } from '../database/connection.ts';
import type { Pulse } from '../database/pulse.ts';
import { JejakError } from '../errors.ts';
import { mendText } from '../events/text.ts';
import { type Scope, type Viewer, scopeNames } from './viewer.ts';

export type ApiKey = {
  readonly id: number;
  readonly name: string;
  readonly hint: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  readonly revokedAt: string | null;
};

export type Keys = {
  /** The viewer of an `Authorization` value; rejects with UNAUTHENTICATED. */
  readonly authenticate: (authorization: string | null | undefined) => Promise<Viewer>;
  readonly create: (
    name: string,
    scopes: readonly Scope[],
  ) => Promise<{ apiKey: ApiKey; key: string }>;
  readonly revoke: (id: number) => Promise<ApiKey | undefined>;
  readonly list: () => Promise<ApiKey[]>;
  /** Makes the first administrator's key where there is no key yet, and returns it to be shown once. */
  readonly bootstrap: () => Promise<string | undefined>;
};

/** How long a key that was found is believed without asking again, so also how long a revoked one may live on. */
const BELIEVED_MS = 5_000;
const BELIEVED_KEYS = 10_000;
const PREFIX = 'jejak_';
const NAME_MAX = 100;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const checksum = (body: string): string => sha256(body).toString('hex').slice(0, 6);
const makeKey = (): string => {
  const body = PREFIX + randomBytes(32).toString('base64url');
  return body + checksum(body);
};
const wellFormed = (key: string): boolean =>
  /^jejak_[\w-]{43}[0-9a-f]{6}$/.test(key) && checksum(key.slice(0, -6)) === key.slice(-6);

const unauthenticated = (message: string): JejakError => new JejakError('UNAUTHENTICATED', message);

export const createKeys = (sql: Sql, guard: Pulse['guard'], adminKey: string | undefined): Keys => {
  const adminHash = adminKey === undefined ? undefined : sha256(adminKey);
  const believed = new Map<string, { viewer: Viewer; until: number }>();
  const asking = new Map<string, Promise<Viewer>>();
  let revocations = 0;
  const administrator: Viewer = { keyId: 0, name: 'administrator', scopes: ['admin'] };

  const find = async (key: string): Promise<Viewer> => {
    const hash = sha256(key);
    if (adminHash && timingSafeEqual(hash, adminHash)) return administrator;
    if (!wellFormed(key))
      throw unauthenticated('The key is not one of this log; check that it was copied whole.');
    const [row] = await guard(
      () => sql<{ keyId: number; name: string; scopes: Scope[] }[]>`
        SELECT id AS "keyId", name, scopes FROM api_keys WHERE hash = ${hash} AND revoked_at IS NULL`,
    );
    if (!row)
      throw unauthenticated('The key is unknown or revoked; ask an administrator for another.');
    return row;
  };

  const insert = async (
    name: string,
    scopes: readonly Scope[],
    by: Sql = sql,
  ): Promise<{ apiKey: ApiKey; key: string }> => {
    const key = makeKey();
    const [apiKey] = await by<[ApiKey]>`
      INSERT INTO api_keys (name, hint, hash, scopes)
      VALUES (${name}, ${key.slice(0, PREFIX.length + 4)}, ${sha256(key)}, ${[...scopes]})
      RETURNING ${columns(sql)}`;
    return { apiKey, key };
  };

  const ask = async (authorization: string): Promise<Viewer> => {
    const key = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
    if (key === undefined)
      throw unauthenticated(
        'Send a key: "Authorization: Bearer <API key>", on a socket as connectionParams.authorization.',
      );
    const asked = revocations;
    const until = Date.now() + BELIEVED_MS;
    const viewer = await find(key);
    if (believed.size >= BELIEVED_KEYS) believed.clear();
    // What was read before a revocation here is not believed after it.
    if (asked === revocations) believed.set(authorization, { viewer, until });
    return viewer;
  };

  return {
    authenticate: async (authorization) => {
      // By the text as it was sent: hashing the key anew took 3 % of the time of an event.
      const text = authorization ?? '';
      const known = believed.get(text);
      if (known && known.until > Date.now()) return known.viewer;
      const asked = asking.get(text) ?? ask(text).finally(() => void asking.delete(text));
      asking.set(text, asked);
      return asked;
    },
    create: (name, wanted) => {
      if (name.trim() === '' || name.length > NAME_MAX || mendText(name) !== name)
        throw new JejakError(
          'BAD_USER_INPUT',
          `A key needs a name of 1 to ${NAME_MAX} characters, such as the service that will use it.`,
        );
      if (wanted.length === 0)
        throw new JejakError(
          'BAD_USER_INPUT',
          `A key needs at least one scope of ${scopeNames.join(', ')}.`,
        );
      return insert(name.trim(), [...new Set(wanted)]);
    },
    revoke: async (id) => {
      const [apiKey] = await sql<ApiKey[]>`
        UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = ${id} RETURNING ${columns(sql)}`;
      revocations++;
      believed.clear();
      asking.clear();
      return apiKey;
    },
    list: () => sql<ApiKey[]>`SELECT ${columns(sql)} FROM api_keys ORDER BY id`,
    bootstrap: async () => {
      if (adminHash) return undefined;
      // One of several servers that start at once makes it; the lock is the transaction's.
      return sql.begin(async (transaction) => {
        await transaction`LOCK TABLE api_keys IN EXCLUSIVE MODE`;
        const [row] =
          await transaction`SELECT FROM api_keys WHERE revoked_at IS NULL AND 'admin' = ANY (scopes) LIMIT 1`;
        if (row) return undefined;
        return (
          await insert(administrator.name, administrator.scopes, transaction as unknown as Sql)
        ).key;
      });
    },
  };
};

const columns = (sql: Sql) =>
  sql`id, name, hint, scopes, created_at AS "createdAt", revoked_at AS "revokedAt"`;
