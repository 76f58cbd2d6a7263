// Who asks when, and who is told to come back.

import { expect, test } from 'vitest';
import { type Bounds, MOST_WAITING, createTurns } from '../../src/database/turns.ts';

/** Asks that end when they are told to, and who has begun. */
const asking = (bounds: Partial<Bounds> = {}) => {
  const turns = createTurns(undefined, { all: 3, own: 2, patienceMs: 5_000, ...bounds });
  const begun: string[] = [];
  const ask = (owner: string, name = owner, isGone = () => false) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const answer = turns(
      owner,
      () => {
        begun.push(name);
        return promise;
      },
      isGone,
    );
    answer.catch(() => {});
    return { answer, end: () => resolve(name), fail: () => reject(new Error(name)) };
  };
  return { ask, begun };
};
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('one has a part only, and the others the rest', async () => {
  const { ask, begun } = asking();
  const [a1] = ['a1', 'a2', 'a3', 'a4'].map((name) => ask('a', name));
  ask('b');
  await settled();
  expect(begun).toEqual(['a1', 'a2', 'b']);
  a1!.end();
  expect(await a1!.answer).toBe('a1');
  await settled();
  expect(begun).toEqual(['a1', 'a2', 'b', 'a3']);
});

test('those who wait take turns, whoever has more to ask', async () => {
  const { ask, begun } = asking({ own: 3 });
  const first = ['x1', 'x2', 'x3'].map((name) => ask('x', name));
  for (const name of ['a1', 'a2', 'a3']) ask('a', name);
  ask('b');
  ask('c');
  for (const { end } of first) end();
  await settled();
  expect(begun.slice(3)).toEqual(['a1', 'b', 'c']);
});

test('one that fails makes room as any, and its caller hears why', async () => {
  const { ask, begun } = asking({ own: 1 });
  const failing = ask('a', 'a1');
  ask('a', 'a2');
  failing.fail();
  await expect(failing.answer).rejects.toThrow('a1');
  await settled();
  expect(begun).toEqual(['a1', 'a2']);
});

test('who waits in vain is told so in time, and takes nobody’s turn', async () => {
  const { ask, begun } = asking({ own: 1, patienceMs: 50 });
  const long = ask('a', 'a1');
  const { answer } = ask('a', 'a2');
  await expect(answer).rejects.toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_000 }); // oxfmt-ignore
  const late = ask('a', 'a3');
  long.end();
  await settled();
  late.end();
  expect(await late.answer).toBe('a3');
  expect(begun).toEqual(['a1', 'a3']);
});

test('who has very many waiting is told so at once, and others are asked as before', async () => {
  const { ask, begun } = asking({ own: 1 });
  for (let index = 0; index <= MOST_WAITING; index++) ask('a', `a${index}`);
  await expect(ask('a', 'more').answer).rejects.toMatchObject({ code: 'OVERLOADED' });
  ask('b');
  await settled();
  expect(begun).toEqual(['a0', 'b']);
});

test('what nobody waits for any more is not asked, and takes no place', async () => {
  const { ask, begun } = asking({ own: 1 });
  const isGone = () => true;
  await expect(ask('a', 'a0', isGone).answer).rejects.toThrow('cut off');
  let gone = false;
  const first = ask('a', 'a1');
  const left = Array.from({ length: MOST_WAITING - 1 }, () => ask('a', 'left', () => gone));
  ask('a', 'a2');
  await expect(ask('a', 'more').answer).rejects.toMatchObject({ code: 'OVERLOADED' });
  gone = true;
  ask('a', 'a3'); // there is room again
  await expect(left[0]!.answer).rejects.toThrow('cut off');
  const last = ask('a', 'left', () => true);
  first.end();
  await settled();
  expect(begun).toEqual(['a1', 'a2']);
  await expect(last.answer).rejects.toThrow('cut off');
});

test('who leaves while all of theirs wait leaves the others their turns', async () => {
  const { ask, begun } = asking({ all: 1, own: 1 });
  let gone = false;
  const first = ask('a', 'a1');
  ask('b', 'b1', () => gone);
  ask('b', 'b2', () => gone);
  ask('c', 'c1');
  gone = true;
  first.end();
  await settled();
  expect(begun).toEqual(['a1', 'c1']);
  ask('b', 'b3');
  await settled();
  expect(begun).toEqual(['a1', 'c1']);
});
