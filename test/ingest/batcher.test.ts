// Group commit as pure coordination: `append` is a function of the test's, which decides when a batch is done and how it ends.

import { setTimeout as sleep } from 'node:timers/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { unavailable, unheard } from '../../src/database/failures.ts';
import { type Prepared, complete, isRejection } from '../../src/events/complete.ts';
import type { Appended, Batch } from '../../src/ingest/append.ts';
import { type BatcherOptions, createBatcher } from '../../src/ingest/batcher.ts';

const event = (username: string, said: object = {}): Prepared => {
  const result = complete({ code: 'AUTH-001', username, ...said }, new Date());
  if (isRejection(result)) throw new Error(result.reason);
  return result;
};
/** The events of one call, named after it. */
const call = (name: string, size = 1): Prepared[] =>
  Array.from({ length: size }, () => event(name));
const namesIn = ({ events }: Batch): string[] => events.map(({ draft }) => draft.username!);

type Sent = { batch: Batch; succeed: () => void; fail: (error: unknown) => void };

/** A batcher whose batches wait in `sent` until the test ends them. */
const held = (options: Partial<BatcherOptions> = {}) => {
  const sent: Sent[] = [];
  const { add, ...rest } = createBatcher({
    writers: 1,
    ...options,
    append: (batch) =>
      new Promise<Appended>((resolve, reject) => {
        const number = sent.length + 1;
        const appended = { key: batch.key, seq: number, number, createdAt: '', taken: [] };
        sent.push({ batch, succeed: () => resolve(appended), fail: reject });
      }),
  });
  const batcher = {
    ...rest,
    add: (events: Prepared[], owner?: string) => {
      const answer = add(events, owner);
      answer.catch(() => {}); // looked at later
      return answer;
    },
  };
  return { batcher, sent };
};
const dataError = Object.assign(new Error('numeric value out of range'), { code: '22003' });
const away = unavailable(new Error('CONNECTION_CLOSED'));
/** What became of a call, once the next turn is over. */
const settled = async <T>(promise: Promise<T>): Promise<unknown> => {
  const pending = Symbol('pending');
  await turn();
  return Promise.race([promise.catch((error: unknown) => error), turn(pending)]).then((result) =>
    result === pending ? 'pending' : result,
  );
};

test('a lone call waits for nobody', async () => {
  const { batcher, sent } = held();
  const answer = batcher.add(call('a'));
  await turn();
  expect(sent.map(({ batch }) => namesIn(batch))).toEqual([['a']]);
  sent[0]!.succeed();
  expect(await answer).toEqual({ appended: expect.objectContaining({ seq: 1 }), offset: 0 });
});

test('calls of one moment go together, each with the offset of its first event', async () => {
  const { batcher, sent } = held();
  const answers = [batcher.add(call('a', 2)), batcher.add(call('b', 3)), batcher.add(call('c'))];
  await turn();
  expect(sent.map(({ batch }) => namesIn(batch))).toEqual([['a', 'a', 'b', 'b', 'b', 'c']]);
  sent[0]!.succeed();
  expect((await Promise.all(answers)).map(({ offset }) => offset)).toEqual([0, 2, 5]);
});

test('calls that arrive during a flush go together in the next, under a key of its own', async () => {
  const { batcher, sent } = held();
  const first = batcher.add(call('a'));
  await turn();
  const later = [batcher.add(call('b'))];
  await turn();
  later.push(batcher.add(call('c')));
  await turn();
  expect(sent).toHaveLength(1);
  sent[0]!.succeed();
  await first;
  await turn();
  expect(namesIn(sent[1]!.batch)).toEqual(['b', 'c']);
  expect(sent[1]!.batch.key).not.toBe(sent[0]!.batch.key);
  expect(await settled(later[0]!)).toBe('pending');
  sent[1]!.succeed();
  expect((await Promise.all(later)).map(({ appended }) => appended.number)).toEqual([2, 2]);
});

test('as many batches are on their way as there are writers, and no more; a small one waits for the one before', async () => {
  const { batcher, sent } = held({ writers: 2 });
  const sizes = { a: 1, b: 23, c: 1, d: 200 };
  const answers = [];
  for (const [name, size] of Object.entries(sizes)) {
    answers.push(batcher.add(call(name, size)));
    await turn();
  }
  // 23 are not worth a second commit; 24 are.
  expect(sent.map(({ batch }) => [...new Set(namesIn(batch))])).toEqual([['a'], ['b', 'c']]);
  sent[1]!.succeed();
  await turn();
  expect(new Set(namesIn(sent[2]!.batch))).toEqual(new Set(['d']));
  for (const each of sent) each.succeed();
  await Promise.all(answers);
});

test('a batch holds at most maxBatch events, and a call is never split', async () => {
  const { batcher, sent } = held({ maxBatch: 5 });
  const sizes = { a: 3, b: 2, c: 1, d: 4, e: 9, f: 1 };
  const answers = Object.entries(sizes).map(([name, size]) => batcher.add(call(name, size)));
  for (let index = 0; index < 4; index++) {
    await turn();
    sent[index]!.succeed();
  }
  await Promise.all(answers);
  expect(sent.map(({ batch }) => [...new Set(namesIn(batch))])).toEqual([
    ['a', 'b'],
    ['c', 'd'],
    ['e'],
    ['f'],
  ]);
  expect(sent.map(({ batch }) => batch.events.length)).toEqual([5, 5, 9, 1]);
});

test('maxBatch 1 makes a commit per call', async () => {
  const { batcher, sent } = held({ maxBatch: 1, writers: 10 });
  const answers = ['a', 'b', 'c'].map((name) => batcher.add(call(name)));
  await turn();
  expect(sent.map(({ batch }) => namesIn(batch))).toEqual([['a'], ['b'], ['c']]);
  for (const each of sent) each.succeed();
  await Promise.all(answers);
});

test('owners take turns call by call, and each owner’s calls stay in order', async () => {
  const { batcher, sent } = held({ maxBatch: 3 });
  const answers = [batcher.add(call('first'), '1')];
  await turn();
  for (const name of ['a1', 'a2', 'a3', 'a4']) answers.push(batcher.add(call(name), '1'));
  for (const name of ['b1', 'b2']) answers.push(batcher.add(call(name), '2'));
  for (let index = 0; index < 3; index++) {
    sent[index]!.succeed();
    await turn();
  }
  expect(sent.slice(1).map(({ batch }) => namesIn(batch))).toEqual([
    ['a1', 'b1', 'a2'],
    ['b2', 'a3', 'a4'],
  ]);
  await Promise.all(answers);
});

test('behind a batch of which nothing is heard a lone call waits for a moment only', async () => {
  const { batcher, sent } = held({ writers: 2 });
  const first = batcher.add(call('a'));
  await turn();
  const second = batcher.add(call('b'));
  await turn();
  expect(sent).toHaveLength(1);
  await sleep(300);
  expect(sent.map(({ batch }) => namesIn(batch))).toEqual([['a'], ['b']]);
  for (const each of sent) each.succeed();
  await Promise.all([first, second]);
});

test('A6: abandoning gives up what waits, and not what is on its way', async () => {
  const { batcher, sent } = held();
  const first = batcher.add(call('a'));
  await turn();
  const second = batcher.add(call('b'));
  batcher.abandon(away);
  expect(await settled(second)).toBe(away);
  expect(await settled(first)).toBe('pending');
  sent[0]!.succeed();
  await first;
  await batcher.drained();
  expect(sent).toHaveLength(1);
});

test('P1: data at fault isolate the one bad call; the others are stored', async () => {
  const stored: string[] = [];
  let attempts = 0;
  const batcher = createBatcher({
    writers: 1,
    append: async (batch) => {
      attempts++;
      const names = namesIn(batch);
      if (names.includes('bad')) throw dataError;
      stored.push(...names);
      return { key: batch.key, seq: attempts, number: attempts, createdAt: '', taken: [] };
    },
  });
  for (const place of [0, 1, 2, 3, 4, 5, 6, 7]) {
    stored.length = 0;
    attempts = 0;
    const names = Array.from({ length: 8 }, (_, index) =>
      index === place ? 'bad' : `call ${index}`,
    );
    const results = await Promise.allSettled(names.map((name) => batcher.add(call(name, 2))));
    expect(results.map(({ status }) => status)).toEqual(
      names.map((name) => (name === 'bad' ? 'rejected' : 'fulfilled')),
    );
    expect((results[place] as PromiseRejectedResult).reason).toBe(dataError);
    expect(stored.toSorted()).toEqual(
      names
        .filter((name) => name !== 'bad')
        .flatMap((name) => [name, name])
        .toSorted(),
    );
    expect(attempts).toBe(7); // 8, 4 + 4, 2 + 2, 1 + 1
  }
});

test('after halving, each call’s offset is that within its own half', async () => {
  const { batcher, sent } = held();
  const answers = ['a', 'b', 'c', 'd'].map((name) => batcher.add(call(name, 2)));
  await turn();
  sent[0]!.fail(dataError);
  await turn();
  expect(namesIn(sent[1]!.batch)).toEqual(['a', 'a', 'b', 'b']);
  sent[1]!.succeed();
  await turn();
  expect(namesIn(sent[2]!.batch)).toEqual(['c', 'c', 'd', 'd']);
  sent[2]!.succeed();
  expect(
    (await Promise.all(answers)).map(({ offset, appended }) => [appended.number, offset]),
  ).toEqual([
    [2, 0],
    [2, 2],
    [3, 0],
    [3, 2],
  ]);
});

test('B1: with the database away those who wait hear it at once, and later calls are tried afresh', async () => {
  const { batcher, sent } = held();
  const first = batcher.add(call('a'));
  await turn();
  const waiting = [batcher.add(call('b', 3)), batcher.add(call('c', 2))];
  sent[0]!.fail(away);
  for (const each of [first, ...waiting]) expect(await settled(each)).toBe(away);
  expect(sent).toHaveLength(1);
  const after = batcher.add(call('d', 5));
  await turn();
  sent[1]!.succeed();
  expect(await after).toMatchObject({ offset: 0 });
});

test.each([
  ['was not done in time', unheard()],
  ['waited for a lock in vain', unavailable(Object.assign(new Error(), { code: '55P03' }))],
  ['was the victim of a deadlock', unavailable(Object.assign(new Error(), { code: '40P01' }))],
])('a batch that %s takes nobody with it who waits', async (_, error) => {
  const { batcher, sent } = held();
  const first = batcher.add(call('a'));
  await turn();
  const second = batcher.add(call('b'));
  sent[0]!.fail(error);
  expect(await settled(first)).toBe(error);
  sent[1]!.succeed();
  await second;
});

test('a fault of ours is the error of the calls it met, and of no other', async () => {
  const { batcher, sent } = held();
  const fault = new TypeError('ours');
  const first = [batcher.add(call('a')), batcher.add(call('b'))];
  await turn();
  const second = batcher.add(call('c'));
  sent[0]!.fail(fault);
  for (const each of first) expect(await settled(each)).toBe(fault);
  sent[1]!.succeed();
  await second;
});

test('A6: drained() resolves when everything accepted so far was answered, however it ended', async () => {
  const { batcher, sent } = held();
  await batcher.drained();
  const answers = [batcher.add(call('a'))];
  const early = batcher.drained();
  await turn();
  answers.push(batcher.add(call('b')));
  const drained = batcher.drained();
  sent[0]!.fail(dataError);
  expect(await settled(answers[0]!)).toBe(dataError);
  expect(await settled(drained)).toBe('pending');
  sent[1]!.succeed();
  await Promise.all([answers[1], drained, early]);
  await batcher.drained();
});

test('who waits behind batches that do not end is told so in time, and what comes then goes out', async () => {
  const { batcher, sent } = held({ writers: 2, patienceMs: 400, maxBatch: 1 });
  const stuck = [batcher.add(call('a')), batcher.add(call('b'))];
  await turn();
  const early = batcher.add(call('c'));
  await sleep(250);
  const later = batcher.add(call('d'));
  await sleep(250);
  expect(await settled(early)).toMatchObject({ code: 'UNAVAILABLE' });
  expect(await settled(later)).toBe('pending');
  for (const each of sent.slice(0, 2)) each.succeed();
  await turn();
  expect(sent.map(({ batch }) => namesIn(batch))).toEqual([['a'], ['b'], ['d']]);
  sent.at(-1)!.succeed();
  await Promise.all([...stuck, later]);
  await batcher.drained();
});
