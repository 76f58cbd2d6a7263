// Connections to PostgreSQL. Each kind of work has a pool of its own, so that what is slow or hangs there, as a heavy question,
// or a commit whose standby is gone, keeps nothing else waiting.

import postgres from 'postgres';
import { instantFromPostgres } from '../events/time.ts';
import { tellArrays } from './arrays.ts';
import { hasWritten } from './execute.ts';
import { type Pool, createPool } from './pool.ts';
import { type Turns, createTurns } from './turns.ts';

/** After a query that failed between two of its rows, postgres.js 3.4.9 puts as many holes before the rows of the next one
 * on that connection (https://github.com/porsager/postgres/issues/1181). Every result is mended before anybody sees it. */
const mendResults = (sql: postgres.Sql): void => {
  const query = Object.getPrototypeOf(sql``) as PromiseLike<unknown> & {
    mended?: true;
    strings: readonly string[];
  };
  if (query.mended) return;
  const then = Reflect.get(query, 'then');
  const mended: typeof then = function (this: typeof query, resolve, reject) {
    const failed = isTypesQuery(this.strings) ? unheard : reject;
    return then.call(this, resolve && ((rows) => resolve(withoutHoles(rows))), failed) as never;
  };
  // oxlint-disable-next-line unicorn/no-thenable -- it is one already
  Object.defineProperties(query, { then: { value: mended }, mended: { value: true } });
};

const unheard = (): never => undefined as never;

/** What postgres.js asks on each new connection, and nobody hears fail: unheard, that would end the process. Whoever waits for
 * the connection is told by another way, and the types are known without it (arrays.ts). */
const isTypesQuery = (strings: readonly string[]): boolean =>
  strings[0]?.includes('from pg_catalog.pg_type a') ?? false;

const withoutHoles = (rows: unknown): unknown => {
  if (!Array.isArray(rows) || rows.length === 0 || 0 in rows) return rows;
  rows.splice(
    0,
    rows.findIndex((_, index) => index in rows),
  );
  return rows;
};

/** Where the database is: a URL (DATABASE_URL) or the embedded server's socket. */
export type DatabaseAddress =
  | { readonly url: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly database: string;
    };

const types = {
  bigint: { to: 20, from: [20], parse: Number, serialize: String },
  instant: {
    to: 1184,
    from: [1184],
    parse: instantFromPostgres,
    serialize: (value: string) => value,
  },
};
export type Sql = postgres.Sql<{ bigint: number; instant: string }>;

export type PoolOptions = {
  readonly max: number;
  readonly name: string;
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /** Plans are made once, whatever the parameters. */
  readonly plansOnce?: true;
  /** Those of composed statements are kept, too. */
  readonly keepsPlans?: true;
  /** May change and remove what is in the log; others are refused, whoever they are. */
  readonly maintenance?: true;
};

export const connect = (address: DatabaseAddress, pool: PoolOptions): Pool =>
  createPool((onclose) => open(address, pool, onclose));

const open = (address: DatabaseAddress, pool: PoolOptions, onclose: () => void): Sql => {
  const options = {
    max: pool.max,
    types,
    onnotice: () => {},
    onclose,
    max_lifetime: null,
    connect_timeout: 5,
    backoff: (attempt: number) => Math.min(0.05 * 2 ** attempt, 1),
    connection: {
      application_name: `jejak ${pool.name}`,
      TimeZone: 'UTC',
      DateStyle: 'ISO',
      ...(pool.maintenance && { 'jejak.maintenance': 'on' }),
      ...(pool.statementTimeoutMs === undefined
        ? {}
        : { statement_timeout: pool.statementTimeoutMs }),
      ...(pool.lockTimeoutMs === undefined ? {} : { lock_timeout: pool.lockTimeoutMs }),
      ...(pool.plansOnce && { plan_cache_mode: 'force_generic_plan' }),
    },
  };
  const place = 'url' in address ? (socketOf(address.url) ?? address) : address;
  const sql =
    'url' in place
      ? postgres(place.url, options)
      : postgres({ ...options, ...place, username: place.user });
  tellArrays(sql);
  mendResults(sql);
  askAlone(sql);
  if (pool.keepsPlans) keepPlans(sql);
  return sql;
};

/** Where all connections are busy, postgres.js sends a statement behind another; behind a heavy one it waited, whichever
 * connection was free sooner. Its hook for the first statement of a transaction can say that a connection takes no more. On six
 * connections 16 callers then read 8 % fewer pages, on ten 18 % more. */
const askAlone = (sql: Sql): void => {
  const unsafe = sql.unsafe.bind(sql);
  const alone = { onexecute: () => false };
  sql.unsafe = (statement, parameters, options) =>
    unsafe(statement, parameters, { ...alone, ...options });
};

/** So many statements are prepared on a connection, a plan over 28 partitions taking 150 kB. */
const MOST_PLANS = 60;
/** And of so many it is known that they were asked once. */
const MOST_ASKED_ONCE = 200;

/**
 * To plan a question over all partitions takes longer than to answer it: of a page of 50 it was 15 ms of 17. So composed
 * statements are prepared as others are when they come again, as long as there are few, and planned once, for whatever parameters.
 * Not those that have what they look for written in them.
 */
const keepPlans = (sql: postgres.Sql): void => {
  const known = new Set<string>();
  const askedOnce = new Set<string>();
  const isKept = (statement: string): boolean => {
    if (known.has(statement)) return true;
    if (known.size >= MOST_PLANS || hasWritten(statement)) return false;
    if (askedOnce.delete(statement)) {
      known.add(statement);
      return true;
    }
    if (askedOnce.size >= MOST_ASKED_ONCE) askedOnce.clear();
    askedOnce.add(statement);
    return false;
  };
  const unsafe = sql.unsafe.bind(sql);
  sql.unsafe = (statement, parameters, options) =>
    unsafe(statement, parameters, { ...options, prepare: isKept(statement) });
};

/** Where the database is, for people: without what only its users may know. */
export const nameOf = (address: DatabaseAddress): string => {
  const place = 'url' in address ? (socketOf(address.url) ?? address) : address;
  return 'url' in place ? new URL(place.url).host : place.host;
};

/** The address in a URL that names the directory of a Unix socket, as libpq takes it: encoded in place of the host, or as
 * `?host=`. postgres.js knows neither. */
const socketOf = (text: string): DatabaseAddress | undefined => {
  const url = new URL(text.replace('@/', '@localhost/'));
  const parameter = (name: string): string => url.searchParams.get(name) ?? '';
  const host = parameter('host') || decodeURIComponent(url.hostname);
  if (!host.startsWith('/')) return undefined;
  return {
    host,
    port: Number(parameter('port') || url.port || 5432),
    user: decodeURIComponent(url.username) || parameter('user'),
    password: decodeURIComponent(url.password) || parameter('password'),
    database: decodeURIComponent(url.pathname.slice(1)),
  };
};

/** The pools one server uses. */
export type Database = {
  readonly write: Sql;
  readonly read: Sql;
  /** For a page of events. */
  readonly page: Turns<Sql>;
  /** For what takes longer than a page. */
  readonly question: Turns<Sql>;
  /** For who may come in, and what is kept. */
  readonly access: Sql;
  readonly quarantine: Sql;
  readonly follow: Sql;
  readonly rollups: Sql;
  /** For asking whether it answers: behind other queries that would say nothing. */
  readonly pulse: Sql;
  /** A connection of its own to listen on, which postgres.js opens again by itself; whoever opened it ends it. */
  readonly listener: () => Sql;
  /** Has all that comes next go over fresh connections. */
  readonly renew: () => void;
  /** One connection for what changes or removes rows, apart from all that logs and reads; whoever opened it ends it. */
  readonly maintenance: () => Sql;
  [Symbol.asyncDispose](): Promise<void>;
};

export const WRITERS = 2;
/** How many connections there are for those who ask, and how many of them one owner has at most. */
const READERS = { all: 10, own: 8 };
const QUESTIONERS = { all: 6, own: 4 };
const FOLLOWERS = 3;
/** How long a statement waits for what another transaction holds: one that waited longer would keep its connection, for nobody,
 * after its caller was told that it is not done. */
const LOCK_WAIT_MS = 8_000;
const SHORT_LOCK_WAIT_MS = 1_500;
const MAINTENANCE_WAIT_MS = 5_000;
/** What still hangs when the server stops. */
const END_S = 1;

/** `owner` is where maintenance goes; a question to the reading pools is ended after so long. */
export const openDatabase = (
  address: DatabaseAddress,
  questionTimeoutMs = 15_000,
  owner = address,
): Database => {
  const write = connect(address, { name: 'write', max: WRITERS + 2, lockTimeoutMs: LOCK_WAIT_MS });
  const short = { max: 2, lockTimeoutMs: SHORT_LOCK_WAIT_MS };
  const access = connect(address, { name: 'access', ...short });
  const quarantine = connect(address, { name: 'quarantine', ...short });
  const asked = {
    statementTimeoutMs: questionTimeoutMs,
    plansOnce: true,
    keepsPlans: true,
  } as const;
  const read = connect(address, { name: 'read', max: READERS.all, ...asked });
  const question = connect(address, { name: 'question', max: QUESTIONERS.all, ...asked });
  // Over some 300 partitions and their indexes a plan takes longer than what it plans: planned each time, a batch was read
  // in 3.8-4.7 ms and 60,000 events of a replay in 440-660; planned once, in 1.8-2.6 and 250-280.
  const follow = connect(address, { name: 'follow', max: FOLLOWERS, plansOnce: true });
  const rollups = connect(address, { name: 'rollups', max: 1, plansOnce: true });
  const pulse = connect(address, { name: 'pulse', max: 1 });
  const patienceMs = questionTimeoutMs;
  const pools = [write, read, question, access, quarantine, follow, rollups, pulse];
  return {
    write,
    read,
    access,
    quarantine,
    follow,
    rollups,
    pulse,
    page: createTurns(read, { ...READERS, patienceMs }),
    question: createTurns(question, { ...QUESTIONERS, patienceMs }),
    renew: () => pools.forEach((pool) => pool.renew()),
    listener: () => open(address, { name: 'listen', max: 1 }, () => {}),
    maintenance: () =>
      connect(owner, {
        name: 'maintenance',
        max: 1,
        lockTimeoutMs: MAINTENANCE_WAIT_MS,
        maintenance: true,
      }),
    async [Symbol.asyncDispose]() {
      await Promise.all(pools.map((pool) => pool.end({ timeout: END_S })));
    },
  };
};
