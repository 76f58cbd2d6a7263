// One server, put together: the database, the log, its reader, the doors; started in that order and stopped in the other.

import { createKeys } from './access/keys.ts';
import { createRateLimit } from './access/rate.ts';
import type { Config } from './config.ts';
import { type DatabaseAddress, WRITERS, nameOf, openDatabase } from './database/connection.ts';
import { unavailable } from './database/failures.ts';
import { startEmbedded } from './database/embedded.ts';
import { migrate } from './database/migrate.ts';
import { ensurePartitions } from './database/partitions.ts';
import { createPulse } from './database/pulse.ts';
import { watchRoom } from './database/room.ts';
import { listen } from './http/server.ts';
import { createBatcher } from './ingest/batcher.ts';
import { createLog } from './ingest/log.ts';
import { persist } from './ingest/persist.ts';
import { createQuarantine } from './ingest/quarantine.ts';
import { createDoorbell } from './live/doorbell.ts';
import { createFollow } from './live/follow.ts';
import { createGroups } from './live/groups.ts';
import { createReader } from './live/reader.ts';
import type { Logger } from './logger.ts';

export type Service = AsyncDisposable & {
  readonly url: string;
  /** The administrator's key, where this start made it; to be shown once. */
  readonly adminKey: string | undefined;
  /** Where the events are kept, for people. */
  readonly location: string;
};

const MAX_WAITING_EVENTS = 20_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const HOUR_MS = 3_600_000;

export const startService = async (config: Config, logger: Logger): Promise<Service> => {
  await using starting = new AsyncDisposableStack();

  const embedded =
    config.DATABASE_URL === undefined
      ? starting.use(
          await startEmbedded({
            dataDir: config.JEJAK_DATA_DIR,
            log: (message, details) => logger.info(details ?? {}, message),
          }),
        )
      : undefined;
  const address: DatabaseAddress = embedded?.connection ?? { url: config.DATABASE_URL! };
  await migrate(address, { acceptUnsafe: config.JEJAK_ACCEPT_UNSAFE_DATABASE === 'yes' });

  const database = starting.use(openDatabase(address));
  const pulse = starting.use(createPulse(database.follow));
  const keys = createKeys(database.read, pulse.guard, config.JEJAK_ADMIN_KEY);
  const adminKey = await keys.bootstrap();

  const clock = () => new Date();
  const room = embedded && starting.use(watchRoom(embedded.location));
  const batcher = createBatcher({
    append: async (batch) => {
      room?.assert();
      return persist(database.write, batch);
    },
    writers: WRITERS,
    maxWaiting: MAX_WAITING_EVENTS,
    maxWaitingBytes: MAX_WAITING_BYTES,
  });
  starting.defer(() => batcher.drained());
  pulse.onSilence(() => batcher.abandon(unavailable()));
  const quarantine = createQuarantine(database.read);
  const doorbell = starting.use(createDoorbell(database.follow, database.listener, logger));
  const log = createLog({
    batcher,
    sql: database.write,
    quarantine,
    pulse,
    rateLimit: createRateLimit(config.JEJAK_KEY_EVENTS_PER_SECOND),
    committed: doorbell.ring,
    clock,
    logger,
  });
  const reader = starting.use(createReader(database.follow, doorbell, logger));
  const groups = starting.use(createGroups(reader));
  const follow = createFollow(database.follow, reader, groups);

  const housekeeping = setInterval(() => {
    const complain = (error: unknown) =>
      logger.error({ err: error }, 'Housekeeping failed; it is tried again in an hour');
    ensurePartitions(database.write, clock()).catch(complain);
    quarantine.purge().catch(complain);
  }, HOUR_MS);
  starting.defer(() => clearInterval(housekeeping));

  const server = starting.use(
    await listen(
      { database, log, quarantine, follow, keys, clock, logger, pulse },
      { port: config.PORT, host: config.HOST },
    ),
  );
  const running = starting.move();
  return {
    url: server.url,
    adminKey,
    location: embedded?.location ?? nameOf(address),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};
