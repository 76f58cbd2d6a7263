// The benchmark of the live path must notice what its figures are worth nothing without.

import { expect, test } from 'vitest';
import { createFrames } from '../../bench/support/watcher/frames.ts';
import { createLedger } from '../../bench/support/watcher/ledger.ts';

const fields = { eventId: 'e', code: 'c', category: 'c', name: 'n', severity: 's', username: 'u', timestamp: 't' }; // oxfmt-ignore
const event = (processingTimeMs: number) => ({ ...fields, processingTimeMs });
const frameOf = (data: object): Buffer =>
  Buffer.from(JSON.stringify({ id: '1', type: 'next', payload: { data } }));
const logged = (number: number): Buffer =>
  frameOf({ eventLogged: { event: event(number), cursor: `cursor ${number}` } });

/** Two sockets: one wants every event, one only those with even numbers. */
const sent = (...numbers: number[]) => {
  const groups = [[true, true], [true, false]].map((passes) => ({ filter: {}, passes })); // oxfmt-ignore
  const ledger = createLedger(groups, 2);
  ledger.send(numbers);
  const read = createFrames();
  return (...arriving: number[][]) => {
    for (const [socket, had] of arriving.entries())
      for (const number of had) ledger.enter(ledger.accounts[socket]!, read(logged(number)));
    return ledger;
  };
};

test('every event once on every socket that wants it is as it should be', () => {
  const ledger = sent(1, 2, 3)([1, 2, 3], [2]);
  expect(ledger.missing()).toBe(0);
  expect(ledger.verify).not.toThrow();
});

test('an event that is lost is noticed', () => {
  expect(sent(1, 2, 3)([1, 2], [2]).verify).toThrow('Socket 0 had 2 events');
});

test('an event that comes twice is noticed', () => {
  expect(sent(1, 2, 3)([1, 2, 3], [2, 2]).verify).toThrow('Socket 1 had 2 events');
});

test('one event twice in the place of another is noticed', () => {
  expect(sent(1, 2, 3)([1, 2, 2], [2]).verify).toThrow('with the sum 5 instead of 3 with 6');
});

test('an event that another socket wanted is noticed', () => {
  expect(sent(1, 2, 3)([1, 2, 3], [3]).verify).toThrow('Socket 1');
});

test('a frame says which events it has and where its reader stands', () => {
  const read = createFrames();
  const events = [event(7), event(12)];
  const stream = frameOf({ eventStream: { events, cursor: 'there', replay: false, lagMs: 3 } });
  expect(read(stream)).toMatchObject({ numbers: [7, 12], sum: 19, cursor: 'there' });
  const checkpoint = frameOf({
    eventStream: { events: [], cursor: 'on', replay: false, lagMs: 0 },
  });
  expect(read(checkpoint)).toMatchObject({ numbers: [], sum: 0, cursor: 'on' });
});

test('a frame with an error, or with other fields than were asked for, is refused', () => {
  const error = Buffer.from('{"id":"1","type":"next","payload":{"data":null,"errors":[{}]}}');
  expect(() => createFrames()(error)).toThrow('A frame is not as expected');
  const thin = frameOf({ eventLogged: { event: { processingTimeMs: 1 }, cursor: 'c' } });
  expect(() => createFrames()(thin)).toThrow('A frame is not as expected');
});

test('a frame that differs from what followed on another socket is read, not guessed', () => {
  const read = createFrames();
  const first = read(logged(1));
  read(logged(2), first);
  read(logged(3), read(logged(2), first));
  expect(read(logged(2), first).numbers).toEqual([2]);
  expect(read(logged(4), first).numbers).toEqual([4]);
});
