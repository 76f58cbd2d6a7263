// The process: environment in, signals, exit code.

import { readConfig, unknownIn } from './config.ts';
import { createLogger } from './logger.ts';
import { startService } from './service.ts';

const OLDEST_NODE = 24;
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `Jejak needs Node ${OLDEST_NODE} or newer and this is ${process.version}; start it with "npm start", which brings its own.\n`,
  );
  process.exit(1);
}

let starting = true;
const stopping = new AbortController();
const stopped = new Promise<string>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      stopping.abort(new Error(`${signal} came first`));
      resolve(signal);
    });
});

try {
  const config = readConfig(process.env);
  const logger = createLogger(config.LOG_LEVEL);
  const unknown = unknownIn(process.env);
  if (unknown.length > 0)
    logger.warn({ unknown }, 'The environment has names that are no options and change nothing; see the README'); // oxfmt-ignore
  // A connection that is cut at the wrong moment can leave a rejection that nobody waits for. What was asked has failed
  // where it was asked; the log goes on.
  process.on('unhandledRejection', (error) => logger.error({ err: error }, 'Unhandled rejection'));
  await using service = await startService(config, logger, stopping.signal);
  starting = false;
  if (service.adminKey)
    process.stdout.write(`Administrator key, shown only this once: ${service.adminKey}\n`);
  process.stdout.write(
    `Jejak is ready at ${service.url} (GraphiQL: ${service.url}/graphql, events in ${service.location})\n`,
  );
  logger.info({ signal: await stopped }, 'Stopping');
} catch (error) {
  // Ctrl-C in a terminal ends PostgreSQL's programs too, with errors that say nothing of use.
  const cutShort = stopping.signal.aborted && starting;
  const why = cutShort
    ? 'was stopped while it started'
    : `cannot go on: ${(error as Error).message}`;
  process.stderr.write(`Jejak ${why}\n`);
  process.exitCode = 1;
}
process.exit(); // whatever is waited for: a statement behind a lock outlives the pool that gave it up
