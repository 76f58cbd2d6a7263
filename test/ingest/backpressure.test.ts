// What may be under way, and whose share of it is whose.

import { expect, test } from 'vitest';
import { type Bounds, createBackpressure } from '../../src/ingest/backpressure.ts';
import { locked } from '../support/database.ts';
import { ADMIN_KEY, testServer } from '../support/server.ts';

const overloaded = { code: 'OVERLOADED', retryAfterMs: expect.any(Number) };
const bounded = (bounds: Partial<Bounds>) => {
  const backpressure = createBackpressure({ maxWork: Infinity, ...bounds });
  return {
    ...backpressure,
    refuses: (owner: string): boolean => {
      try {
        backpressure.assertRoom(owner);
        return false;
      } catch (error) {
        expect(error).toMatchObject(overloaded);
        return true;
      }
    },
  };
};

test('V7: over the bound a call is refused, and accepted again when there is room', () => {
  const { admit, refuses, work } = bounded({ maxWork: 20 }); // half of it for one owner: 10, each call counting 2 more
  const first = admit('1', 5, 0);
  const whole = admit('1', 40, 0); // there is room, and it is taken whole
  expect(work()).toBe(49);
  expect(refuses('1')).toBe(true);
  expect(() => admit('1', 1, 0)).toThrow(expect.objectContaining(overloaded));
  first[Symbol.dispose]();
  expect(refuses('1')).toBe(true);
  whole[Symbol.dispose]();
  expect(work()).toBe(0);
  admit('1', 1, 0);
});

test('V7: one owner never takes all the room: there is some for each who comes', () => {
  const { admit, refuses } = bounded({ maxWork: 24 });
  const taken = [admit('1', 10, 0)]; // half of it
  expect(refuses('1')).toBe(true);
  taken.push(admit('2', 6, 0)); // a third
  expect(refuses('2')).toBe(true);
  taken.push(admit('3', 2, 0));
  expect(() => admit('4', 5, 0)).toThrow(expect.objectContaining(overloaded)); // now it is full
  for (const each of taken) each[Symbol.dispose]();
  for (const owner of ['1', '4']) expect(refuses(owner)).toBe(false);
});

test('V7: however many are at it, there is room for one who asks for little, within a bound', () => {
  const { admit, work } = bounded({ maxWork: 1_000 });
  const tries = Array.from({ length: 60 }, (_, owner) => () => admit(`noisy ${owner}`, 1_000, 0));
  const refused = tries.filter((attempt) => {
    try {
      attempt();
      return false;
    } catch {
      return true;
    }
  });
  expect(refused).toHaveLength(60 - 17); // each counts 62
  for (let owner = 0; work() < 1_250; owner++) admit(`quiet ${owner}`, 1, 0);
  expect(() => admit('quiet', 1, 0)).toThrow(expect.objectContaining(overloaded));
});

test('V7: what is kept for who asks for little is not for those who are at it, between their calls', () => {
  const { admit } = bounded({ maxWork: 1_000 });
  for (let owner = 0; owner < 16; owner++) admit(`noisy ${owner % 8}`, 1_000, 0);
  admit('fills', 6, 0);
  for (let times = 0; times < 3; times++)
    expect(() => admit('another', 1_000, 0)).toThrow(expect.objectContaining(overloaded));
  admit('quiet', 1, 0);
});

test('V7: what is under way is bounded in bytes too, and shared alike', () => {
  const { admit, refuses } = bounded({ maxBytes: 60_000 });
  const first = admit('1', 1, 30_000);
  expect(refuses('1')).toBe(true);
  expect(refuses('2')).toBe(false);
  const second = admit('2', 1, 40_000);
  expect(() => admit('3', 1, 20_000)).toThrow(expect.objectContaining(overloaded));
  second[Symbol.dispose]();
  expect(refuses('3')).toBe(false);
  first[Symbol.dispose]();
  expect(refuses('1')).toBe(false);
});

test('V7: a call of which every event is refused counts until what was sent is kept, and keeps nobody else from storing', async () => {
  const server = await testServer();
  const { data } = await server.graphql(
    'mutation { createApiKey(name: "noisy", scopes: [EVENTS_WRITE]) { key } }',
  );
  const { release } = await locked(server.database.sql, 'quarantine');
  const refused = Array.from({ length: 40 }, (_, number) => ({ name: `No category ${number}` }));
  const calls = Array.from({ length: 30 }, () => server.rest(refused, data.createApiKey.key));
  const early = await Promise.race(calls);
  expect([early.status, early.body.error.code]).toEqual([503, 'OVERLOADED']);
  expect(early.body.error.message).toContain('the same `event_id`');
  expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await server.rest({ code: 'AUTH-001' }, ADMIN_KEY)).toMatchObject({ status: 201 });
  await release();
  const answers = await Promise.all(calls);
  const accepted = answers.filter(({ status }) => status !== 503);
  expect(accepted.length).toBeGreaterThan(5);
  expect(accepted.length).toBeLessThan(15);
  const [row] = await server.database.sql`SELECT count(*) FROM quarantine`;
  expect(row!['count']).toBe(accepted.length * 40);
});
