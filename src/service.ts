// One server, put together: the database, the log, its reader, the doors; started in that order and stopped in the other.

import { setFlagsFromString } from 'node:v8';
import { z } from 'zod';
import { createAccess } from './access/authenticate.ts';
import { blocksOf, isWithin } from './access/caller.ts';
import { createKeys } from './access/keys.ts';
import { createRateLimit } from './access/rate.ts';
import { type Tokens, createTokens } from './access/tokens.ts';
import { type Config, readSettings } from './config.ts';
import { createRollups } from './consumers/rollups.ts';
import { type DatabaseAddress, WRITERS, nameOf, openDatabase } from './database/connection.ts';
import { codeOf, unavailable } from './database/failures.ts';
import { startEmbedded } from './database/embedded.ts';
import { warnOfLocks } from './database/fitness.ts';
import { migrate } from './database/migrate.ts';
import { agreeOnHashKey } from './database/hash-key.ts';
import { dueOf } from './database/partitions.ts';
import { serviceAddress } from './database/privileges.ts';
import { createPulse } from './database/pulse.ts';
import { watchRoom } from './database/room.ts';
import { type Policy, createHash, createPolicy } from './events/privacy.ts';
import { createMask } from './events/mask.ts';
import { createProtection } from './events/protect.ts';
import { type Documents, createDocuments } from './graphql/documents.ts';
import { listen } from './http/server.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBackpressure } from './ingest/backpressure.ts';
import { createBatcher } from './ingest/batcher.ts';
import { createLog } from './ingest/log.ts';
import { createPersist } from './ingest/persist.ts';
import { createRecord } from './ingest/record.ts';
import { createQuarantine } from './ingest/quarantine.ts';
import { createDoorbell } from './live/doorbell.ts';
import { createFollow } from './live/follow.ts';
import { createGroups } from './live/groups.ts';
import { createReader } from './live/reader.ts';
import type { Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { readPolicy } from './policy.ts';
import { watchPolicy } from './retention/policy.ts';
import { createRetention } from './retention/retention.ts';

export type Service = AsyncDisposable & {
  readonly url: string;
  /** The administrator's key, where this start made it; to be shown once. */
  readonly adminKey: string | undefined;
  /** Where the events are kept, for people. */
  readonly location: string;
};

/** About 40 ms of work on two cores for one key alone, so that under a flood what is accepted is answered soon: of calls of 20
 * half took 50 ms and the slowest hundredth 140 to 160; at 1,700 it was 75 to 95 and 165 to 225. */
const MAX_WORK = 1_000;
const GOODBYE_MS = 500;
const MAX_BYTES = 64 * 1024 * 1024;

// What belongs to requests under way grows old before it is garbage. Collected whenever a third has come to it, the process
// held 330 MB under full load; as V8 would have it, 470, at the same rate.
setFlagsFromString('--heap-growing-percent=30');
// The helpers that share in collecting what is young have to be waited for where the cores are busy: alone it took 3 ms in the
// place of 5, and the p99 of 1,000 sockets was 30 ms in the place of 39.
setFlagsFromString('--no-parallel-scavenge');

/** The signal ends a start that is not done; what waits for the database then may be left behind. */
export const startService = async (
  config: Config,
  logger: Logger,
  signal = new AbortController().signal,
): Promise<Service> => {
  await using starting = new AsyncDisposableStack();
  const unlessStopped = whileNot(signal);

  // Before there is a database: what is wrong with a file needs none.
  const policy = await policyOf(config);
  const documents = await documentsOf(config);

  const embedded =
    config.DATABASE_URL === undefined
      ? starting.use(
          await startEmbedded({
            dataDir: config.JEJAK_DATA_DIR,
            signal,
            log: (message, details) => logger.info(details ?? {}, message),
          }),
        )
      : undefined;
  const address: DatabaseAddress = embedded
    ? serviceAddress(embedded.connection)
    : { url: config.DATABASE_URL! };
  const owner: DatabaseAddress = embedded?.connection ?? {
    url: config.JEJAK_MAINTENANCE_DATABASE_URL ?? config.DATABASE_URL!,
  };
  await unlessStopped(
    migrate(owner, {
      acceptUnsafe: config.JEJAK_ACCEPT_UNSAFE_DATABASE === 'yes',
      service: embedded || config.JEJAK_MAINTENANCE_DATABASE_URL ? address : undefined,
    }),
  ).catch((cause: Error) => {
    const fault = (cause.cause ?? cause) as Error; // drizzle wraps it
    const advice =
      codeOf(fault) === '42501' ? '; set JEJAK_MAINTENANCE_DATABASE_URL to that of its owner' : '';
    throw new Error(`The database at ${nameOf(owner)} cannot be used: ${fault.message}${advice}`, {
      cause,
    });
  });

  const database = starting.use(openDatabase(address, config.JEJAK_QUESTION_TIMEOUT_MS, owner));
  await unlessStopped(warnOfLocks(database.access, logger));
  const pulse = starting.use(createPulse(database.pulse, database.renew));
  const hash = createHash(
    await unlessStopped(agreeOnHashKey(database.write, config.JEJAK_HASH_KEY)),
  );
  const protection = createProtection(policy, hash);
  const mask = createMask(policy);
  const keys = createKeys(database, pulse.guard, config.JEJAK_ADMIN_KEY);
  const access = createAccess({
    keys,
    tokens: tokensOf(config),
    proxies: config.JEJAK_TRUSTED_PROXIES ?? blocksOf([]),
    storedForms: protection.storedForms,
  });
  const clock = () => new Date();
  const kept = starting.use(await unlessStopped(watchPolicy(database.access, logger)));
  const metrics = createMetrics();
  const room = embedded && starting.use(watchRoom(embedded.location));
  const doorbell = starting.use(createDoorbell(database.follow, database.listener, logger));
  const persist = createPersist(database.write, (made) => {
    const partitions = dueOf(made, clock(), kept.current().periods.severities);
    if (partitions.length === 0) return;
    metrics.partitionsMissing.inc(partitions.length);
    logger.warn({ partitions }, 'Partitions were missing and were made; is the retention run overdue?'); // oxfmt-ignore
  });
  const batcher = createBatcher({
    append: async (batch) => {
      metrics.batchEvents.observe(batch.events.length);
      const done = metrics.commitSeconds.startTimer();
      const appended = await persist(batch);
      done();
      doorbell.ring();
      return appended;
    },
    writers: WRITERS,
  });
  // The pools end what hangs.
  starting.defer(() =>
    Promise.race([batcher.drained(), sleep(GOODBYE_MS, undefined, { ref: false })]),
  );
  pulse.onSilence(() => batcher.abandon(unavailable()));
  const quarantine = createQuarantine(database.quarantine, () => room?.assert());
  const backpressure = createBackpressure({ maxWork: MAX_WORK, maxBytes: MAX_BYTES });
  const log = createLog({
    backpressure,
    batcher,
    room,
    sql: database.write,
    quarantine,
    protect: protection.protect,
    hash,
    pulse,
    rateLimit: createRateLimit(config.JEJAK_KEY_EVENTS_PER_SECOND),
    clock,
    kept: kept.current,
    logger,
    metrics,
  });
  const reader = starting.use(createReader(database.follow, doorbell, logger, metrics));
  const groups = starting.use(createGroups(reader, metrics));
  const follow = createFollow(database.follow, reader, groups, metrics);
  metrics.watch(
    'jejak_work_under_way',
    `Events on their way into the log, and calls; from ${MAX_WORK} on they are refused`,
    backpressure.work,
  );
  metrics.watch(
    'jejak_live_head',
    'The last batch that this server has read',
    () => reader.head().seq,
  );
  metrics.watch('jejak_live_groups', 'Groups of subscribers who want the same', groups.size);
  metrics.watch('jejak_live_subscribers', 'Subscribers', groups.members);

  starting.use(
    createRollups(database.rollups, () => kept.current().periods, clock, logger, metrics),
  );

  const retention = createRetention({
    policy: kept,
    read: database.read,
    maintenance: database.maintenance,
    log,
    clock,
    everyMinutes: config.JEJAK_RETENTION_MINUTES,
    logger,
    metrics,
  });
  starting.use(retention.start());

  const server = starting.use(
    await listen(
      {
        database,
        log,
        quarantine,
        protection,
        mask,
        follow,
        record: createRecord(log),
        keys,
        retention,
        access,
        clock,
        logger,
        pulse,
        assertRoom: backpressure.assertRoom,
        metrics,
        documents,
        limits: {
          bodyBytes: config.JEJAK_MAX_BODY_BYTES,
          frameBytes: config.JEJAK_MAX_FRAME_BYTES,
          subscriptions: config.JEJAK_MAX_SUBSCRIPTIONS,
        },
      },
      { port: config.PORT, host: config.HOST },
    ),
  );
  // Last of all, or it would be lost where something else fails.
  const adminKey = await unlessStopped(keys.bootstrap());
  const running = starting.move();
  return {
    url: server.url,
    adminKey,
    location: embedded?.location ?? nameOf(address),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};

/** The result of some work, or the signal's reason where that comes first. */
const whileNot = (signal: AbortSignal): (<T>(work: Promise<T>) => Promise<T>) => {
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => {});
  signal.addEventListener('abort', () => stopped.reject(signal.reason as Error));
  return (work) => Promise.race([work, stopped.promise]);
};

const isLoopback = (host: string): boolean =>
  host === 'localhost' || isWithin(blocksOf(['127.0.0.0/8', '::1']), host);

const listSchema = z.record(z.string(), z.string());

const documentsOf = async (config: Config): Promise<Documents> => {
  const { JEJAK_DOCUMENTS: file, JEJAK_INTROSPECTION: introspection } = config;
  return createDocuments({
    introspection: introspection ?? (isLoopback(config.HOST) ? 'everyone' : 'admin'),
    listed: file === undefined ? {} : await readSettings('JEJAK_DOCUMENTS', file, listSchema),
    onlyListed: config.JEJAK_ONLY_DOCUMENTS === 'yes',
    limits: {
      tokens: config.JEJAK_MAX_DOCUMENT_TOKENS,
      characters: config.JEJAK_MAX_FRAME_BYTES,
      width: config.JEJAK_MAX_ROOT_FIELDS,
      depth: config.JEJAK_MAX_DOCUMENT_DEPTH,
      fields: config.JEJAK_MAX_DOCUMENT_FIELDS,
    },
  });
};

const policyOf = async ({ JEJAK_PRIVACY_POLICY: file }: Config): Promise<Policy> =>
  createPolicy(file === undefined ? {} : await readPolicy(file));

const tokensOf = (config: Config): Tokens | undefined => {
  const { JEJAK_JWT_SECRET: secret, JEJAK_JWKS_URL: url } = config;
  if (!secret && !url) return undefined;
  return createTokens({
    key: secret ? { secret } : { url: url! },
    issuer: config.JEJAK_JWT_ISSUER!,
    audience: config.JEJAK_JWT_AUDIENCE!,
    roles: config.JEJAK_JWT_ROLES,
    claims: {
      roles: config.JEJAK_JWT_ROLES_CLAIM,
      userId: config.JEJAK_JWT_USER_ID_CLAIM,
      username: config.JEJAK_JWT_USERNAME_CLAIM,
    },
  });
};
