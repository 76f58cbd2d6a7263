// The loads of Jejak's doors: single events from 64 connections, calls of 100 from 8.

import { type InputName, fields } from '../../src/events/fields.ts';
import { sampleEvents } from './events.ts';
import type { Load } from './load.ts';

const CALL = 100;

export const events = sampleEvents(3_200);

const LOG_ONE =
  'mutation LogOne($input: LogEventInput!) { logEvent(input: $input) { outcome cursor event { eventId } } }';
const LOG_MANY =
  'mutation LogMany($input: [LogEventInput!]!) { logEvents(input: $input) { stored duplicates rejected } }';

export const graphql = (query: string, variables: object): string =>
  JSON.stringify({ query, variables });

/** So many events each. */
export const inCalls = <T>(all: readonly T[], size = CALL): T[][] =>
  Array.from({ length: all.length / size }, (_, call) => all.slice(call * size, (call + 1) * size));

/** An event under other names, without what is null. */
export const renamed = (event: object, rename: (name: InputName) => string): object =>
  Object.fromEntries(
    Object.entries(event)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [rename(name as InputName), value]),
  );
export const columnOf = (name: InputName): string => fields[name].column;

export const logEvent: Load = {
  name: 'logEvent, 64 connections',
  path: '/graphql',
  connections: 64,
  bodies: events.map((input) => graphql(LOG_ONE, { input })),
  eventsPerCall: 1,
  expect: '"outcome":"STORED"',
};

export const logEventsOf = (size: number, connections: number): Load => ({
  name: `logEvents of ${size}, ${connections} connections`,
  path: '/graphql',
  connections,
  bodies: inCalls(events, size).map((input) => graphql(LOG_MANY, { input })),
  eventsPerCall: size,
  expect: `"stored":${size}`,
});
export const logEvents = logEventsOf(CALL, 8);

export const postEvent: Load = {
  name: 'POST /api/events, 64 connections',
  path: '/api/events',
  connections: 64,
  bodies: events.map((event) => JSON.stringify(renamed(event, columnOf))),
  eventsPerCall: 1,
  expect: '"outcome":"STORED"',
  status: 201,
};
