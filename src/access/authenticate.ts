// From the credential of a request to its viewer: an API key or the token of a user. What was found good is believed for a
// while, by the text as it was sent, so that on most requests nothing is hashed, verified or asked.

import type { BlockList } from 'node:net';
import { refusalOf } from '../database/failures.ts';
import { JejakError } from '../errors.ts';
import type { Protection } from '../events/protect.ts';
import { type Caller, addressOf, isWithin } from './caller.ts';
import type { Keys } from './keys.ts';
import { storedNarrowing } from './narrowing.ts';
import type { Tokens } from './tokens.ts';
import type { Viewer } from './viewer.ts';

/** Who holds a credential, and how far it reaches. */
export type Holder = {
  readonly viewer: Viewer;
  /** The addresses it may be used from. */
  readonly sources?: BlockList | undefined;
  /** The origins of the pages it is for; nothing that such a page says of who acts is believed. */
  readonly origins?: readonly string[] | undefined;
  /** When it ceases to be good, in milliseconds since 1970. */
  readonly goodUntil: number;
  /** For how long it is believed without asking again. */
  readonly believedMs: number;
};

export type Access = {
  /** The viewer of an `Authorization` value. Rejects with UNAUTHENTICATED for one that is not good, FORBIDDEN where it may not
   * be used from, UNAVAILABLE where that cannot be looked up now. */
  readonly authenticate: (authorization: string | undefined, caller: Caller) => Promise<Viewer>;
  /** Rejects with UNAUTHENTICATED where a credential no longer holds. While that cannot be looked up nobody knows better. */
  readonly assertHolds: (authorization: string | undefined) => Promise<void>;
  /** Whether some key is for pages of this origin. */
  readonly isOrigin: (origin: string) => Promise<boolean>;
};

/** So long a key that was revoked by another server may live on. */
export const KEYS_BELIEVED_MS = 5_000;
/** How often what lives on, sockets and streams, looks whether its credential holds: so it ends within ten seconds. */
export const LOOK_AT_CREDENTIALS_MS = 4_000;
const MOST_BELIEVED = 10_000;

export const unauthenticated = (message: string, cause?: unknown): JejakError =>
  new JejakError('UNAUTHENTICATED', message, { cause });

type AccessParts = {
  readonly keys: Keys;
  readonly tokens: Tokens | undefined;
  readonly proxies: BlockList;
  readonly storedForms: Protection['storedForms'];
};

export const createAccess = ({ keys, tokens, proxies, storedForms }: AccessParts): Access => {
  const believed = new Map<string, { holder: Holder; until: number }>();
  const asking = new Map<string, Promise<Holder>>();
  let pages: { origins: ReturnType<Keys['origins']>; until: number } | undefined;
  let changes = keys.changes();

  /** What was read before a key changed here is not believed after it. */
  const forgetChanged = (): void => {
    if (changes === keys.changes()) return;
    changes = keys.changes();
    believed.clear();
    asking.clear();
    pages = undefined;
  };

  const ask = async (authorization: string): Promise<Holder> => {
    const credential = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
    if (credential === undefined)
      throw unauthenticated(
        'Send a credential: "Authorization: Bearer <API key or token>", on a socket as connectionParams.authorization.',
      );
    const begun = Date.now();
    const asked = changes;
    const found = await (tokens?.isToken(credential) && !keys.isAdministrator(credential)
      ? tokens.verify(credential)
      : keys.find(credential));
    const { narrowing } = found.viewer;
    const viewer = narrowing
      ? { ...found.viewer, narrowing: storedNarrowing(narrowing, storedForms) }
      : found.viewer;
    const holder = { ...found, viewer };
    if (believed.size >= MOST_BELIEVED) believed.clear();
    if (asked === keys.changes())
      believed.set(authorization, {
        holder,
        until: Math.min(begun + holder.believedMs, holder.goodUntil),
      });
    return holder;
  };

  const holderOf = (authorization = ''): Holder | Promise<Holder> => {
    forgetChanged();
    const known = believed.get(authorization);
    if (known && known.until > Date.now()) return known.holder;
    const asked =
      asking.get(authorization) ??
      ask(authorization).finally(() => void asking.delete(authorization));
    asking.set(authorization, asked);
    return asked;
  };

  const admitted = ({ viewer, sources, origins }: Holder, caller: Caller): Viewer => {
    if (sources && !isWithin(sources, addressOf(caller, proxies)))
      throw new JejakError(
        'FORBIDDEN',
        `The key "${viewer.name}" may not be used from this address.`,
      );
    if (!origins) return viewer;
    const { origin, 'user-agent': userAgent = null } = caller.headers;
    if (origin === undefined || !origins.includes(origin))
      throw new JejakError(
        'FORBIDDEN',
        `The key "${viewer.name}" is for pages of ${origins.join(', ')} only.`,
      );
    const ipAddress = addressOf(caller, proxies) ?? null;
    const metadata = { source: viewer.name };
    return { ...viewer, forced: { ...nobody, ipAddress, userAgent, metadata } };
  };

  return {
    authenticate: async (authorization, caller) => admitted(await holderOf(authorization), caller),
    assertHolds: async (authorization) => {
      try {
        await holderOf(authorization);
      } catch (error) {
        if (refusalOf(error)?.code === 'UNAUTHENTICATED') throw error;
      }
    },
    isOrigin: async (origin) => {
      forgetChanged();
      if (!pages || pages.until <= Date.now()) {
        const looked = { origins: keys.origins(), until: Date.now() + KEYS_BELIEVED_MS };
        looked.origins.catch(() => (pages = undefined));
        pages = looked;
      }
      return (await pages.origins).has(origin);
    },
  };
};

const nobody = { userId: null, username: null, userRole: null } as const;
