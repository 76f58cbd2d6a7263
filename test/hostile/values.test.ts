// Arbitrary events, of right and wrong types, on both doors. Whatever is sent, its outcome is known, a warning names every
// field that is not stored as it was sent, and what the caller hears is what a reader finds.

import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { complete, isRejection } from '../../src/events/complete.ts';
import { type InputName, type Kind, fields, inputNames } from '../../src/events/fields.ts';
import { parseInstant } from '../../src/events/time.ts';
import { categoryNames, severityNames, statusNames } from '../../src/events/vocabulary.ts';
import { type TestServer, createTestServer } from '../support/server.ts';
import { type Door, graphqlDoor, readBack, restDoor } from './doors.ts';
import { type Sent, lost, text, unwarned } from './oracle.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const character = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
  { weight: 4, arbitrary: fc.constantFrom('a', ' ', '"', '\\', '{', '}', ',', '%', '\n', 'é', '😀') },
  { weight: 2, arbitrary: fc.constantFrom('\0', '\ud800', '\udfff', '\u202e', '\u2028', '\uFEFF', '\uFFFF', '\u0085') },
); // oxfmt-ignore
const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: character, maxLength: 60 }) },
  { weight: 1, arbitrary: fc.constantFrom('', 'null', 'NULL', '{}', '{"a"}', '__proto__', 'constructor', 'NaN', '0', '-1', 'true') },
); // oxfmt-ignore
/** Around the longest that a field may be, and far beyond. */
const longText = fc
  .tuple(fc.string({ unit: character, minLength: 1, maxLength: 3 }), fc.constantFrom(10, 20, 25, 50, 100, 101, 200, 1_001, 4_100))
  .map(([part, times]) => part.repeat(times)); // oxfmt-ignore

const anyKey = fc.oneof(
  anyText,
  fc.constantFrom('__proto__', 'constructor', 'toJSON', 'length', '_original', 'value', ''),
);
const anyNumber = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 1e21, 1e64, 1.1e64, 1e-64, 1e308, 5e-324, 2 ** 31, -(2 ** 31), 2 ** 31 - 1, 2 ** 53, 0.1 + 0.2),
); // oxfmt-ignore

const nested = (depth: number): unknown => {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { value };
  return value;
};

/** Any JSON there is; `__proto__` is a key like any other, as JSON.parse makes it. */
const anyJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    anyText,
    anyNumber,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .array(fc.tuple(anyKey, tie('value')), { maxLength: 5 })
      .map((entries): unknown => Object.fromEntries(entries)),
    fc.constantFrom(20, 31, 32, 33, 60).map(nested),
  ),
})).value;
const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
const anyInstant = fc.oneof(
  fc.double({ min: -400, max: 8, noNaN: true }).map((days) => daysAgo(-days)),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    '0001-01-01T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z', '10000-01-01T00:00:00Z',
    '2025-02-29T00:00:00Z', '2024-02-29T24:00:00Z', '2025-06-30T23:59:60Z', 'now', 'infinity', '-infinity', 'epoch',
    '2025-06-19T14:30:52', '2025-06-19 14:30:52.123456789+07', '2025-06-19T14:30:52+15:59', '20250619T143052Z', '1750000000',
  ),
); // oxfmt-ignore
const anyAddress = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc.constantFrom('192.168.1.999', '::ffff:1.2.3.4', '::1.2.3.4', '::', 'fe80::1%eth0', '10.0.0.0/8', ' 127.0.0.1 ', '1.2.3.4, 5.6.7.8', '01.2.3.4'),
); // oxfmt-ignore

const fitting: Record<Kind, fc.Arbitrary<unknown>> = {
  position: fc.constant(null),
  identifier: fc.oneof(anyText, fc.uuid(), fc.uuid().map((id) => `AUTH-001-${id}`)),
  text: fc.oneof({ weight: 5, arbitrary: anyText }, { weight: 1, arbitrary: longText }),
  integer: fc.oneof(fc.integer(), fc.constantFrom(2 ** 31 - 1, -(2 ** 31), 0)),
  address: anyAddress,
  json: anyJson,
  tags: fc.oneof(fc.array(anyText, { maxLength: 60 }), fc.array(longText, { maxLength: 2 })),
  time: anyInstant,
  code: fc.constantFrom('AUTH-001', 'SEC-003', 'DATA-004', 'NONE-999', 'AUTH-000'),
  category: fc.constantFrom(...categoryNames),
  severity: fc.constantFrom(...severityNames),
  status: fc.constantFrom(...statusNames),
}; // oxfmt-ignore

const eventOf = (valueFor: (name: InputName) => fc.Arbitrary<unknown>): fc.Arbitrary<Sent> =>
  fc
    .tuple(
      fc.record(Object.fromEntries(inputNames.map((name) => [name, valueFor(name)])), {
        requiredKeys: [],
      }),
      fc.constantFrom<Sent>({ code: 'AUTH-001' }, { category: 'DATA', type: 'T', name: 'N' }, {}),
    )
    .map(([event, needed]) => ({ ...needed, ...event }));

/** What GraphQL's types let through. */
const typedEvent = eventOf((name) =>
  name === 'timestamp'
    ? anyInstant.filter((instant) => parseInstant(instant)?.zoned === true)
    : fitting[fields[name].kind],
);
/** Anything under the names of an event, and under other names. */
const anyEvent = fc
  .tuple(
    eventOf((name) =>
      fc.oneof({ weight: 3, arbitrary: fitting[fields[name].kind] }, { weight: 1, arbitrary: anyJson }),
    ),
    fc.array(fc.tuple(fc.oneof(anyKey, fc.constantFrom('id', 'createdAt', 'eventid')), anyJson), {
      maxLength: 2,
    }),
  )
  .map(([event, others]): Sent =>
    Object.fromEntries([
      ...Object.entries(event),
      ...others.filter(([name]) => !Object.hasOwn(fields, name)),
    ]),
  ); // oxfmt-ignore
const anySource = fc.oneof({ weight: 9, arbitrary: anyEvent }, { weight: 1, arbitrary: anyJson });

let made = 0;
/** The same events with an identity each, so that they can be found, where theirs is not to be tested. */
const identified = (events: readonly Sent[]): Sent[] =>
  events.map((event) =>
    made++ % 4 === 0 && typeof event['eventId'] === 'string'
      ? { ...event, eventId: `${made}${event['eventId']}` }
      : { ...event, eventId: `values-${made}` },
  );

const check = async (door: Door, events: readonly Sent[]): Promise<void> => {
  const sent = events.map((event) => JSON.parse(JSON.stringify(event)) as Sent);
  const answer = await door(sent);
  if ('refused' in answer) throw new Error(`The whole call was refused: ${answer.refused}`);
  expect(answer.results).toHaveLength(sent.length);
  const ids = answer.results.flatMap(({ eventId }) => eventId ?? []);
  const stored = await readBack(server, [...new Set(ids)]);
  for (const [index, result] of answer.results.entries()) {
    if (result.outcome === 'REJECTED') continue;
    const [sql, graphql] = [stored.sql.get(result.eventId!)!, stored.graphql.get(result.eventId!)!];
    expect(unwarned(sent[index]!, sql, result.warnings)).toEqual([]);
    expect(unwarned(sent[index]!, graphql, result.warnings)).toEqual([]);
    if (result.event) expect(text(graphql)).toBe(text(result.event));
    expect(lost(sent[index]!, sql, result.warnings)).toEqual([]);
  }
};

/** The smallest case that fails, cut to what can be read. */
const reporter = <T>(run: fc.RunDetails<T>): void => {
  if (!run.failed) return;
  const example = fc.stringify(run.counterexample).slice(0, 1_500);
  throw new Error(`Seed ${run.seed}, path ${run.counterexamplePath}: ${example}`, {
    cause: run.errorInstance,
  });
};

const settings = { numRuns: 60, reporter, skipAllAfterTimeLimit: 10_000 } as const;

test('whatever GraphQL lets through is stored as it was sent, or a warning says what was done', async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(fc.array(typedEvent, { minLength: 1, maxLength: 6 }), (events) =>
      check(graphqlDoor(server), identified(events)),
    ),
    settings,
  );
});

test('whatever REST lets through is stored as it was sent, or a warning says what was done', async () => {
  expect.hasAssertions();
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { minLength: 1, maxLength: 6 }), (events) =>
      check(restDoor(server), identified(events)),
    ),
    settings,
  );
});

test('events of wrong types are refused by GraphQL with BAD_USER_INPUT, or have an outcome that is known', async () => {
  expect.hasAssertions();
  const door = graphqlDoor(server);
  await fc.assert(
    fc.asyncProperty(anySource, async (source) => {
      const sent = JSON.parse(JSON.stringify([source])) as Sent[];
      const answer = await door(sent);
      if ('refused' in answer) expect(answer.refused).toBe('BAD_USER_INPUT');
    }),
    { ...settings, numRuns: 250 },
  );
});

test('any JSON at all as the body of REST is answered with outcomes that are known', async () => {
  expect.hasAssertions();
  const door = restDoor(server);
  await fc.assert(
    fc.asyncProperty(fc.array(anyJson, { maxLength: 20 }), async (sources) => {
      const sent = JSON.parse(JSON.stringify(sources)) as Sent[];
      const answer = await door(sent.map((source) => source ?? {}));
      if ('results' in answer) expect(answer.results).toHaveLength(sent.length);
    }),
    settings,
  );
});

test('complete() never throws, and completes what it completed without a further word', () => {
  const now = new Date();
  const anything = fc.oneof(anySource, fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withObjectString: true, withSparseArray: true, withTypedArray: true })); // oxfmt-ignore
  fc.assert(
    fc.property(anything, (source) => {
      const result = complete(source, now);
      if (isRejection(result)) return;
      const again = complete(JSON.parse(JSON.stringify(result.draft)), now);
      if (isRejection(again)) {
        expect(again.code).toBe('TOO_LARGE'); // with what was set aside it may be
        return;
      }
      const lowered = new Set(result.warnings.map(({ field }) => field));
      expect(again.warnings.filter(({ field }) => !lowered.has(field))).toEqual([]);
      expect(text(again.draft)).toBe(text(result.draft));
    }),
    { numRuns: 4_000, reporter },
  );
});
