import { expect, test } from 'vitest';
import {
  type Narrowing,
  admits,
  narrowingKeys,
  storedNarrowing,
} from '../../src/access/narrowing.ts';
import { type Action, createHash, createPolicy } from '../../src/events/privacy.ts';
import { createProtection } from '../../src/events/protect.ts';

const event = {
  category: 'DATA',
  code: 'DATA-001',
  severity: 'INFO',
  resourceType: 'STUDENT',
  resourceId: 'STD-1',
} as const;

test.each(narrowingKeys)('by %s: what has another value, or none, is outside', (key) => {
  const within = (values: readonly string[]) => ({ [key]: values }) as Narrowing;
  expect(admits(within(['other', event[key]]), event)).toBe(true);
  expect(admits(within(['other']), event)).toBe(false);
  expect(admits(within([event[key]]), { ...event, [key]: null })).toBe(false);
  expect(admits({ ...within(['other']), ...(key === 'code' ? { category: ['DATA'] } : { code: ['DATA-001'] }) }, event)).toBe(false); // oxfmt-ignore
});

const storedAs = (action: Action, given: Narrowing, sent: string) => {
  const policy = createPolicy({ fields: { resourceId: action } });
  const { protect, storedForms } = createProtection(policy, createHash(Buffer.alloc(32)));
  const { source } = protect({ ...event, resourceId: sent });
  return { stored: source as typeof event, narrowing: storedNarrowing(given, storedForms) };
};

test.each([
  ['keep', 'STD-1', 'STD-2'],
  ['keep', 'siti@sekolah.sch.id', 'budi@sekolah.sch.id'],
  ['hash', 'STD-1', 'STD-2'],
] as const)(
  'where the policy says %s, who is narrowed to %s has what is stored of it and of nothing else',
  (action, own, other) => {
    for (const sent of [own, other]) {
      const { stored, narrowing } = storedAs(action, { resourceId: [own] }, sent);
      expect(admits(narrowing, stored)).toBe(sent === own);
    }
  },
);

test('where the policy drops what tells resources apart, who is narrowed to one of them has none', () => {
  for (const sent of ['STD-1', 'STD-2']) {
    const { stored, narrowing } = storedAs('drop', { resourceId: ['STD-1'] }, sent);
    expect(stored.resourceId).toBe('[dropped:resource_id]');
    expect(admits(narrowing, stored)).toBe(false);
  }
});
