// API keys. A key is `jejak_`, 43 characters that hold 256 random bits, and a checksum of 6 so that a mistyped or
// truncated one is told apart before the database is asked. Only its SHA-256 is stored; the key is shown once.
//
// The key of a browser is one that everybody can read who opens the page: it may only log events of a few codes up to a
// severity, from pages of its origins, so many a second from one address, and nothing it says of who acts is believed.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Database, Sql } from '../database/connection.ts';
import { inTime, isLockedOut, unheard } from '../database/failures.ts';
import type { Pulse } from '../database/pulse.ts';
import { JejakError } from '../errors.ts';
import { mendText } from '../events/text.ts';
import { type Holder, KEYS_BELIEVED_MS, unauthenticated } from './authenticate.ts';
import { blocksOf } from './caller.ts';
import { type Narrowing, narrowingSchema } from './narrowing.ts';
import { type Scope, scopeNames } from './viewer.ts';

/** What is kept of a key. Times are ISO 8601; null is: none. */
export type ApiKey = KeyRights & {
  readonly id: number;
  readonly hint: string;
  readonly createdAt: string;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
  /** The key in whose place it was made. */
  readonly replaces: number | null;
  /** The first of those that were made in each other's place: all of them are one service. */
  readonly root: number;
};

/** What a key is for. */
export type KeyRights = {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly narrowing: Narrowing | null;
  /** Addresses and blocks it may be used from. */
  readonly sources: readonly string[] | null;
  /** The origins of the pages it is for; the key is then one for browsers. */
  readonly origins: readonly string[] | null;
  readonly eventsPerSecond: number | null;
  readonly expiresAt: string | null;
};

type MadeKey = { readonly apiKey: ApiKey; readonly key: string };

export type Keys = {
  /** Whether it is the administrator's own, which may be any text. */
  readonly isAdministrator: (key: string) => boolean;
  /** Who holds a key; rejects with UNAUTHENTICATED where it is none, or revoked or expired. */
  readonly find: (key: string) => Promise<Holder>;
  readonly create: (
    rights: Pick<KeyRights, 'name' | 'scopes'> & Partial<KeyRights>,
  ) => Promise<MadeKey>;
  readonly revoke: (id: number) => Promise<ApiKey | undefined>;
  /** Makes a key with the rights of another, which is good for `overlapMs` more; undefined where that one is not good. Once: how
   * long a key was to live is not known of one that was replaced. */
  readonly rotate: (id: number, overlapMs: number) => Promise<MadeKey | undefined>;
  readonly list: () => Promise<ApiKey[]>;
  /** Of all pages that some key is for. */
  readonly origins: () => Promise<ReadonlySet<string>>;
  /** Makes the first administrator's key where there is no key yet, and returns it to be shown once. */
  readonly bootstrap: () => Promise<string | undefined>;
  /** Changes whenever this server takes a key back or shortens its life, or makes one for pages. */
  readonly changes: () => number;
};

const PREFIX = 'jejak_';
const PATIENCE_MS = 2_000;
const NAME_MAX = 100;
const SOURCES_MAX = 50;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const checksum = (body: string): string => sha256(body).toString('hex').slice(0, 6);
const makeKey = (): string => {
  const body = PREFIX + randomBytes(32).toString('base64url');
  return body + checksum(body);
};
const wellFormed = (key: string): boolean =>
  /^jejak_[\w-]{43}[0-9a-f]{6}$/.test(key) && checksum(key.slice(0, -6)) === key.slice(-6);

export const createKeys = (
  { write: sql, access }: Pick<Database, 'write' | 'access'>,
  guard: Pulse['guard'],
  adminKey: string | undefined,
): Keys => {
  const adminHash = adminKey === undefined ? undefined : sha256(adminKey);
  let changes = 0;
  const administrator: Holder = {
    viewer: { id: 'key administrator', name: 'administrator', scopes: ['admin'] },
    goodUntil: Infinity,
    believedMs: KEYS_BELIEVED_MS,
  };
  const columns = sql`
    id, name, hint, scopes, narrowing, sources, origins, events_per_second AS "eventsPerSecond", replaces, coalesce(root, id) AS root,
    expires_at AS "expiresAt", last_used_at AS "lastUsedAt", created_at AS "createdAt", revoked_at AS "revokedAt"`;
  // One condition for all that may be wrong with a key, so that one that was revoked takes as long as one that never was.
  const good = sql`revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())`;

  let noting = false;
  /** At most once a minute, and nobody waits for it. One at a time: behind a lock they would take all that writes. */
  const noteUse = (id: number): void => {
    if (noting) return;
    noting = true;
    sql`UPDATE api_keys SET last_used_at = clock_timestamp() WHERE id = ${id}`
      .catch(() => {})
      .finally(() => void (noting = false));
  };

  let lockedUntil = 0;
  /** Looks something up, in time; behind a lock nobody waits in a row for it. */
  const look = async <T>(question: () => PromiseLike<T>): Promise<T> => {
    if (Date.now() < lockedUntil) throw unheard();
    try {
      return await inTime(guard(question), PATIENCE_MS);
    } catch (error) {
      if (isLockedOut(error)) lockedUntil = Date.now() + PATIENCE_MS / 4;
      throw error;
    }
  };

  const insert = async (
    rights: KeyRights,
    replaced: ApiKey | null = null,
    by: Sql = sql,
  ): Promise<MadeKey> => {
    const key = makeKey();
    const row = {
      name: rights.name,
      hint: key.slice(0, PREFIX.length + 4),
      hash: sha256(key),
      scopes: [...new Set(rights.scopes)],
      narrowing: rights.narrowing === null ? null : by.json(rights.narrowing),
      sources: rights.sources === null ? null : [...rights.sources],
      origins: rights.origins === null ? null : [...rights.origins],
      events_per_second: rights.eventsPerSecond,
      expires_at: rights.expiresAt,
      replaces: replaced?.id ?? null,
      root: replaced?.root ?? null,
    };
    const [apiKey] = await by<[ApiKey]>`INSERT INTO api_keys ${by(row)} RETURNING ${columns}`;
    return { apiKey, key };
  };

  const isAdministrator = (key: string): boolean =>
    adminHash !== undefined && timingSafeEqual(sha256(key), adminHash);

  return {
    isAdministrator,
    find: async (key) => {
      if (isAdministrator(key)) return administrator;
      if (!wellFormed(key))
        throw unauthenticated('The key is not one of this log; check that it was copied whole.');
      const [row] = await look(
        () => access<(ApiKey & { readonly unnoted: boolean })[]>`
          SELECT ${columns}, coalesce(last_used_at < clock_timestamp() - interval '1 minute', true) AS unnoted
          FROM api_keys WHERE hash = ${sha256(key)} AND ${good}`,
      );
      if (!row)
        throw unauthenticated(
          'The key is unknown, revoked or expired; ask an administrator for another.',
        );
      if (row.unnoted) noteUse(row.id);
      return holderOf(row);
    },
    create: async (rights) => {
      const made = await inTime(insert(checked(rights)));
      if (made.apiKey.origins) changes++;
      return made;
    },
    revoke: async (id) => {
      changes++; // before it is heard of, which may be too late
      const [apiKey] = await inTime(
        sql<ApiKey[]>`
          UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = ${id} RETURNING ${columns}`,
      );
      changes++;
      return apiKey;
    },
    rotate: async (id, overlapMs) => {
      const rotating = sql.begin(async (transaction) => {
        const by = transaction as unknown as Sql;
        // As long as the old one was to live, the new one is.
        const [old] = await by<(ApiKey & { readonly renewed: string | null })[]>`
          SELECT ${columns}, CASE WHEN expires_at IS NOT NULL
            THEN least(clock_timestamp() + (expires_at - created_at), '9999-12-31T23:59:59Z') END AS renewed
          FROM api_keys WHERE id = ${id} AND ${good} FOR UPDATE`;
        if (!old) return undefined;
        const [next] = await by<{ id: number }[]>`
          SELECT id FROM api_keys WHERE replaces = ${id}`;
        if (next)
          wrong(
            `Key ${next.id} is in the place of key ${id} already; rotate that one, or create a key.`,
          );
        await by`
          UPDATE api_keys SET expires_at = least(expires_at, clock_timestamp() + ${overlapMs} * interval '1 millisecond')
          WHERE id = ${id}`;
        return insert({ ...old, expiresAt: old.renewed }, old, by);
      });
      const made = await inTime(rotating);
      changes++;
      return made;
    },
    list: () => access<ApiKey[]>`SELECT ${columns} FROM api_keys ORDER BY id`,
    origins: async () => {
      const rows = await look(
        () => access<{ origin: string }[]>`
          SELECT DISTINCT unnest(origins) AS origin FROM api_keys WHERE ${good}`,
      );
      return new Set(rows.map(({ origin }) => origin));
    },
    bootstrap: async () => {
      if (adminHash) return undefined;
      // One of several servers that start at once makes it; the lock is the transaction's.
      return sql.begin(async (transaction) => {
        await transaction`LOCK TABLE api_keys IN EXCLUSIVE MODE`;
        const [row] =
          await transaction`SELECT FROM api_keys WHERE ${good} AND 'admin' = ANY (scopes) LIMIT 1`;
        if (row) return undefined;
        const { name, scopes } = administrator.viewer;
        return (await insert({ ...unlimited, name, scopes }, null, transaction as unknown as Sql))
          .key;
      });
    },
    changes: () => changes,
  };
};

const holderOf = (row: ApiKey): Holder => ({
  viewer: {
    id: `key ${row.root}`,
    name: row.name,
    scopes: row.scopes,
    narrowing: row.narrowing ?? undefined,
    eventsPerSecond: row.eventsPerSecond ?? undefined,
  },
  sources: row.sources ? blocksOf(row.sources) : undefined,
  origins: row.origins ?? undefined,
  goodUntil: row.expiresAt === null ? Infinity : Date.parse(row.expiresAt),
  believedMs: KEYS_BELIEVED_MS,
});

const unlimited = {
  narrowing: null,
  sources: null,
  origins: null,
  eventsPerSecond: null,
  expiresAt: null,
} as const;

const wrong = (message: string): never => {
  throw new JejakError('BAD_USER_INPUT', message);
};

/** Where in what was given for a narrowing a fault is: the codes of a key for browsers are given by themselves. */
const placeOf = (path: readonly PropertyKey[], origins: KeyRights['origins']): string =>
  path
    .reduce<string>((place, key) => place + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`), 'narrowing')
    .replace(/^narrowing\.code/, (place) => (origins ? 'codes' : place)); // oxfmt-ignore

/** The rights of a new key as they are stored; throws BAD_USER_INPUT for what cannot be meant. */
const checked = (given: Pick<KeyRights, 'name' | 'scopes'> & Partial<KeyRights>): KeyRights => {
  const rights: KeyRights = { ...unlimited, ...given, name: given.name.trim() };
  const { name, scopes, narrowing, sources, origins, eventsPerSecond, expiresAt } = rights;
  if (name === '' || name.length > NAME_MAX || mendText(name) !== name)
    wrong(
      `A key needs a name of 1 to ${NAME_MAX} characters, such as the service that will use it.`,
    );
  if (scopes.length === 0) wrong(`A key needs at least one scope of ${scopeNames.join(', ')}.`);
  if (narrowing && scopes.includes('admin'))
    wrong('A key with the scope admin cannot be narrowed: it can make one that is not.');
  const fault = narrowing && narrowingSchema.safeParse(narrowing).error?.issues[0];
  if (fault) wrong(`\`${placeOf(fault.path, origins)}\`: ${fault.message}.`);
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.now())
    wrong('`expiresAt` is past; a key must be good for a while.');
  if (eventsPerSecond !== null && (eventsPerSecond < 1 || eventsPerSecond > 1_000_000))
    wrong('`eventsPerSecond` is 1 to 1000000.');
  for (const list of [sources, origins])
    if (list && (list.length === 0 || list.length > SOURCES_MAX))
      wrong(`\`sources\` and \`origins\` have 1 to ${SOURCES_MAX} entries.`);
  if (sources) blocksOf(sources);
  for (const origin of origins ?? [])
    if (URL.parse(origin)?.origin !== origin)
      wrong(`"${origin}" is no origin; give scheme, host and port, such as https://edupro.sch.id.`);
  return rights;
};
