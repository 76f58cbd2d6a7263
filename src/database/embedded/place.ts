import {
  access,
  chmod,
  constants,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  stat,
  symlink,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { succeeds, type Account } from './run.ts';

/**
 * Where the files are and whom PostgreSQL runs as.
 *
 * An ordinary user has everything in the data directory. PostgreSQL refuses to run as root, so a server that is root runs
 * it as another user, and keeps the database in /var/lib/jejak when that user cannot reach the data directory.
 */
export type Place = {
  /** The data directory: what the server itself reads and writes. */
  readonly home: string;
  /** The directory above the cluster: `home`, or one in /var/lib/jejak. */
  readonly files: string;
  /** The cluster, PGDATA. */
  readonly cluster: string;
  readonly account: Account | undefined;
};

const systemDirectory = '/var/lib/jejak';

const isRoot = process.getuid?.() === 0;

export const copiesDirectory = (place: Place) => (isRoot ? systemDirectory : place.home);

/** Makes the data directory, or says why it cannot be used. */
export const openHome = async (dataDir: string): Promise<string> => {
  const path = resolve(dataDir);
  try {
    const made = await mkdir(path, { recursive: true });
    if (made && !isRoot) await chmod(path, 0o700);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return await realpath(path);
  } catch (cause) {
    const { code } = cause as { code?: string };
    throw new Error(
      `Cannot use ${path} as data directory (${code}): make it a directory that user ${process.getuid?.()} may write, or set JEJAK_DATA_DIR`,
      { cause },
    );
  }
};

/**
 * Once `postgres` exists in the data directory, it decides: whether a place can be reached today must not make a server
 * overlook the database it wrote yesterday.
 */
export const findPlace = async (home: string): Promise<Place> => {
  const link = join(home, 'postgres');
  const target = await readlink(link).catch(() => undefined);
  const cluster = target === undefined ? link : resolve(home, target);
  const found = await lstat(cluster).catch(() => undefined);
  if (found)
    return { home, files: dirname(cluster), cluster, account: await checkOwner(cluster, found) };
  const account = isRoot ? await chooseAccount(home) : undefined;
  if (target !== undefined) return { home, files: dirname(cluster), cluster, account };
  if (!account || (await canPass(home, account))) return { home, files: home, cluster, account };
  return { home, ...(await settleElsewhere(home, account)), account };
};

const checkOwner = async (cluster: string, { uid, gid }: Account): Promise<Account | undefined> => {
  if (!isRoot) {
    if (uid === process.getuid?.()) return undefined;
    throw new Error(
      `${cluster} belongs to user ${uid}: start as that user or as root, or set JEJAK_DATA_DIR`,
    );
  }
  if (uid === 0) {
    const { uid: nobody } = await findNobody();
    throw new Error(
      `${cluster} belongs to root, as whom PostgreSQL refuses to run: give it away with "chown -R ${nobody} ${cluster}"`,
    );
  }
  const account = await checkAccount({ uid, gid });
  if (!(await canEnter(dirname(cluster), account))) {
    throw new Error(
      `${cluster} belongs to user ${uid}, who cannot get there: open the directories above it with "chmod o+x"`,
    );
  }
  return account;
};

/** The data directory's owner, so that he can go on without root later; else nobody. */
const chooseAccount = async (home: string): Promise<Account> => {
  const { uid, gid } = await stat(home);
  return checkAccount(uid === 0 ? await findNobody() : { uid, gid });
};

const checkAccount = async (account: Account): Promise<Account> => {
  if (await succeeds('/bin/sh', ['-c', ':'], account)) return account;
  throw new Error(
    `PostgreSQL refuses to run as root, and we may not run it as user ${account.uid}: start as an ordinary user, or set DATABASE_URL`,
  );
};

/** What root wrote into somebody's data directory is his. */
export const giveToOwner = async (home: string) => {
  if (!isRoot) return;
  const { uid, gid } = await stat(home);
  const written = (await readdir(home, { withFileTypes: true })).filter((entry) => entry.isFile());
  for (const { name } of written) await lchown(join(home, name), uid, gid);
};

const findNobody = async (): Promise<Account> => {
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, uid = '65534', gid = '65534'] = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(users) ?? [];
  return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
};

/** Asks the kernel by trying, which minds access lists and every directory above. */
const canEnter = (directory: string, account: Account) =>
  succeeds('/bin/sh', ['-c', 'cd "$0"', directory], account);

/** The data directory itself is opened for passing through: what is in it is private file by file. */
const canPass = async (home: string, account: Account) => {
  if (await canEnter(home, account)) return true;
  if (!(await canEnter(dirname(home), account))) return false;
  await chmod(home, ((await stat(home)).mode & 0o777) | 0o011);
  return canEnter(home, account);
};

/**
 * A fresh directory each time, named in the link alone: a name derived from the path would bring back the database of a
 * data directory that was deleted, without its password.
 */
const settleElsewhere = async (home: string, account: Account) => {
  await mkdir(systemDirectory, { recursive: true });
  await chmod(systemDirectory, 0o755);
  const files = await mkdtemp(join(systemDirectory, `${home.split('/').slice(-2).join('-')}-`));
  await chmod(files, 0o711);
  if (!(await canEnter(files, account))) {
    throw new Error(
      `User ${account.uid}, as whom PostgreSQL would run, can enter neither ${home} nor ${files}: open one with "chmod o+x" on the directories above it`,
    );
  }
  const cluster = join(files, 'postgres');
  await symlink(cluster, join(home, 'postgres'));
  return { files, cluster };
};
