// PostgreSQL for a benchmark: the embedded one in a temporary directory, settings as shipped, a database per server.

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/database/connection.ts';
import { startEmbedded } from '../../src/database/embedded.ts';
import { parentOf } from './processor.ts';

export type Postgres = AsyncDisposable & {
  readonly directory: string;
  readonly version: string;
  /** The number of its first process. */
  readonly postmaster: number;
  readonly createDatabase: () => Promise<BenchDatabase>;
};
export type BenchDatabase = AsyncDisposable & {
  readonly url: string;
  /** The single number that a query gives. */
  readonly count: (sql: string) => Promise<number>;
};

export const startPostgres = async (): Promise<Postgres> => {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'jejak-bench-'));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711); // as root, PostgreSQL's user must be able to pass
  const { connection } = starting.use(
    await startEmbedded({ dataDir: join(directory, 'data'), log: () => {} }),
  );
  const admin = connect(connection, { name: 'bench', max: 1 });
  starting.defer(() => admin.end());
  const [{ version, backend }] = await admin<[{ version: string; backend: number }]>`
    SELECT current_setting('server_version') AS version, pg_backend_pid() AS backend`;
  const { host, port, user, password } = connection;
  let made = 0;

  const createDatabase = async (): Promise<BenchDatabase> => {
    const name = `bench_${++made}`;
    await admin.unsafe(`CREATE DATABASE ${name}`);
    const sql = connect({ ...connection, database: name }, { name: 'bench', max: 1 });
    return {
      url: `postgres://${user}:${password}@${encodeURIComponent(host)}:${port}/${name}`,
      count: async (query) => {
        const [row] = await sql.unsafe<[Record<string, number | string>]>(query);
        return Number(Object.values(row)[0]);
      },
      async [Symbol.asyncDispose]() {
        await sql.end();
        await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
        await admin.unsafe('CHECKPOINT'); // not in the next one's time
      },
    };
  };
  const postmaster = await parentOf(backend);
  const running = starting.move();
  return {
    directory,
    version,
    postmaster,
    createDatabase,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};
