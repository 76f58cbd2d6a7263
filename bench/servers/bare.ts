// The same server without roll-ups and with nothing on its table of events but the primary key.

import { readConfig } from '../../src/config.ts';
import { connect } from '../../src/database/connection.ts';
import { migrate } from '../../src/database/migrate.ts';
import { createLogger } from '../../src/logger.ts';
import { exchange } from '../support/exchange.ts';
import { type Place, serve } from '../support/serve.ts';

exchange('/consumers/rollups.ts', new URL('./bare/rollups.ts', import.meta.url));
const { startService } = await import('../../src/service.ts');

serve(async ({ databaseUrl, key, port = '0' }: Place) => {
  await migrate({ url: databaseUrl });
  const sql = connect({ url: databaseUrl }, { name: 'bare', max: 1, maintenance: true });
  const indexes = await sql<{ name: string }[]>`
    SELECT indexrelid::regclass::text AS name FROM pg_index
    WHERE indrelid = 'events'::regclass AND NOT indisprimary`;
  for (const { name } of indexes) await sql.unsafe(`DROP INDEX ${name}`);
  await sql.end();
  const config = readConfig({
    PORT: port,
    DATABASE_URL: databaseUrl,
    JEJAK_ADMIN_KEY: key,
    LOG_LEVEL: 'warn',
  });
  return startService(config, createLogger(config.LOG_LEVEL));
});
