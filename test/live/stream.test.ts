// eventStream, the log in batches: where it begins, how it is cut, what is past and what is live, and that every cursor on
// the way goes on exactly where it stands.

import { expect, test } from 'vitest';
import { parseCursor } from '../../src/live/cursor.ts';
import { type TestServer, testServer } from '../support/server.ts';

type Batch = { events: { username: string }[]; cursor: string; replay: boolean; lagMs: number };
type Stream = AsyncDisposable & {
  readonly next: (ms?: number) => Promise<Batch>;
  /** The next message that has events. */
  readonly nextEvents: () => Promise<Batch>;
};

const watch = (server: TestServer, variables: object = {}): Stream => {
  const subscriber = server.subscribe<{ eventStream: Batch }>(
    `subscription($filter: EventFilter, $after: String, $maxBatch: Int) {
      eventStream(filter: $filter, after: $after, maxBatch: $maxBatch) { events { username } cursor replay lagMs } }`,
    variables,
  );
  const next = async (ms?: number) => (await subscriber.next(ms)).eventStream;
  return {
    next,
    nextEvents: async () => {
      for (;;) {
        const batch = await next();
        if (batch.events.length > 0) return batch;
      }
    },
    [Symbol.asyncDispose]: () => subscriber[Symbol.asyncDispose](),
  };
};

/** Logs in one call; the cursors of the events. */
const log = async (server: TestServer, usernames: readonly string[]): Promise<string[]> => {
  const { data } = await server.graphql(
    'mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { cursor } } }',
    { input: usernames.map((username) => ({ code: 'AUTH-001', username })) },
  );
  return data.logEvents.results.map(({ cursor }: { cursor: string }) => cursor);
};
const numbered = (count: number, prefix = 'n'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const names = ({ events }: Batch): string[] => events.map(({ username }) => username);

/** Messages until so many events have come. */
const take = async (stream: Stream, count: number): Promise<Batch[]> => {
  const batches: Batch[] = [];
  while (batches.flatMap(names).length < count) batches.push(await stream.nextEvents());
  return batches;
};

test('the first message is a checkpoint after the cursor that was given', async () => {
  const server = await testServer();
  const [first] = await log(server, ['a', 'b']);
  for (const after of ['earliest', first]) {
    await using stream = watch(server, { after });
    expect(await stream.next()).toEqual({ events: [], cursor: after, replay: false, lagMs: 0 });
  }
});

test('without a cursor the first message is a checkpoint where the log stands', async () => {
  const server = await testServer();
  await log(server, ['before']);
  await using stream = watch(server);
  const { cursor, ...checkpoint } = await stream.next();
  expect(checkpoint).toEqual({ events: [], replay: false, lagMs: 0 });
  await log(server, ['after']);
  await using resumed = watch(server, { after: cursor });
  expect(names(await resumed.nextEvents())).toEqual(['after']);
});

test('the first checkpoint of an empty log goes on with its first event', async () => {
  const server = await testServer();
  await using stream = watch(server);
  const { cursor } = await stream.next();
  await using early = watch(server, { after: cursor });
  await early.next();
  await log(server, ['first']);
  await using late = watch(server, { after: cursor });
  for (const resumed of [early, late]) expect(names(await resumed.nextEvents())).toEqual(['first']);
});

test('what was logged in one call comes in one message, live and with its lag', async () => {
  const server = await testServer();
  await using stream = watch(server);
  await stream.next();
  const cursors = await log(server, numbered(100));
  const batch = await stream.next();
  expect(names(batch)).toEqual(numbered(100));
  expect(parseCursor(batch.cursor)!.seq).toBe(parseCursor(cursors[99]!)!.seq);
  expect(batch.replay).toBe(false);
  expect(batch.lagMs).toBeGreaterThanOrEqual(0);
  expect(batch.lagMs).toBeLessThan(1_000);
});

test.each([
  ['live', undefined],
  ['replayed', 'earliest'],
])(
  'no message that is %s has more than maxBatch events, and each cursor between goes on exactly',
  async (_, after) => {
    const server = await testServer();
    const logSome = async () => {
      await log(server, numbered(20, 'a'));
      await log(server, numbered(5, 'b'));
    };
    if (after === 'earliest') await logSome();
    await using stream = watch(server, { after, maxBatch: 7 });
    await stream.next();
    if (after === undefined) await logSome();
    const batches = await take(stream, 25);
    await log(server, ['end']);
    const all = [...numbered(20, 'a'), ...numbered(5, 'b'), 'end'];
    expect(batches.flatMap(names)).toEqual(all.slice(0, 25));
    expect(batches.filter(({ events }) => events.length > 7)).toEqual([]);
    let taken = 0;
    for (const { events, cursor } of batches) {
      taken += events.length;
      await using resumed = watch(server, { after: cursor, maxBatch: 1_000 });
      const rest = await take(resumed, all.length - taken);
      expect(rest.flatMap(names)).toEqual(all.slice(taken));
    }
  },
);

test.each([0, 1_001, -1])('a maxBatch of %d is BAD_USER_INPUT', async (maxBatch) => {
  const server = await testServer();
  await using stream = watch(server, { maxBatch });
  await expect(stream.next()).rejects.toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('messages are of the past until the stream has caught up, and live from then on', async () => {
  const server = await testServer();
  for (let call = 0; call < 3; call++) await log(server, numbered(1_000));
  const other = await testServer(server.database); // has not all of it in memory
  await using stream = watch(other, { after: 'earliest', maxBatch: 1_000 });
  const past = await take(stream, 3_000);
  expect(past.map(({ replay }) => replay)).not.toContain(false);
  for (let call = 0; call < 3; call++) {
    await log(server, ['live']);
    expect(await stream.nextEvents()).toMatchObject({ replay: false });
  }
});

test('events that were committed long ago are replayed with a lag that is an Int', async () => {
  const server = await testServer();
  await log(server, ['old']);
  await server.database.sql`UPDATE batches SET committed_at = now() - interval '60 days'`;
  await using stream = watch(await testServer(server.database), { after: 'earliest' });
  const { events, lagMs } = await stream.nextEvents();
  expect(events).toEqual([{ username: 'old' }]);
  expect(lagMs).toBe(2 ** 31 - 1);
});

test('the lag is that of the events, whatever was passed over after them', async () => {
  const server = await testServer();
  await log(server, ['rare']);
  await server.database.sql`UPDATE batches SET committed_at = now() - interval '1 hour'`;
  await log(server, ['other']);
  const other = await testServer(server.database);
  await using stream = watch(other, { after: 'earliest', filter: { username: ['rare'] } });
  const { lagMs } = await stream.nextEvents();
  expect(lagMs).toBeGreaterThan(3_500_000);
});

test('where nothing matches, a checkpoint moves the cursor on every 15 s, and to go on after it misses nothing', async () => {
  const server = await testServer();
  const filter = { username: ['rare'] };
  await using stream = watch(server, { filter });
  const began = performance.now();
  await stream.next();
  const [passedOver] = await log(server, ['other']);
  const { cursor, ...checkpoint } = await stream.next(17_000);
  expect(performance.now() - began).toBeGreaterThan(10_000);
  expect(checkpoint).toEqual({ events: [], replay: false, lagMs: 0 });
  expect(parseCursor(cursor)!.seq).toBe(parseCursor(passedOver!)!.seq);
  await log(server, ['rare', 'other']);
  expect(names(await stream.nextEvents())).toEqual(['rare']);
  await using resumed = watch(server, { after: cursor });
  expect(names(await resumed.nextEvents())).toEqual(['rare', 'other']);
});
