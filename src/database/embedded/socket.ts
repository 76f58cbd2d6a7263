import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from './knock.ts';
import type { Place } from './place.ts';

/** Names the socket's file; nothing listens on TCP. */
export const port = 5432;

/** sockaddr_un has room for so many bytes and a terminating zero. */
const longest = process.platform === 'darwin' ? 103 : 107;

/**
 * Beside the cluster, or in /tmp when that path is too long for a socket (or has a comma, at which postgres.js would
 * split it). Not os.tmpdir(): servers with different TMPDIR must agree.
 */
export const socketDirectory = (files: string): string => {
  const near = join(files, 'run');
  if (Buffer.byteLength(socketFile(near)) <= longest && !near.includes(',')) return near;
  return `/tmp/jejak-${createHash('sha256').update(near).digest('hex').slice(0, 16)}`;
};

const socketFile = (directory: string) => join(directory, `.s.PGSQL.${port}`);

type Reached = Pick<Place, 'account' | 'files'> & { readonly connection: Connection };

/** Private to PostgreSQL's user: in /tmp somebody else may have made it first, to be connected to in our stead. */
export const prepareSocketDirectory = async ({ connection, account }: Reached) => {
  const { host: directory } = connection;
  const owner = account?.uid ?? process.getuid?.();
  await mkdir(directory, { mode: 0o700 }).catch(ignoreExisting);
  const found = await lstat(directory);
  if (account && found.isDirectory() && found.uid === 0)
    await chown(directory, account.uid, account.gid);
  else if (!found.isDirectory() || found.uid !== owner) {
    throw new Error(
      `${directory} must be a directory of user ${owner}, for PostgreSQL's socket: remove what is there`,
    );
  }
  await chmod(directory, 0o700);
};

const ignoreExisting = (cause: unknown) => {
  if ((cause as { code?: string }).code !== 'EEXIST') throw cause;
};

/** Removes the socket of a postmaster that is known to be dead. */
export const clearSocket = async ({ host }: Connection) => {
  await rm(socketFile(host), { force: true });
  await rm(`${socketFile(host)}.lock`, { force: true });
};

/** Leaves nothing in /tmp; anything still in use keeps its directory. */
export const removeSocketDirectory = async ({ connection }: Reached) => {
  await rmdir(connection.host).catch(() => {});
};
