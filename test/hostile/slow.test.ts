// What is made so that work grows with its square: one request, within the limits, must not keep all others waiting.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestServer, createTestServer } from '../support/server.ts';

/** Each took from 4 s to minutes where the work grew with the square. */
const SOON_MS = 2_500;

let server: TestServer;
let keys: { write: string; read: string };
beforeAll(async () => {
  server = await createTestServer();
  const keyFor = async (scope: string): Promise<string> =>
    (await server.graphql(`mutation { createApiKey(name: "k", scopes: [${scope}]) { key } }`)).data.createApiKey.key; // oxfmt-ignore
  keys = { write: await keyFor('EVENTS_WRITE'), read: await keyFor('EVENTS_READ') };
});
afterAll(() => server[Symbol.asyncDispose]());

const soon = async <T>(work: () => Promise<T>): Promise<T> => {
  const begun = performance.now();
  const result = await work();
  expect(performance.now() - begun).toBeLessThan(SOON_MS);
  return result;
};
const keyed = (count: number, key: (index: number) => string, value: (index: number) => unknown = () => 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [key(index), value(index)])); // oxfmt-ignore
const post = async (path: string, body: object, key?: string) => {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
};
const number = (index: number): string => String(index).padStart(6, '0');

test.each<[string, object]>([
  ['a text in which a token could begin everywhere', { description: '-eyJ'.repeat(60_000) }],
  ['a text of backslashes', { description: `password=${'\\'.repeat(150_000)}"${'\\'.repeat(300_000)}` }],
  ['fields of no event whose names are cut to one', keyed(5_000, (index) => 'x'.repeat(100) + number(index))],
  ['keys that are dropped to one', { metadata: keyed(10_000, (index) => `jejak_aaaaaaaaaaaaaaaaaaaaaa${number(index)}`) }],
  ['parts of a form without an end', { description: 'name=a\n\n'.repeat(90_000) }],
  ['labels of which each is another', { metadata: Array.from({ length: 50_000 }, (_, index) => `k${index}_token_x: a`).join(' ') }],
  ['many secrets', { metadata: keyed(20_000, (index) => `password${number(index)}`, (index) => `rahasia-${number(index)}`) }],
  ['many keys', { metadata: keyed(60_000, (index) => `k${number(index)}`) }],
])('at the entrance: %s', async (_, event) => {
  const { status, text } = await soon(() => post('/api/events', { code: 'AUTH-001', ...event }, keys.write)); // oxfmt-ignore
  expect([201, 422]).toContain(status);
  expect(text.length).toBeLessThan(300_000);
}); // oxfmt-ignore

const within = (depth: number, filter: object): object =>
  depth === 0 ? filter : { not: within(depth - 1, filter) };
const ASK = 'query($x: EventFilter, $a: Int) { events(filter: $x, first: $a) { totalCount } }';
test.each<[string, object]>([
  ['keys that no filter has', { x: keyed(4_000, (index) => 'k'.repeat(50) + number(index)) }],
  ['a text in which a token could begin everywhere', { a: '-eyJ'.repeat(60_000) }],
  [
    'what is no code, in filters within filters',
    { x: within(1_500, { code: Array(5).fill('x') }) },
  ],
])('in variables, of a document that is known: %s', async (_, variables) => {
  for (let time = 0; time < 2; time++) await post('/graphql', { query: ASK }, keys.read);
  const { text } = await soon(() => post('/graphql', { query: ASK, variables }, keys.read));
  expect(text).toContain('BAD_USER_INPUT');
  expect(text.length).toBeLessThan(20_000);
});

test('at the entrance: more lines than a call may carry, none of them JSON', async () => {
  const response = await soon(() =>
    fetch(`${server.url}/api/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${keys.write}` },
      body: '{\n'.repeat(500_000),
    }),
  );
  expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('500000 events')]); // oxfmt-ignore
});

const LONG = 'a '.repeat(7_900);
test.each<[string, object, string]>([
  ['a name of separators', { metadata: { nama: '- - - - - - - - - - - - - - - - - - b', note: `${'-'.repeat(160)}!` } }, '-'.repeat(160)],
  ['a name of thousands of words', { metadata: { nama: `${LONG}Rahasia`, note: `${LONG}Rahasia` } }, 'note'],
  ['names that begin alike', { metadata: { nama: Array.from({ length: 99 }, (_, index) => 'a '.repeat(70) + index), note: `${'a '.repeat(69)}! `.repeat(80) } }, 'note'],
])('what is masked: %s', async (_, event, shown) => {
  await post('/api/events', { code: 'SYS-003', ...event }, keys.write);
  const query = '{ events(filter: { code: ["SYS-003"] }, first: 1) { edges { node { metadata } } } }';
  const { text } = await soon(() => post('/graphql', { query }, keys.read));
  expect(text).toContain(shown);
  expect(text).not.toContain('Rahasia');
}); // oxfmt-ignore

test('who has no credential is not heard at length', async () => {
  const large = {
    query: ASK,
    variables: { x: { and: Array.from({ length: 20_000 }, () => ({})) } },
  };
  const { status, text } = await soon(() => post('/graphql', large));
  expect([status, text]).toEqual([401, expect.stringContaining('UNAUTHENTICATED')]);
  const less = {
    query: ASK,
    variables: { x: keyed(500, (index) => 'k'.repeat(50) + number(index)) },
  };
  const answer = await soon(() => post('/graphql', less));
  expect(answer.text.length).toBeLessThan(20_000);
});

test('keys of JSON that are masked to one are told apart in few characters', async () => {
  const metadata = keyed(1_200, (index) => `a${number(index)}b@x.id`);
  await post('/api/events', { code: 'SYS-001', metadata }, keys.write);
  const query = '{ events(filter: { code: ["SYS-001"] }) { edges { node { metadata } } } }';
  const { text } = await soon(() => post('/graphql', { query }, keys.read));
  expect(Object.keys(JSON.parse(text).data.events.edges[0].node.metadata)).toHaveLength(1_200);
  expect(text.length).toBeLessThan(2 * JSON.stringify(metadata).length);
});

test('an event with very many names is masked as soon as others, in its texts too', async () => {
  const names = Array.from({ length: 2_500 }, (_, index) => `İ${number(index)}ß`);
  const description = `${names[7]} and Rudi Hartono. ${'İ0 '.repeat(1_200)}`;
  const metadata = { nama: names, guru: { nama: 'Rudi Hartono' } };
  for (let call = 0; call < 20; call++)
    await post('/api/events', { code: 'SYS-002', description, metadata }, keys.write);
  const query =
    '{ events(filter: { code: ["SYS-002"] }) { edges { node { description metadata } } } }';
  const { text } = await soon(() => post('/graphql', { query }, keys.read));
  expect(text).not.toMatch(/Rudi|Hartono|000007/);
  expect(text).toContain('İ***ß and R***o.');
  expect(JSON.parse(text).data.events.edges).toHaveLength(20);
});
