import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Whom PostgreSQL's programs run as; undefined: as ourselves. */
export type Account = { readonly uid: number; readonly gid: number };

/** Nothing of ours but the search path: PG* and LD_* variables of the caller must not reach PostgreSQL. */
const environment = () => ({
  LC_ALL: 'C',
  TZ: 'UTC',
  HOME: '/',
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
});

/** Options for a child that must not depend on our directory, environment or (as root) identity. */
export const apart = (account: Account | undefined) => ({
  cwd: '/',
  env: environment(),
  // spawn takes signed 32-bit numbers: macOS's nobody is 4294967294 to stat and -2 to spawn
  ...(account && { uid: account.uid | 0, gid: account.gid | 0 }),
});

type RunOptions = {
  account: Account | undefined;
  input?: string;
  signal?: AbortSignal | undefined;
};

/** Runs a program to its end; rejects with its standard error when it fails. */
export const run = async (
  program: string,
  args: string[],
  options: RunOptions,
): Promise<string> => {
  const { account, input = '', signal } = options;
  const running = promisify(execFile)(program, args, {
    ...apart(account),
    ...(signal && { signal }),
  });
  // a program that ends without reading would otherwise raise EPIPE outside any promise
  running.child.stdin?.on('error', () => {}).end(input);
  return (await running).stdout;
};

export const succeeds = (program: string, args: string[], account: Account | undefined) =>
  run(program, args, { account }).then(
    () => true,
    () => false,
  );
