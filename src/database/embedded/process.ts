import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Also true for the dead whom nobody has reaped, which is PostgreSQL's idea of living too. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as { code?: string }).code === 'EPERM';
  }
};

/**
 * Whether the process is a postmaster of the cluster, not a stranger who was given the number of a dead one. One that was
 * started by hand in a relative directory counts, for its lock file must not be removed.
 */
export const runsPostgresOn = async (pid: number, cluster: string): Promise<boolean> => {
  const line = await commandLine(pid);
  return line.includes(`postgres -D ${cluster} `) || /\bpostgres -D [^/]/.test(line);
};

/** The arguments, each followed by a blank; nothing for the dead, reaped or not. */
const commandLine = async (pid: number): Promise<string> => {
  if (process.platform === 'linux') {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return line.replaceAll('\0', ' ');
  }
  const found = await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(
    () => undefined,
  );
  return found ? `${found.stdout.trimEnd()} ` : '';
};
