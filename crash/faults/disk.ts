// A full disk (row A4): a log of its own on a small tmpfs, where this process may mount one.

import { execFile } from 'node:child_process';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Arena, emptyDirectory, openGround, temporary } from '../arena.ts';
import { judge } from '../checker.ts';

const run = promisify(execFile);
const MB = 1024 * 1024;
const SIZE_MB = 700;
/** So much is left at first: enough for the server to see the end come. */
const SPARE_MB = 300;
const CALL = 100;
const MOST_CALLS = 3_000;
const FULL_MS = 5_000;

export const mountable = async (): Promise<boolean> => {
  if (process.getuid?.() !== 0) return false;
  try {
    await using _disk = await mountDisk();
    return true;
  } catch {
    return false;
  }
};

/** A4 */
export const fillDisk = async ({ anomalies }: Arena): Promise<number> => {
  await using disk = await mountDisk();
  await using ground = openGround(await emptyDirectory(disk.path), 4, anomalies);
  const server = ground.server('the server on a full disk');
  await server.start();
  const writer = ground.writer();
  const log = () =>
    ground.client.log(
      server,
      'logEvents',
      Array.from({ length: CALL }, () => writer.next()),
    );
  await fill(join(disk.path, 'ballast'), SPARE_MB);
  const ask = () =>
    ground.client.ask(server, '{ events(first: 1) { edges { node { eventId } } } }');
  let tries = 0;
  while (!('refusal' in (await log())) && tries < MOST_CALLS) tries++;
  if (tries === MOST_CALLS) anomalies.note('unclear', 'the full disk refused nothing');

  await fill(join(disk.path, 'more ballast'), 0); // and now not by us
  let [asked, unread] = [0, 0];
  for (const until = performance.now() + FULL_MS; performance.now() < until; asked++) {
    const [logged, answer] = await Promise.all([log(), ask()]);
    if (!('refusal' in logged))
      anomalies.note('unclear', `a full disk: ${JSON.stringify(logged).slice(0, 200)}`);
    if (!('data' in answer)) unread++;
    await sleep(50);
  }
  if (unread > 0)
    anomalies.note('unclear', `on a full disk ${unread} of ${asked} questions had no answer`);
  for (const name of ['ballast', 'more ballast']) await rm(join(disk.path, name));
  const spentMs = await ground.recovered(performance.now(), [server]);
  judge(ground.history, await ground.table(), [], anomalies);
  return spentMs;
};

/** Takes all but so much. */
export const fill = async (path: string, spareMb: number): Promise<void> => {
  await using file = await open(path, 'w');
  const { bavail, bsize } = await statfs(path);
  const block = Buffer.alloc(MB);
  for (let left = bavail * bsize - spareMb * MB; left > 0; left -= block.length)
    await file.write(block, 0, Math.min(left, block.length));
};

export const mountDisk = async (): Promise<AsyncDisposable & { path: string }> => {
  const path = await temporary();
  await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m,mode=711`, 'tmpfs', path]);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await run('umount', ['-l', path]);
      await rm(path, { recursive: true, force: true });
    },
  };
};
