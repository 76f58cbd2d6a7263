// Every option of the server, a line each: the README's table and the reading of the environment are computed from these.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { blocksOf } from './access/caller.ts';
import { rolesSchema } from './access/tokens.ts';
import { nameOf } from './database/connection.ts';

const whole = (least: number, most: number) =>
  z
    .string()
    .refine(
      (text) => /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most,
      `must be a whole number from ${least} to ${most}`,
    )
    .transform(Number);

const oneOf = <const V extends readonly string[]>(...values: V) =>
  z.enum(values, `must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`);

const list = z.string().transform((text) => text.split(',').map((part) => part.trim()).filter(Boolean)); // oxfmt-ignore

/** What a text means; where it cannot be read the fault is that of the option, and why comes after it. */
const readBy = <V, T>(schema: z.ZodType<V, string>, reading: (value: V) => T, fault: string) =>
  schema.transform((value, context) => {
    try {
      return reading(value);
    } catch (error) {
      context.addIssue(`${fault}: ${(error as Error).message.replace(/\.$/, '')}`);
      return z.NEVER;
    }
  });

const address = readBy(
  z.string().regex(/^postgres(ql)?:\/\//, 'must begin with postgres:// or postgresql://'),
  (url) => {
    nameOf({ url });
    return url;
  },
  'must name one server, with what is special in a name or password percent-encoded',
);

// oxfmt-ignore
export const options = {
  PORT: { schema: whole(0, 65_535), default: '4000', about: 'Port to listen on; 0 takes a free one.' },
  HOST: { schema: z.string(), default: '127.0.0.1', about: 'Address to listen on; `0.0.0.0` for every interface.' },
  DATABASE_URL: { schema: address, about: 'An existing PostgreSQL, 15 or newer, instead of the embedded one.' },
  JEJAK_MAINTENANCE_DATABASE_URL: { schema: address, about: 'The same database as its owner, for migrations and retention. `DATABASE_URL` then needs no rights: what the service may do is granted to it, and changing or removing what is in the log is not among that.' },
  JEJAK_DATA_DIR: { schema: z.string(), default: '.jejak', about: 'Where the embedded database keeps its files.' },
  JEJAK_ADMIN_KEY: { schema: z.string().min(16, 'must have at least 16 characters'), about: 'A key with every right, besides the stored ones; 16 characters at least. Unset, one is made at first start and printed once.' },
  JEJAK_HASH_KEY: { schema: z.string().min(16, 'must have at least 16 characters'), about: 'The secret of the keyed hashes that are stored in place of sessions. Unset, one is made at first start and kept in the database. It is the same for good, and on every server of a database.' },
  JEJAK_PRIVACY_POLICY: { schema: z.string(), about: 'A JSON file that changes what is kept, masked, hashed and dropped; see [Privacy](#privacy).' },
  JEJAK_JWT_SECRET: { schema: z.string().min(32, 'must have at least 32 characters'), about: 'The secret with which user tokens are signed (HS256, HS384, HS512).' },
  JEJAK_JWKS_URL: { schema: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }), about: 'Where the issuer of user tokens publishes its keys (RS, PS, ES and EdDSA); in the place of a secret.' },
  JEJAK_JWT_ISSUER: { schema: z.string(), about: 'The `iss` of user tokens; needed with a secret or keys.' },
  JEJAK_JWT_AUDIENCE: { schema: z.string(), about: 'The `aud` of user tokens; needed with a secret or keys.' },
  JEJAK_JWT_ROLES: { schema: readBy(z.string(), (text): unknown => JSON.parse(text), 'is not JSON').pipe(rolesSchema), about: 'What the holder of a role may do, as JSON: `{"GURU": ["events:read"], "BK": {"scopes": ["events:read"], "narrowing": {"category": ["DATA"]}}}`. Unset, the claim `scope` of a token names scopes.' },
  JEJAK_JWT_ROLES_CLAIM: { schema: z.string(), default: 'roles', about: 'The claim with the roles, a list or words, or a path such as `realm_access.roles`.' },
  JEJAK_JWT_USER_ID_CLAIM: { schema: z.string(), default: 'sub', about: 'The claim with the number of the user.' },
  JEJAK_JWT_USERNAME_CLAIM: { schema: z.string(), default: 'preferred_username', about: 'The claim with the name of the user.' },
  JEJAK_TRUSTED_PROXIES: { schema: readBy(list, blocksOf, 'cannot be read'), about: 'Addresses and blocks of the proxies, separated by commas, whose `X-Forwarded-For` is believed. Unset, none is.' },
  JEJAK_KEY_EVENTS_PER_SECOND: { schema: whole(1, 1_000_000), about: 'How many events a key may log per second; more is refused with `OVERLOADED`. Unset, keys only share fairly.' },
  JEJAK_RETENTION_MINUTES: { schema: whole(1, 1_440), default: '60', about: 'How often what has expired is removed, in minutes; of several servers one does it.' },
  JEJAK_INTROSPECTION: { schema: oneOf('everyone', 'admin'), about: 'Who may ask for the schema and is told what is spelt alike: `everyone`, or who has the scope `admin`. Unset, everyone where `HOST` is a loopback address, else `admin`.' },
  JEJAK_DOCUMENTS: { schema: z.string(), about: 'A JSON file of documents, by an id each, that may be asked for by `documentId`: that id, or `sha256:` and the hash of the text.' },
  JEJAK_ONLY_DOCUMENTS: { schema: oneOf('yes', 'no'), default: 'no', about: '`yes` answers other documents than those to administrators only.' },
  JEJAK_MAX_BODY_BYTES: { schema: whole(1_000, 64 * 1024 * 1024), default: '1048576', about: 'The most bytes in the body of a request, before and after inflating.' },
  JEJAK_MAX_DOCUMENT_TOKENS: { schema: whole(10, 1_500), default: '1000', about: 'The most tokens in a GraphQL document; 2,000 can overflow the stack.' },
  JEJAK_MAX_ROOT_FIELDS: { schema: whole(1, 1_500), default: '20', about: 'The most fields at the root of an operation, so the most questions at a time.' },
  JEJAK_MAX_DOCUMENT_DEPTH: { schema: whole(2, 100), default: '20', about: 'The most levels of an operation, fragments expanded.' },
  JEJAK_MAX_DOCUMENT_FIELDS: { schema: whole(1, 10_000), default: '500', about: 'The most fields of an operation, fragments expanded.' },
  JEJAK_MAX_FRAME_BYTES: { schema: whole(1_000, 1024 * 1024), default: '65536', about: 'The most bytes in a WebSocket frame from a client, and characters in a document.' },
  JEJAK_MAX_SUBSCRIPTIONS: { schema: whole(1, 1_000), default: '20', about: 'The most operations at a time on a WebSocket.' },
  JEJAK_QUESTION_TIMEOUT_MS: { schema: whole(100, 600_000), default: '15000', about: 'How long the database may take over a question, in milliseconds; then it is a `TIMEOUT`.' },
  JEJAK_ACCEPT_UNSAFE_DATABASE: { schema: oneOf('yes', 'no'), default: 'no', about: '`yes` starts on a database with `fsync`, `full_page_writes` or `synchronous_commit` off, which may lose what was acknowledged.' },
  LOG_LEVEL: { schema: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), default: 'info', about: 'How much our own log says, on standard error.' },
} as const satisfies Record<
  string,
  { schema: z.ZodType<unknown, string>; default?: string; about: string }
>;

type Options = typeof options;
type OptionName = keyof Options;
export type Config = {
  readonly [N in OptionName]:
    | z.output<Options[N]['schema']>
    | (Options[N] extends { default: string } ? never : undefined);
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the options; an empty value counts as unset. Throws with every mistake named. */
export const readConfig = (environment: Environment): Config => {
  const mistakes: string[] = [];
  const entries = Object.entries(options).map(([name, option]) => {
    const text = environment[name] || ('default' in option ? option.default : undefined);
    if (text === undefined) return [name, undefined];
    const read = option.schema.safeParse(text);
    if (!read.success) mistakes.push(`${name} ${read.error.issues.map(mistakeOf).join(', ')}`);
    return [name, read.data];
  });
  const config = Object.fromEntries(entries) as Config;
  mistakes.push(...contradictions(environment));
  if (mistakes.length > 0)
    throw new Error(`The environment cannot be used: ${mistakes.join('; ')}.`);
  return config;
};

/** Names that look like options and are none, such as misspelt ones. */
export const unknownIn = (environment: object): string[] =>
  Object.keys(environment).filter(
    (name) => name.startsWith('JEJAK_') && !Object.hasOwn(options, name) && !ofOthers.test(name),
  );
/** Of callers, and what Kubernetes gives every container where a service is called jejak. */
const ofOthers = /^JEJAK_(?:KEY$|URL$|PORT|SERVICE_)/;

/** What a file of JSON says that an option names. Throws an error with every mistake in it. */
export const readSettings = async <S extends z.ZodType>(
  option: keyof Options,
  path: string,
  schema: S,
): Promise<z.output<S>> => {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new Error(`${option} ${path} cannot be used: ${why}`, { cause });
  }
};

const mistakeOf = ({ path, message }: z.core.$ZodIssue): string =>
  path.length === 0 ? message : `${path.join('.')}: ${message}`;

/** Whatever may be wrong with a value, it was given. */
const contradictions = (given: Environment): string[] => {
  const { JEJAK_JWT_SECRET: secret, JEJAK_JWKS_URL: url } = given;
  const ofTokens = Object.keys(options).filter((name) => name.startsWith('JEJAK_JWT_'));
  const needed = secret || url ? ['JEJAK_JWT_ISSUER', 'JEJAK_JWT_AUDIENCE'] : [];
  const idle = secret || url ? [] : ofTokens;
  return [
    ...(given['JEJAK_MAINTENANCE_DATABASE_URL'] && !given['DATABASE_URL']
      ? ['DATABASE_URL is needed beside JEJAK_MAINTENANCE_DATABASE_URL']
      : []),
    ...(given['JEJAK_ONLY_DOCUMENTS'] === 'yes' && !given['JEJAK_DOCUMENTS']
      ? ['JEJAK_DOCUMENTS is needed beside JEJAK_ONLY_DOCUMENTS']
      : []),
    ...(secret && url ? ['JEJAK_JWT_SECRET and JEJAK_JWKS_URL exclude each other'] : []),
    ...needed.filter((name) => !given[name]).map((name) => `${name} is needed for user tokens`),
    ...idle
      .filter((name) => given[name])
      .map((name) => `JEJAK_JWT_SECRET or JEJAK_JWKS_URL is needed beside ${name}`),
  ];
};
