// The packages of the rivals, installed the first time they are needed: exactly those of their lockfile, and no script of
// theirs is run.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const install = async (directory: URL, say: (text: string) => void): Promise<void> => {
  if (existsSync(new URL('node_modules/.package-lock.json', directory))) return;
  say('  The rivals are installed first; that takes a minute.');
  const place = fileURLToPath(directory);
  await promisify(execFile)('npm', ['ci', '--prefix', place, '--ignore-scripts', '--no-audit']);
};
