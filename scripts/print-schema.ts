// Writes schema.graphql from the code; with --check only says whether it is up to date.

import { readFile, writeFile } from 'node:fs/promises';
import { printedSchema } from '../src/graphql/schema.ts';

const file = new URL('../schema.graphql', import.meta.url);

if (!process.argv.includes('--check')) await writeFile(file, printedSchema());
else if ((await readFile(file, 'utf8')) !== printedSchema()) {
  process.stderr.write('schema.graphql is stale: run "npm run schema" and commit it.\n');
  process.exitCode = 1;
}
