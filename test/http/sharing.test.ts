// Who asks the same at once shares an answer, and sees in it whatever was acknowledged before they asked.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Viewer } from '../../src/access/viewer.ts';
import type { IsGone } from '../../src/database/turns.ts';
import { createSharing } from '../../src/http/sharing.ts';
import { ADMIN_KEY, testServer } from '../support/server.ts';

const viewer: Viewer = { id: 'key 1', name: 'dasbor', scopes: ['events:read'] };

/** A question whose answers are given by hand, the first asked first. */
const byHand = () => {
  const asked: PromiseWithResolvers<string>[] = [];
  const ask = (): Promise<string> => {
    const answer = Promise.withResolvers<string>();
    asked.push(answer);
    return answer.promise;
  };
  return { asked, ask };
};

/** For callers who wait, where nothing else is said. */
const sharing = () => {
  const share = createSharing<string>();
  return (
    of: Viewer,
    question: string,
    ask: (isGone: IsGone) => Promise<string>,
    isGone = () => false,
  ) => share(of, question, ask, isGone);
};

describe('the same question', () => {
  test('is asked once more for all who came while it was asked, after that answer', async () => {
    const { asked, ask } = byHand();
    const share = sharing();
    const first = share(viewer, 'q', ask);
    const others = Array.from({ length: 50 }, () => share(viewer, 'q', ask));
    await sleep(1);
    expect(asked).toHaveLength(1);
    asked[0]!.resolve('before');
    expect(await first).toBe('before');
    await sleep(1);
    const later = share(viewer, 'q', ask);
    asked[1]!.resolve('after');
    expect(new Set(await Promise.all(others))).toEqual(new Set(['after']));
    await sleep(1);
    asked[2]!.resolve('later');
    expect(await later).toBe('later');
    await sleep(1);
    void share(viewer, 'q', ask);
    expect(asked).toHaveLength(4); // nothing is kept
  });

  test('that takes long is not waited for', async () => {
    const { asked, ask } = byHand();
    const share = sharing();
    void share(viewer, 'q', ask);
    const second = share(viewer, 'q', ask);
    await expect.poll(() => asked.length).toBe(2);
    asked[1]!.resolve('sooner');
    expect(await second).toBe('sooner');
  });

  test('that failed is asked again by those who waited', async () => {
    const { asked, ask } = byHand();
    const share = sharing();
    const first = share(viewer, 'q', ask);
    const second = share(viewer, 'q', ask);
    asked[0]!.reject(new Error('away'));
    await expect(first).rejects.toThrow('away');
    await sleep(1);
    asked[1]!.resolve('back');
    expect(await second).toBe('back');
  });

  test('is for nobody once all who share it have left', async () => {
    const share = sharing();
    const asked: IsGone[] = [];
    const ask = (isGone: IsGone) => {
      asked.push(isGone);
      return Promise.resolve('answer');
    };
    const gone = [false, false, false];
    await Promise.all(gone.map((_, caller) => share(viewer, 'q', ask, () => gone[caller]!)));
    const isGone = () => asked.map((each) => each());
    expect(isGone()).toEqual([false, false]);
    gone[0] = gone[1] = true;
    expect(isGone()).toEqual([true, false]);
    gone[2] = true;
    expect(isGone()).toEqual([true, true]);
  });

  test('by another viewer, with other rights it may be, is asked apart, and so is another', () => {
    const { asked, ask } = byHand();
    const share = sharing();
    void share(viewer, 'q', ask);
    void share({ ...viewer }, 'q', ask);
    void share(viewer, 'q ', ask);
    expect(asked).toHaveLength(3);
  });
});

test('among callers who ask the same again and again each sees what was acknowledged before it asked', async () => {
  const server = await testServer();
  const log = (events: number) =>
    server.graphql('mutation($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }', {
      input: Array.from({ length: events }, () => ({ code: 'SYS-001', metadata: { n: 1 } })),
    });
  let stored = 0;
  for (; stored < 10_000; stored += 1_000) await log(1_000); // so that an answer takes its time
  const ASK = '{ events(filter: { json: [{ field: METADATA, path: "n", gt: 0 }] }, first: 1) { totalCount } }'; // oxfmt-ignore
  const { data } = await server.graphql('mutation { createApiKey(name: "dasbor", scopes: [EVENTS_READ, EVENTS_READ_PERSONAL]) { key } }'); // oxfmt-ignore
  const seen: { least: number; was: number }[] = [];
  let logging = true;
  const crowd = [ADMIN_KEY, data.createApiKey.key].flatMap((key) =>
    Array.from({ length: 6 }, async () => {
      while (logging) {
        const least = stored;
        const answer = await server.graphql(ASK, {}, key);
        seen.push({ least, was: answer.data.events.totalCount });
        await sleep(Math.random() * 20); // or all would ask in step
      }
    }),
  );
  for (const end = stored + 100; stored < end; stored++) await log(1);
  logging = false;
  await Promise.all(crowd);
  expect(seen.length).toBeGreaterThan(30);
  expect(seen.filter(({ least, was }) => was < least)).toEqual([]);
}, 20_000);
