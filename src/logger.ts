// Our own log: one JSON object a line on standard error, so that standard output holds only what a person asked for.

import { type Logger, destination, pino } from 'pino';

export type { Logger };

export const createLogger = (level: string): Logger =>
  pino({ level, name: 'jejak' }, destination({ dest: 2, sync: false }));
