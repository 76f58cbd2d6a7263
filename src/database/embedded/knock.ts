import { setTimeout as delay } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';

export type Connection = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
};

/**
 * - `ready`: it answers queries
 * - `starting`: somebody is there but takes no queries yet or any more (recovery, shutdown)
 * - `silent`: somebody holds the socket and says nothing
 * - `nobody`: nobody listens on the socket
 */
export type Answer = 'ready' | 'starting' | 'silent' | 'nobody';

const answers: Record<string, Answer> = {
  ENOENT: 'nobody',
  ECONNREFUSED: 'nobody',
  CONNECT_TIMEOUT: 'silent',
  CONNECTION_DESTROYED: 'silent',
  EAGAIN: 'silent', // the listening queue of a stopped PostgreSQL is full
  CONNECTION_CLOSED: 'starting',
  ECONNRESET: 'starting',
  EPIPE: 'starting',
  '57P01': 'starting', // admin_shutdown
  '57P02': 'starting', // crash_shutdown
  '57P03': 'starting', // cannot_connect_now
  '53300': 'ready', // too_many_connections: full, therefore running
};

/** What an error of postgres.js says of the database; undefined when that it answers, but not as it should. */
export const answerOf = (error: unknown): Answer | undefined =>
  answers[(error as { code?: string }).code ?? ''];

const patienceMs = 2_000;

/** Tries a connection and a query. */
export const knock = async (connection: Connection): Promise<Answer> => {
  const sql = connect(connection);
  try {
    await within(sql, 1.5 * patienceMs, () => sql`select 1`);
    return 'ready';
  } catch (cause) {
    const answer = answerOf(cause);
    if (answer) return answer;
    throw new Error(`PostgreSQL refuses us on ${connection.host}: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    await sql.end({ timeout: 1 });
  }
};

/** Waits a while for one that is starting, or ending, to have done so. */
export const knockUntilSettled = async (
  connection: Connection,
  limitMs = 10_000,
): Promise<Answer> => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await knock(connection);
    if (answer !== 'starting' || performance.now() > deadline) return answer;
    await delay(50);
  }
};

/** One connection that lives until it is ended or cut. */
export const connect = (connection: Connection, onclose: () => void = () => {}) =>
  postgres({
    ...connection,
    max: 1,
    connect_timeout: patienceMs / 1000,
    max_lifetime: null,
    fetch_types: false,
    prepare: false,
    connection: { application_name: 'jejak embedded' },
    onnotice: () => {},
    onclose,
  });

/** Destroys the connection, which rejects its queries, when they take longer: a stopped PostgreSQL never answers. */
export const within = async <T>(
  sql: Sql,
  limitMs: number,
  work: () => PromiseLike<T>,
): Promise<T> => {
  const limit = setTimeout(() => void sql.end({ timeout: 0 }), limitMs);
  try {
    return await work();
  } finally {
    clearTimeout(limit);
  }
};
