// The doorbell between servers: heard by all, and heard again when the connection on which one listens has gone deaf.

import { expect, onTestFinished, test, vi } from 'vitest';
import { connect } from '../../src/database/connection.ts';
import { type Doorbell, createDoorbell } from '../../src/live/doorbell.ts';
import { createLogger } from '../../src/logger.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { proxyTo } from '../support/proxy.ts';

/** Listens at these addresses, the next one whenever it opens a connection. */
const doorbellOf = ({ sql }: TestDatabase, urls: readonly string[]) => {
  let opened = 0;
  const open = () => connect({ url: urls[opened++]! }, { name: 'listen', max: 1 });
  const doorbell = createDoorbell(sql, open, createLogger('silent'));
  onTestFinished(() => doorbell[Symbol.dispose]());
  let rings = 0;
  doorbell.onRing(() => void rings++);
  return { doorbell, opened: () => opened, rings: () => rings };
};

const hears = async (rings: () => number, other: Doorbell): Promise<void> => {
  const before = rings();
  other.ring();
  await vi.waitFor(() => expect(rings()).toBeGreaterThan(before), { timeout: 1_000, interval: 5 });
};

test('a ring is heard at once by the one who rings and soon by others', async () => {
  const database = await testDatabase();
  const [one, other] = [doorbellOf(database, [database.url]), doorbellOf(database, [database.url])];
  await vi.waitFor(() => expect([one.rings(), other.rings()]).toEqual([1, 1]), 10_000); // they listen
  one.doorbell.ring();
  expect(one.rings()).toBe(2);
  await vi.waitFor(() => expect(other.rings()).toBe(2), 10_000);
  expect(one.rings()).toBe(2);
});

test('a connection that went deaf without an error is replaced by another within 15 s', async () => {
  const database = await testDatabase();
  const proxy = await proxyTo(database);
  const one = doorbellOf(database, [proxy.url, database.url, database.url]);
  const other = doorbellOf(database, [database.url]);
  await vi.waitFor(() => expect([one.rings(), other.rings()]).toEqual([1, 1]), 10_000);
  await hears(one.rings, other.doorbell);
  proxy.set('deaf');
  await expect(hears(one.rings, other.doorbell)).rejects.toThrow('expected');
  await vi.waitFor(() => expect(one.opened()).toBe(2), { timeout: 15_000 });
  await vi.waitFor(() => hears(one.rings, other.doorbell), { timeout: 3_000 });
  expect(other.opened()).toBe(1); // what can be heard is left alone
});
