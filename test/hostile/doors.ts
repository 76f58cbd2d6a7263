// Both doors of a server, one way to use them: each logs events and says what became of each, as its callers hear it.

import { expect } from 'vitest';
import type { Event } from '../../src/events/fields.ts';
import { errorCodes } from '../../src/errors.ts';
import { rejections } from '../../src/events/complete.ts';
import { ADMIN_KEY, type TestServer } from '../support/server.ts';
import { type Sent, type Warning, asColumns, asNames, nameOf, selection } from './oracle.ts';

export type Result = {
  readonly outcome: string;
  readonly code: string | null;
  readonly warnings: readonly Warning[];
  readonly eventId: string | null;
  /** As it was answered; only GraphQL answers with the event. */
  readonly event?: Partial<Event> | null;
};

/** Logs events in one call: what became of each, or the code with which the whole call was refused. */
export type Door = (
  events: readonly Sent[],
) => Promise<{ results: Result[] } | { refused: string }>;

const json = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` };

/** Sends a body as it is. The answer must be JSON and no fault of ours. */
export const send = async (
  { url }: Pick<TestServer, 'url'>,
  path: '/graphql' | '/api/events',
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: any }> => {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { ...json, ...headers },
    body,
    signal: AbortSignal.timeout(15_000),
  });
  const answer = await response.text();
  expect(answer).not.toMatch(/INTERNAL_SERVER_ERROR|Unexpected error|went wrong/);
  expect(response.status).not.toBe(500);
  return { status: response.status, body: JSON.parse(answer) };
};

export const LOG_EVENTS = `mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results {
  outcome rejectionCode warnings { field message } event { ${selection} }
} } }`;

export const graphqlDoor =
  (server: TestServer): Door =>
  async (events) => {
    const { body } = await send(
      server,
      '/graphql',
      JSON.stringify({ query: LOG_EVENTS, variables: { input: events } }),
    );
    if (!body.data) return { refused: knownCode(body.errors[0].extensions.code) };
    return {
      results: body.data.logEvents.results.map((of: any) =>
        known({ ...of, code: of.rejectionCode, eventId: of.event?.eventId ?? null }),
      ),
    };
  };

export const restDoor =
  (server: TestServer): Door =>
  async (events) => {
    const { body } = await send(server, '/api/events', JSON.stringify(events.map(asColumns)));
    if (body.error) return { refused: knownCode(body.error.code) };
    return {
      results: body.results.map((of: any) =>
        known({
          outcome: of.outcome,
          code: of.code ?? null,
          eventId: of.event_id,
          warnings: of.warnings.map(({ field, message }: Warning) => ({
            field: nameOf(field),
            message,
          })),
        }),
      ),
    };
  };

export const knownCode = (code: string): string => {
  expect(Object.keys(errorCodes)).toContain(code);
  return code;
};

/** Every outcome is one of the four, every rejection has one of the codes, every repair says what was done. */
const known = (result: Result): Result => {
  expect(['STORED', 'REPAIRED', 'DUPLICATE', 'REJECTED']).toContain(result.outcome);
  if (result.outcome === 'REJECTED') {
    expect(Object.keys(rejections)).toContain(result.code);
    expect(result.code).not.toBe('UNSTORABLE'); // nothing is left for the database to refuse
  } else expect(result.eventId).not.toBeNull();
  if (result.outcome === 'STORED') expect(result.warnings).toEqual([]);
  if (result.outcome === 'REPAIRED') expect(result.warnings).not.toEqual([]);
  for (const { field, message } of result.warnings) {
    expect(field).toBeTypeOf('string');
    expect(message).not.toBe('');
  }
  return result;
};

/** Reads events twice, as SQL has them and as GraphQL answers, by their ids and under the API's names. */
export const readBack = async (
  server: TestServer,
  eventIds: readonly string[],
): Promise<{ sql: Map<string, Partial<Event>>; graphql: Map<string, Partial<Event>> }> => {
  const rows = await server.database.sql<Sent[]>`
    SELECT * FROM events WHERE event_id = ANY (${eventIds as string[]}::text[])`;
  const read: Partial<Event>[] = [];
  for (let start = 0; start < eventIds.length; start += PAGE) {
    const page = eventIds.slice(start, start + PAGE);
    const variables = Object.fromEntries(page.map((id, index) => [`v${index}`, id]));
    const query = `query(${page.map((_, index) => `$v${index}: ID!`).join(' ')}) {
      ${page.map((_, index) => `a${index}: event(eventId: $v${index}) { ...E }`).join('\n')}
    } fragment E on Event { ${selection} }`;
    const { body } = await send(server, '/graphql', JSON.stringify({ query, variables }));
    expect(body.errors).toBeUndefined();
    read.push(...Object.values<Partial<Event>>(body.data));
  }
  return {
    sql: new Map(rows.map((row) => [row['event_id'] as string, asNames(row) as Partial<Event>])),
    graphql: new Map(read.map((event) => [event.eventId!, event])),
  };
};

const PAGE = 10;
