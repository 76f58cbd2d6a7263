import { expect, test } from 'vitest';
import { testServer } from '../support/server.ts';

test('/metrics counts what became of events, what is sent to subscribers and where they stand', async () => {
  const server = await testServer();
  await using subscriber = server.subscribe(
    'subscription { eventStream { cursor events { id } } }',
  );
  await subscriber.next();
  const send = (input: object) =>
    server.graphql('mutation($input: LogEventInput!) { logEvent(input: $input) { outcome } }', {
      input,
    });
  await send({ code: 'AUTH-001', username: 'not in here' });
  await send({ category: 'AUTH' });
  await subscriber.next();
  await send({ code: 'AUTH-002' });
  await subscriber.next();

  const response = await fetch(`${server.url}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
  const text = await response.text();
  const figure = (name: string) => Number(text.split(`\n${name} `)[1]?.split('\n')[0]);
  expect(figure('jejak_events_total{outcome="STORED"}')).toBe(2);
  expect(figure('jejak_events_total{outcome="REJECTED"}')).toBe(1);
  expect(figure('jejak_live_subscribers')).toBe(1);
  expect(figure('jejak_live_groups')).toBe(1);
  expect(figure('jejak_live_head')).toBe(2);
  expect(figure('jejak_live_frames_total{transport="websocket"}')).toBe(3);
  expect(figure('jejak_commit_seconds_count')).toBe(2);
  expect(figure('jejak_work_under_way')).toBe(0);
  expect(text).toContain('process_resident_memory_bytes');
  expect(text).not.toContain('not in here');
});
