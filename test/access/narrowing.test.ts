import { expect, test } from 'vitest';
import { type Narrowing, admits, narrowingKeys } from '../../src/access/narrowing.ts';

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
