// Our own log: one JSON object a line on standard error, so that standard output holds only what a person asked for. It says
// nothing of what events hold or people ask, which databases repeat in their errors.

import { type DestinationStream, type Logger, destination, pino, stdSerializers } from 'pino';

export type { Logger };

export const createLogger = (
  level: string,
  to: DestinationStream = destination({ dest: 2, sync: false }),
): Logger => pino({ level, name: 'jejak', serializers: { err: bare } }, to);

/** What PostgreSQL tells of rows and statements beside its message. */
const telling = ['detail', 'where', 'internal_query', 'query'];

const bare = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  const told = Object.entries(stdSerializers.err(error)).filter(([key]) => !telling.includes(key));
  const messages = causesOf(error).map((each) => [each.message, unquoted(each)] as const);
  const clean = (text: string): string =>
    messages.reduce((rest, [message, safe]) => rest.replaceAll(message, () => safe), text);
  return Object.fromEntries(
    told.map(([key, value]) => [key, typeof value === 'string' ? clean(value) : value]),
  );
};

const causesOf = (error: unknown): Error[] =>
  error instanceof Error ? [error, ...causesOf(error.cause)] : [];

const unquoted = (error: Error): string =>
  error.name === 'PostgresError' ? error.message.replace(/".*"/s, '"…"') : error.message;
