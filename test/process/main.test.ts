import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { chmod, chown, mkdir, readFile, readdir, rm, rmdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { migration } from '../../src/database/locks.ts';
import { isWaiting, testDatabase } from '../support/database.ts';
import { type Program, startProgram, temporaryDirectory } from '../support/process.ts';
import { spawnProgram } from '../support/program.ts';
import { ADMIN_KEY } from '../support/server.ts';

const LOG =
  'mutation($id: ID!) { logEvent(input: { code: "AUTH-001", eventId: $id }) { outcome } }';
const COUNT = '{ events(first: 1) { totalCount } }';

/** Keeps logging with ids of its own until told to stop; the ids that were acknowledged. */
const keepLogging = (program: Program, writers: number) => {
  const acknowledged: string[] = [];
  let stopped = false;
  const write = async (writer: number): Promise<void> => {
    for (let n = 0; !stopped; n++) {
      const id = `w${writer}-${n}`;
      const answer = await program.graphql(LOG, { id }).catch(() => undefined);
      if (answer?.data?.logEvent.outcome === 'STORED') acknowledged.push(id);
      else await sleep(5);
    }
  };
  const writing = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return { acknowledged, stop: () => ((stopped = true), writing) };
};

const missing = async (program: Program, ids: readonly string[]): Promise<string[]> => {
  const lost: string[] = [];
  for (let at = 0; at < ids.length; at += 20) {
    const page = ids.slice(at, at + 20);
    const fields = page.map((id, n) => `e${n}: event(eventId: "${id}") { eventId }`).join(' ');
    const { data } = await program.graphql(`{ ${fields} }`);
    page.forEach((id, n) => void (data[`e${n}`]?.eventId === id || lost.push(id)));
  }
  return lost;
};

test('the first start makes an administrator key that opens the doors, and shows it only then', async () => {
  const directory = await temporaryDirectory();
  const first = await startProgram({ directory, environment: { JEJAK_ADMIN_KEY: '' } });
  const key = /shown only this once: (\S+)/.exec(first.output())![1]!;
  expect(await first.graphql(COUNT, {}, key)).toEqual({ data: { events: { totalCount: 0 } } });
  expect(await first.stop('SIGTERM')).toBe(0);
  const second = await startProgram({ directory, environment: { JEJAK_ADMIN_KEY: '' } });
  expect(second.output()).not.toContain('shown only this once');
  expect(await second.graphql(COUNT, {}, key)).toEqual({ data: { events: { totalCount: 0 } } });
  expect(await readFile(`${directory}/.jejak/database-url`, 'utf8')).toMatch(/^postgresql:/);
});

test('a first start that fails shows no key, and the next one that works makes it', async () => {
  const directory = await temporaryDirectory();
  const start = (HOST: string) =>
    startProgram({ directory, environment: { JEJAK_ADMIN_KEY: '', HOST } });
  await expect(start('192.0.2.1')).rejects.toThrow(/ready: Jejak cannot go on: Nothing can listen/);
  expect((await start('')).output()).toContain('shown only this once');
});

test.each(['JEJAK_DOCUMENTS', 'JEJAK_PRIVACY_POLICY'])(
  'a file of %s that cannot be used is named before a database is made',
  async (option) => {
    const directory = await temporaryDirectory();
    await expect(
      startProgram({ directory, environment: { [option]: '/nowhere.json' } }),
    ).rejects.toThrow(`${option} /nowhere.json cannot be used: ENOENT`);
    expect(await readdir(directory)).toEqual([]);
  },
);

test('who ends it while it starts is told so, and not what that broke', async () => {
  const directory = await temporaryDirectory();
  const child = spawnProgram(
    { directory, detached: true },
    { JEJAK_ADMIN_KEY: ADMIN_KEY, LOG_LEVEL: 'info' },
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await expect.poll(() => text, { timeout: 10_000 }).toContain('Creating the database');
  await sleep(300); // initdb is at work, for a second or so
  process.kill(-child.pid!, 'SIGINT'); // as a terminal does
  await once(child, 'close');
  expect(text).not.toMatch(/FATAL|cannot go on/);
  expect((await startProgram({ directory })).url).toBeTruthy();
});

test('who ends it while it waits for another server that migrates need not wait, too', async () => {
  const { sql, url } = await testDatabase();
  const migrating = await sql.reserve();
  await migrating`SELECT pg_advisory_lock(${migration})`;
  const child = spawnProgram({ directory: await temporaryDirectory() }, { DATABASE_URL: url, JEJAK_ADMIN_KEY: ADMIN_KEY }); // oxfmt-ignore
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await expect.poll(() => isWaiting(sql), { timeout: 10_000 }).toBe(true);
  child.kill('SIGTERM');
  const asked = Date.now();
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(Date.now() - asked).toBeLessThan(2_000);
  expect(text).toContain('Jejak was stopped while it started');
  migrating.release();
});

test('who ends it while it runs is told what goes wrong then', async () => {
  const directory = await temporaryDirectory();
  const program = await startProgram({ directory });
  const lock = `${directory}/.jejak/lock`;
  await rm(lock);
  await mkdir(lock);
  expect(await program.stop('SIGTERM')).toBe(1);
  await rmdir(lock);
  await startProgram({ directory }); // and stops PostgreSQL
  expect(program.complaints()).toContain('Jejak cannot go on: Cannot lock ');
});

test('A1: after kill -9 in the middle of batches nothing that was acknowledged is lost or doubled', async () => {
  const directory = await temporaryDirectory();
  const first = await startProgram({ directory });
  const before = keepLogging(first, 16);
  await sleep(1_500);
  expect(await first.stop('SIGKILL')).toBe('SIGKILL');
  await before.stop();
  expect(before.acknowledged.length).toBeGreaterThan(100);

  const second = await startProgram({ directory });
  expect(await missing(second, before.acknowledged)).toEqual([]);
  const again = before.acknowledged.slice(-50);
  const answers = await Promise.all(again.map((id) => second.graphql(LOG, { id })));
  expect(new Set(answers.map(({ data }) => data.logEvent.outcome))).toEqual(new Set(['DUPLICATE']));
});

test('A6: SIGTERM under load finishes what was accepted, closes sockets so that clients come back, and exits with 0', async () => {
  const directory = await temporaryDirectory();
  const program = await startProgram({ directory });
  const socket = new WebSocket(
    `${program.url.replace('http', 'ws')}/graphql`,
    'graphql-transport-ws',
  );
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener('close', ({ code }) => resolve(code)),
  );
  const load = keepLogging(program, 16);
  await sleep(1_000);
  expect(await program.stop('SIGTERM')).toBe(0);
  await load.stop();
  expect(await closed).toBe(1012);
  const next = await startProgram({ directory });
  expect(await missing(next, load.acknowledged)).toEqual([]);
});

test('A6: a step of retention that takes long does not hold up the end', async () => {
  const directory = await temporaryDirectory();
  const { url, sql } = await testDatabase();
  await sql`
    CREATE FUNCTION rest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$`;
  await sql`CREATE TRIGGER rest AFTER INSERT ON retention_runs EXECUTE FUNCTION rest()`;
  const program = await startProgram({ directory, environment: { DATABASE_URL: url } });
  const resting = () => sql`
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`;
  while ((await resting()).length === 0) await sleep(100);
  const begun = performance.now();
  expect(await program.stop('SIGTERM')).toBe(0);
  expect(performance.now() - begun).toBeLessThan(10_000);
}, 180_000);

test('A2: PostgreSQL killed with all its children comes back without a restart of the server', async () => {
  const directory = await temporaryDirectory();
  const program = await startProgram({ directory });
  const load = keepLogging(program, 8);
  await sleep(500);
  const [pid] = (await readFile(`${directory}/.jejak/postgres/postmaster.pid`, 'utf8')).split('\n');
  process.kill(Number(pid), 'SIGKILL');
  const before = load.acknowledged.length;
  for (let tries = 0; load.acknowledged.length < before + 100 && tries < 100; tries++)
    await sleep(100);
  await load.stop();
  expect(load.acknowledged.length).toBeGreaterThan(before + 99);
  expect(await missing(program, load.acknowledged)).toEqual([]);
});

test('A5: a second server on the same directory joins the first, and stays when the first leaves', async () => {
  const directory = await temporaryDirectory();
  const first = await startProgram({ directory });
  const second = await startProgram({ directory });
  await using subscriber = second.subscribe('subscription { eventLogged { event { eventId } } }');
  await sleep(300);
  await first.graphql(LOG, { id: 'through-the-first' });
  expect(await subscriber.next()).toEqual({
    eventLogged: { event: { eventId: 'through-the-first' } },
  });
  expect(await first.stop('SIGTERM')).toBe(0);
  expect((await second.graphql(LOG, { id: 'after-the-first' })).data).toEqual({
    logEvent: { outcome: 'STORED' },
  });
});

test('a mistake in the environment is named and ends the start', async () => {
  const directory = await temporaryDirectory();
  await expect(
    startProgram({ directory, environment: { PORT: 'many', LOG_LEVEL: 'loud' } }),
  ).rejects.toThrow(/PORT.*LOG_LEVEL/s);
});

test('a name in the environment that is no option is told, and those of callers are not', async () => {
  const environment = { JEJAK_RETENTION_MINUTE: '5', JEJAK_KEY: 'of a caller' };
  const program = await startProgram({ directory: await temporaryDirectory(), environment });
  expect(program.complaints()).toContain('"unknown":["JEJAK_RETENTION_MINUTE"]');
});

test('a port that is taken is named and ends the start', async () => {
  const directory = await temporaryDirectory();
  const { port } = new URL((await startProgram({ directory })).url);
  await expect(startProgram({ directory, environment: { PORT: port } })).rejects.toThrow(
    `ended with 1 before it was ready: Jejak cannot go on: Port ${port} of 127.0.0.1 is taken`,
  );
  await expect(startProgram({ directory, environment: { HOST: '192.0.2.1' } })).rejects.toThrow(
    'Nothing can listen at HOST 192.0.2.1, PORT',
  );
});

test.skipIf(process.getuid?.() !== 0)('it runs as an ordinary user', async () => {
  const directory = await temporaryDirectory();
  await chown(directory, 65534, 65534);
  await chmod(directory, 0o700);
  const program = await startProgram({ directory, uid: 65534 });
  expect((await program.graphql(LOG, { id: 'as-a-user' })).data).toEqual({
    logEvent: { outcome: 'STORED' },
  });
  expect(await program.stop('SIGTERM')).toBe(0);
});
