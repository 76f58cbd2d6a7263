// Whether a database can keep what it acknowledges. One that would lose it in a crash is refused, unless the operator says
// that this is accepted.

import { JejakError } from '../errors.ts';
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
