// Imports point one way, so that each part can be read without what is built on it.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const src = join(import.meta.dirname, '../src');
/** What is in one line knows what is in those below. */
const layers = [
  ['main.ts'],
  ['service.ts'],
  ['http'],
  ['graphql'],
  ['ingest', 'query', 'live', 'consumers', 'retention'],
  ['access'],
  ['database'],
  ['events'],
];
const layerOf = (file: string): number =>
  layers.findIndex((parts) => parts.includes(file.split('/')[0]!));

const imports = globSync('**/*.ts', { cwd: src }).flatMap((file) =>
  [...readFileSync(join(src, file), 'utf8').matchAll(/ from '(\.[^']+)';/g)].map(([, path]) => ({
    file,
    imported: join(dirname(file), path!),
  })),
);

test('imports point one way', () => {
  expect(imports.length).toBeGreaterThan(500);
  const upwards = imports.filter(
    ({ file, imported }) => layerOf(imported) !== -1 && layerOf(imported) < layerOf(file),
  );
  expect(upwards).toEqual([]);
});
