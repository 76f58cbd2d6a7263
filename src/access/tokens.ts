// User tokens: JWTs of the issuer that is configured, by a shared secret or by the public keys it publishes. The configuration
// alone decides with which keys and algorithms a token is verified; nothing in a token does.

import { type JWTPayload, type JWTVerifyGetKey, createRemoteJWKSet, customFetch, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose'; // oxfmt-ignore
import { z } from 'zod';
import { JejakError } from '../errors.ts';
import { cutText, mendText } from '../events/text.ts';
import { type Holder, unauthenticated } from './authenticate.ts';
import { type Narrowing, narrowingKeys, narrowingSchema } from './narrowing.ts';
import { type Scope, scopeNames } from './viewer.ts';

export type Tokens = {
  /** Whether a credential has the form of a token. */
  readonly isToken: (credential: string) => boolean;
  /** Who holds a token; rejects with UNAUTHENTICATED where it is not good, UNAVAILABLE where the issuer's keys cannot be had. */
  readonly verify: (token: string) => Promise<Holder>;
};

/** What a role may do. */
type Grant = { readonly scopes: readonly Scope[]; readonly narrowing?: Narrowing | undefined };

const scopeList = z.array(z.enum(scopeNames, `must be one of ${scopeNames.join(', ')}`));
const grantSchema = z
  .strictObject({ scopes: scopeList, narrowing: narrowingSchema.optional() })
  .refine(
    ({ scopes, narrowing }) => !narrowing || !scopes.includes('admin'),
    'with the scope admin it cannot be narrowed: its holder can make a key that is not',
  );
/** A list of scopes stands for a role with no more than those. */
export const rolesSchema = z.record(
  z.string(),
  z.preprocess((given) => (Array.isArray(given) ? { scopes: given } : given), grantSchema),
  'must be an object that has roles for keys',
);

export type TokenOptions = {
  /** A secret shared with the issuer, or where it publishes its keys. */
  readonly key: { readonly secret: string } | { readonly url: string };
  readonly issuer: string;
  readonly audience: string;
  /** What each role may do; without it the claim `scope` names scopes. */
  readonly roles: Readonly<Record<string, Grant>> | undefined;
  /** Where in a token things stand: names of claims, or paths such as `realm_access.roles`. */
  readonly claims: { readonly roles: string; readonly userId: string; readonly username: string };
};

const MAX_CHARACTERS = 8 * 1024;
/** Verified again after this, so that a key the issuer has withdrawn does not live on for as long as a token may. */
const BELIEVED_MS = 60_000;
const SKEW_SECONDS = 5;
const NAME_MAX = 100;
const FETCH_TIMEOUT_MS = 1_500;
const FETCH_PAUSE_MS = 5_000;
const KEYS_AGE_MS = 10 * 60_000;
/** Before this an unknown key does not have the keys fetched again. */
const KEYS_COOLDOWN_MS = 30_000;

const families = {
  secret: ['HS256', 'HS384', 'HS512'],
  url: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
};
/** Headers by which a token would say itself how it is to be verified, or hold another token. */
const forbiddenHeaders = ['jku', 'jwk', 'x5u', 'x5c', 'zip', 'cty'];

export const createTokens = ({ key, issuer, audience, roles, claims }: TokenOptions): Tokens => {
  const bySecret = 'secret' in key;
  const verification = bySecret ? new TextEncoder().encode(key.secret) : publishedKeys(key.url);
  const getKey: JWTVerifyGetKey = async (header, token) =>
    verification instanceof Uint8Array ? verification : verification(header, token);
  const options = {
    algorithms: families[bySecret ? 'secret' : 'url'],
    issuer,
    audience,
    requiredClaims: ['exp', 'sub'],
    clockTolerance: SKEW_SECONDS,
  };

  return {
    isToken: (credential) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(credential),
    verify: async (token) => {
      try {
        refuseShape(token);
        const { payload } = await jwtVerify(token, getKey, options);
        return holderOf(payload, roles, claims);
      } catch (error) {
        throw error instanceof errors.JOSEError ? refusalFor(error) : error;
      }
    },
  };
};

const EXPIRED = 'The token has expired; sign in again.';

/** What is refused whoever signed it. */
const refuseShape = (token: string): void => {
  if (token.length > MAX_CHARACTERS)
    throw unauthenticated(`The token is longer than ${MAX_CHARACTERS} characters.`);
  let header;
  let expires;
  try {
    header = decodeProtectedHeader(token);
    expires = decodeJwt(token).exp;
  } catch (cause) {
    throw unauthenticated('The token is not a signed JWT.', cause);
  }
  // Also where the keys to verify it cannot be had, so that nothing lives on with it.
  if (typeof expires === 'number' && (expires + SKEW_SECONDS) * 1_000 < Date.now())
    throw unauthenticated(EXPIRED);
  const forbidden = forbiddenHeaders.find((name) => Object.hasOwn(header, name));
  if (forbidden)
    throw unauthenticated(`The token has the header "${forbidden}", which is not accepted.`);
  if (header.typ !== undefined && !/^(application\/)?(at\+)?jwt$/i.test(header.typ))
    throw unauthenticated(`The token is of type "${cutText(header.typ, 30)}", not JWT.`);
};

/** The keys that an issuer publishes, fetched when they are needed and believed for ten minutes. An issuer that cannot be
 * reached is asked again after a pause, however many tokens come. */
const publishedKeys = (url: string): JWTVerifyGetKey => {
  let resting = 0;
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
    cacheMaxAge: KEYS_AGE_MS,
    [customFetch]: async (address, request) => {
      if (Date.now() < resting) throw new Error('The keys could not be fetched a moment ago');
      resting = Date.now() + FETCH_PAUSE_MS;
      return fetch(address, request);
    },
  });
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (cause) {
      if (aboutToken.some((kind) => cause instanceof kind)) throw cause;
      throw new JejakError(
        'UNAVAILABLE',
        'The keys of the token’s issuer cannot be fetched now; try again.',
        { cause, retryAfterMs: FETCH_PAUSE_MS },
      );
    }
  };
};

const aboutToken = [
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
  errors.JOSENotSupported,
  errors.JOSEAlgNotAllowed,
];

const refusalFor = (error: errors.JOSEError): JejakError => {
  if (error instanceof errors.JWTExpired) return unauthenticated(EXPIRED, error);
  if (error instanceof errors.JWTClaimValidationFailed)
    return unauthenticated(
      `The token's claim "${error.claim}" is ${error.reason === 'missing' ? 'missing' : 'not accepted'}.`,
      error,
    );
  return unauthenticated('The token is not one that this log accepts.', error);
};

const holderOf = (
  payload: JWTPayload,
  roles: TokenOptions['roles'],
  claims: TokenOptions['claims'],
): Holder => {
  const sub = String(payload.sub);
  if (!Number.isFinite(payload.exp))
    // 1e999 is a number too
    throw unauthenticated('The token does not expire; only tokens that do are accepted.');
  const held = roles ? textsOf(claimAt(payload, claims.roles)) : [];
  const grants = roles
    ? held.flatMap((role) => (Object.hasOwn(roles, role) ? [roles[role]!] : []))
    : [{ scopes: scopesOf(textsOf(payload['scope'])) }];
  const narrowing = grants.map((grant: Grant) => grant.narrowing).reduce(both, undefined);
  const scopes = new Set(grants.flatMap((grant) => grant.scopes));
  if (narrowing) scopes.delete('admin'); // with it there is no narrowing, as in one role
  const userId = userIdOf(claimAt(payload, claims.userId));
  const named = claimAt(payload, claims.username);
  const username = typeof named === 'string' && named !== '' ? named : userId === null ? sub : null;
  const userRole = held.find((role) => Object.hasOwn(roles ?? {}, role)) ?? held[0] ?? null;
  return {
    viewer: {
      id: `user ${sub}`,
      name: cutText(mendText(username ?? sub), NAME_MAX),
      scopes: [...scopes],
      narrowing,
      forced: { userId, username, userRole },
    },
    goodUntil: (payload.exp! + SKEW_SECONDS) * 1_000,
    believedMs: BELIEVED_MS,
  };
};

/** The claim of a name, which may have dots in it, or else at a path. */
const claimAt = (payload: JWTPayload, path: string): unknown => {
  const within = (value: unknown, name: string): unknown =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? (value as Record<string, unknown>)[name]
      : undefined;
  return within(payload, path) ?? path.split('.').reduce<unknown>(within, payload);
};

/** A list of texts, or a text of words. */
const textsOf = (claim: unknown): string[] => {
  if (typeof claim === 'string') return claim.split(/\s+/).filter(Boolean);
  return Array.isArray(claim) ? claim.filter((each) => typeof each === 'string') : [];
};

const scopesOf = (texts: readonly string[]): Scope[] =>
  scopeNames.filter((name) => texts.includes(name));

const userIdOf = (claim: unknown): number | null => {
  const number = typeof claim === 'string' && /^\d{1,10}$/.test(claim) ? Number(claim) : claim;
  return typeof number === 'number' && (number | 0) === number ? number : null;
};

/** Within both: who has several roles that are narrowed is kept within each, so that no role widens another. */
const both = (one: Narrowing | undefined, other: Narrowing | undefined): Narrowing | undefined => {
  if (!one || !other) return one ?? other;
  const shared: Record<string, unknown> = {};
  for (const key of narrowingKeys) {
    const [some, others] = [one[key], other[key]] as (readonly string[] | null | undefined)[];
    shared[key] =
      some && others ? some.filter((value) => others.includes(value)) : (some ?? others);
  }
  return shared;
};
