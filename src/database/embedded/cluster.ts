import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flush, readIfThere, replaceFile } from './files.ts';
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
  const { files, cluster } = place;
  await removeStaging(files);
  const staging = await mkdtemp(join(files, stagingPrefix));
  try {
    const data = await fill(staging, place, { bin, password, signal });
    await rename(data, cluster);
    await flush(files);
  } catch (cause) {
    signal?.throwIfAborted();
    throw cannotCreate(place, cause);
  } finally {
    await removeStaging(files);
  }
};

type Making = { bin: string; password: string; signal: AbortSignal | undefined };

const fill = async (staging: string, { account }: Place, { bin, password, signal }: Making) => {
  const data = join(staging, 'data');
  const passwordFile = join(staging, 'password');
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account) {
    for (const path of [staging, data, passwordFile]) await chown(path, account.uid, account.gid);
  }
  const initdb = [...initdbOptions, `--pwfile=${passwordFile}`, data];
  await run(join(bin, 'initdb'), initdb, { account, signal });
  const input = 'create database jejak\n';
  await run(join(bin, 'postgres'), [...singleUser, '-D', data, 'postgres'], {
    account,
    signal,
    input,
  });
  return data;
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

/** What cannot be removed now, because somebody left behind still writes to it, is removed when it is tried again. */
const removeStaging = async (files: string) => {
  const left = (await readdir(files)).filter((name) => name.startsWith(stagingPrefix));
  for (const name of left)
    await rm(join(files, name), { recursive: true, force: true }).catch(() => {});
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
