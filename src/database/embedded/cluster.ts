import { randomBytes } from 'node:crypto';
import {
  chown,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Place } from './place.ts';
import { run } from './run.ts';

const majorVersion = '18';

/** True when the cluster exists, in the version whose programs we carry. */
export const hasCluster = async ({ cluster }: Place): Promise<boolean> => {
  const version = await readIfThere(join(cluster, 'PG_VERSION'));
  if (version === undefined || version.trim() === majorVersion) return version !== undefined;
  throw new Error(
    `${cluster} was made by PostgreSQL ${version.trim()}, and this is PostgreSQL ${majorVersion}: ` +
      'start it with the version of Jejak that made it, or move it away to begin anew',
  );
};

/**
 * A cluster appears under its name complete, with its database, and on disk, or not at all. The staging directory is
 * never used twice: an initdb that outlived its killed server deletes what lies under the path it was given.
 */
export const createCluster = async (
  place: Place,
  bin: string,
  password: string,
  signal?: AbortSignal,
) => {
  const { files, cluster, account } = place;
  await removeStaging(files);
  const staging = await mkdtemp(join(files, stagingPrefix));
  const data = join(staging, 'data');
  const passwordFile = join(staging, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account) {
    for (const path of [staging, data, passwordFile]) await chown(path, account.uid, account.gid);
  }
  const options = { account, signal };
  try {
    await run(join(bin, 'initdb'), [...initdbOptions, `--pwfile=${passwordFile}`, data], options);
    await run(join(bin, 'postgres'), [...singleUser, '-D', data, 'postgres'], {
      ...options,
      input: 'create database jejak\n',
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw cannotCreate(place, cause);
  }
  await rename(data, cluster);
  await flush(files);
  await rm(staging, { recursive: true });
};

const stagingPrefix = 'postgres.new-';

/** initdb flushes to disk (here 0.7 s with and 0.66 s without), so `--no-sync` would save nothing worth the risk. */
const initdbOptions = [
  '--username=jejak',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--data-checksums',
  '--no-instructions',
];

const singleUser = ['--single', '-c', 'exit_on_error=on'];

const cannotCreate = ({ files }: Place, cause: unknown) => {
  const { stderr, message } = cause as { stderr?: string; message: string };
  const advice = /could not look up effective user ID/.test(stderr ?? '')
    ? 'PostgreSQL wants its user to have an entry in /etc/passwd: add one, start as a user who has one, or set DATABASE_URL'
    : 'Repair what it names and start again';
  return new Error(
    `Cannot make the database in ${files}: ${stderr?.trim() || message}\n${advice}`,
    { cause },
  );
};

const removeStaging = async (files: string) => {
  const left = (await readdir(files)).filter((name) => name.startsWith(stagingPrefix));
  for (const name of left)
    await rm(join(files, name), { recursive: true, force: true, maxRetries: 3 });
};

/** The password of `home`; made at the first start, before the cluster that knows it. */
export const readPassword = async (home: string, clusterExists: boolean): Promise<string> => {
  const file = join(home, 'password');
  const found = (await readIfThere(file))?.trim();
  if (found) return found;
  if (clusterExists) {
    throw new Error(
      `${file} is missing, without which the database beside it cannot be opened: restore it from a backup`,
    );
  }
  const made = randomBytes(32).toString('base64url');
  await replaceFile(file, `${made}\n`);
  return made;
};

/** Replaces a private file in one step, durably. */
export const replaceFile = async (file: string, content: string) => {
  if ((await readIfThere(file)) === content) return;
  const unfinished = `${file}.new`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, content, { mode: 0o600, flush: true });
  await rename(unfinished, file);
  await flush(join(file, '..'));
};

const flush = async (directory: string) => {
  await using handle = await open(directory);
  await handle.sync();
};

export const readIfThere = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Error(
      `Cannot read ${file} (${code}): make it readable for user ${process.getuid?.()}`,
      { cause },
    );
  }
};
