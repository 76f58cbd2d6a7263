// Jejak at a place of a benchmark.

import { readConfig } from '../../src/config.ts';
import { createLogger } from '../../src/logger.ts';
import { startService } from '../../src/service.ts';
import type { Place, Serving } from './serve.ts';

export const startJejak = ({ databaseUrl, key, port = '0' }: Place): Promise<Serving> => {
  const config = readConfig({
    PORT: port,
    DATABASE_URL: databaseUrl,
    JEJAK_ADMIN_KEY: key,
    LOG_LEVEL: 'warn',
  });
  return startService(config, createLogger(config.LOG_LEVEL));
};
