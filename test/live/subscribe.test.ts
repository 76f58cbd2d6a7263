import { expect, test } from 'vitest';
import { testServer } from '../support/server.ts';

test('a subscriber receives an event after it was logged, and can go on after its cursor', async () => {
  const server = await testServer();
  const subscription =
    'subscription($after: String) { eventLogged(after: $after) { cursor event { eventId username } } }';
  await using first = server.subscribe(subscription, { after: 'earliest' });
  for (const username of ['a', 'b', 'c'])
    await server.graphql(
      'mutation($u: String) { logEvent(input: { code: "AUTH-001", username: $u }) { outcome } }',
      { u: username },
    );
  const a = await first.next();
  expect(a.eventLogged.event.username).toBe('a');
  expect((await first.next()).eventLogged.event.username).toBe('b');
  await using second = server.subscribe(subscription, { after: a.eventLogged.cursor });
  expect((await second.next()).eventLogged.event.username).toBe('b');
  expect((await second.next()).eventLogged.event.username).toBe('c');
});
