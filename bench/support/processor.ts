// Who uses the processor during a measurement: the server and the generator say so themselves, PostgreSQL is read from
// /proc (nothing elsewhere than on Linux), and what the machine did besides was somebody else.

import { readFile, readdir } from 'node:fs/promises';
import { cpus } from 'node:os';

/** Seconds of processor time since some point in the past. */
export type Usage = { readonly machine: number; readonly postgres: number };

export const usage = async (postmaster: number): Promise<Usage> => ({
  machine:
    cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) /
    1000,
  postgres: await secondsOfFamily(postmaster),
});

const TICKS_PER_SECOND = 100;

const secondsOfFamily = async (parent: number): Promise<number> => {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(pids.map(readProcess));
  return processes
    .filter((one) => one?.pid === parent || one?.parent === parent)
    .reduce((sum, one) => sum + one!.seconds, 0);
};

/** The parent of a process; nothing elsewhere than on Linux. */
export const parentOf = async (pid: number): Promise<number> =>
  (await readProcess(String(pid)))?.parent ?? 0;

const readProcess = async (pid: string) => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  if (text === '') return undefined;
  const rest = text.slice(text.lastIndexOf(')') + 2).split(' '); // after the name, which may hold anything
  return {
    pid: Number(pid),
    parent: Number(rest[1]),
    seconds: (Number(rest[11]) + Number(rest[12])) / TICKS_PER_SECOND,
  };
};
