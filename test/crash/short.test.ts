// The crash suite's short profile, and the proof that its checker can tell: fed by a naive reader it reports loss.

import { expect, test } from 'vitest';
import { run } from '../../crash/run.ts';

const options = { profile: 'short', seed: 1, say: () => {} } as const;

test('kills, stops and cuts lose, double, alter and reorder nothing that was acknowledged', async () => {
  const { examples, acknowledged, happened } = await run(options);
  expect(examples).toEqual([]);
  expect(acknowledged).toBeGreaterThan(5_000);
  expect(happened.length).toBeGreaterThan(10);
}, 240_000);

// It loses by chance, most of the time within seconds; what is shown is that the checker sees it when it does.
test(
  'a reader that believes the last id loses events, and the checker says so',
  { retry: 3, timeout: 60_000 },
  async () => {
    const { lost } = await run({ ...options, negative: true });
    expect(lost).toBeGreaterThan(0);
  },
);
