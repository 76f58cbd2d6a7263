import { chmodSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';

/**
 * One process at a time may create, start, join, leave or stop the database of a directory.
 *
 * The lock is SQLite's on an empty file: the kernel holds it and drops it with its process, however that ends. A file with
 * a pid in it would need a rule for stale ones, and two processes may follow such a rule at the same moment.
 */
export const inTurn = async <T>(
  file: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> => {
  using lock = open(file);
  const deadline = performance.now() + patienceMs;
  while (!tryLock(lock, file)) {
    if (performance.now() > deadline) throw takenTooLong(file);
    await delay(pollMs, undefined, signal && { signal });
  }
  return await work();
};

const pollMs = 20;

/** Longer than anything that is done in turn: recovery is waited for 60 s, stopping 60 s. */
const patienceMs = 130_000;

const sqliteBusy = 5;

const open = (file: string) => {
  try {
    const lock = new DatabaseSync(file, { timeout: 0 });
    chmodSync(file, 0o600); // who may read it could lock it
    return lock;
  } catch (cause) {
    throw unusable(file, cause);
  }
};

const tryLock = (lock: DatabaseSync, file: string) => {
  try {
    lock.exec('pragma journal_mode = memory; begin exclusive');
    return true;
  } catch (cause) {
    if ((cause as { errcode?: number }).errcode === sqliteBusy) return false;
    throw unusable(file, cause);
  }
};

const unusable = (file: string, cause: unknown) =>
  new Error(`Cannot lock ${file}: make it writable, or delete it while no server runs`, { cause });

const takenTooLong = (file: string) =>
  new Error(
    `Another process has held ${file} for over two minutes: see which with "fuser ${file}" or "lsof ${file}", end it, and start again`,
  );
