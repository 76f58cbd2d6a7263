// The crash suite's profile that looks at live delivery, each fault once, and the proof that it can tell: readers that
// remember too little lose and repeat events, and it says so.

import { expect, test } from 'vitest';
import { run } from '../../crash/run.ts';

const options = { profile: 'live', seed: 1, most: 1, say: () => {} } as const;

test('whoever is killed, all who follow have every event once, in one order, and live again within 3 s', async () => {
  const { examples, happened, stored, delivered } = await run(options);
  expect(examples).toEqual([]);
  expect(happened.length).toBeGreaterThan(12);
  expect(stored).toBeGreaterThan(2_000);
  expect(delivered).toBe(5 * stored); // two readers, two bystanders, and one from the beginning
}, 240_000);

test('readers that remember too little lose events and repeat them, and the checker says so', async () => {
  const { lost, examples } = await run({ ...options, negative: true });
  expect(lost).toBeGreaterThan(0);
  expect(examples.some((text) => text.startsWith('doubled: reader 1'))).toBe(true);
}, 120_000);
