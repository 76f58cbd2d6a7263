// The server as it is.

import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/logger.ts';
import { startService } from '../../src/service.ts';
import { type Place, serve } from '../support/serve.ts';

serve(({ databaseUrl, key, port = '0' }: Place) => {
  const config = readConfig({
    PORT: port,
    DATABASE_URL: databaseUrl,
    JEJAK_ADMIN_KEY: key,
    LOG_LEVEL: 'warn',
  });
  return startService(config, createLogger(config.LOG_LEVEL));
});
