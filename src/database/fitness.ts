// Whether a database can keep what it acknowledges. One that would lose it in a crash is refused, unless the operator says
// that this is accepted. Of one that is short of locks our own log is told.

import { JejakError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Sql } from './connection.ts';

const OLDEST_VERSION = 15;

export const assertFit = async (sql: Sql, acceptUnsafe: boolean): Promise<void> => {
  const [{ version, unsafe }] = await sql<[{ version: number; unsafe: string[] }]>`
    SELECT current_setting('server_version_num')::int / 10000 AS version,
           ARRAY(SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off') AS unsafe`;
  if (version < OLDEST_VERSION)
    throw new JejakError(
      'UNAVAILABLE',
      `PostgreSQL ${version} is too old: Jejak needs ${OLDEST_VERSION} or newer.`,
    );
  if (unsafe.length > 0 && !acceptUnsafe)
    throw new JejakError(
      'UNAVAILABLE',
      `The database may lose what it acknowledged, because ${unsafe.join(' and ')} ${unsafe.length === 1 ? 'is' : 'are'} off. Turn it on, or set JEJAK_ACCEPT_UNSAFE_DATABASE=yes if losing events is acceptable.`,
    );
};

/** A question over all partitions and their indexes takes some 400 locks, of a store for this many times the connections. */
const WANTED_LOCKS = 256;

export const warnOfLocks = async (sql: Sql, logger: Logger): Promise<void> => {
  const [row] = await sql<{ setting: number }[]>`
    SELECT setting::int AS setting FROM pg_settings WHERE name = 'max_locks_per_transaction'`;
  if (row && row.setting < WANTED_LOCKS)
    logger.warn(
      { max_locks_per_transaction: row.setting, wanted: WANTED_LOCKS },
      'The database has few locks: where several ask at once about all that is kept, it can run out of them',
    );
};
