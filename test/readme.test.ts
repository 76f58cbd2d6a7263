import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'graphql';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { temporaryDirectory } from './support/process.ts';
import { ADMIN_KEY, type TestServer, createTestServer } from './support/server.ts';

const run = promisify(execFile);
const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(
    (match) => match[1]!,
  );

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const operations = blocks('graphql').map((source) => {
  const [definition] = parse(source).definitions;
  return {
    source,
    kind: definition!.kind === 'OperationDefinition' ? definition.operation : 'other',
  };
});

test('the README shows how to log, ask and watch', () => {
  expect([...new Set(operations.map(({ kind }) => kind))]).toEqual([
    'mutation',
    'query',
    'subscription',
  ]);
});

const subscriptions = operations.filter(({ kind }) => kind === 'subscription');

test.each(operations.filter(({ kind }) => kind !== 'subscription'))(
  'runs as the README says: $source',
  async ({ source }) => {
    const { data, errors } = await server.graphql(source);
    expect(errors).toBeUndefined();
    expect(data).toBeTruthy();
  },
);

/** Runs the README's curl for this path; what it prints. */
const curl = async (path: string): Promise<string> => {
  const command = blocks('sh').find((text) => text.includes(path))!;
  const here = command.replace('http://127.0.0.1:4000', server.url).replace('curl ', 'curl -s ');
  const env = { PATH: process.env['PATH'], JEJAK_KEY: ADMIN_KEY };
  return (await run('sh', ['-c', here.replace(/-o \S+/, '')], { env })).stdout;
};

test('the first question of the README is answered over curl', async () => {
  expect(JSON.parse(await curl('/graphql -H')).data.severities).toHaveLength(5);
});

test('the export of the README is the CSV that it says, in the zone that it names', async () => {
  await server.graphql('mutation { logEvent(input: { code: "AUTH-001" }) { outcome } }');
  const [head, ...rows] = (await curl('/api/export')).trimEnd().split('\r\n');
  expect(head).toMatch(/^id,event_id,code,event_category,.*,cursor$/);
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row).toMatch(/,AUTH,.*\+07:00,/);
});

test('the subscription of the README receives what its curl logs, and the answer is as described', async () => {
  await using subscriber = server.subscribe(subscriptions[0]!.source);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const stdout = await curl('/api/events');
  const answer = JSON.parse(stdout);
  expect(answer.outcome).toBe('REPAIRED');
  expect(answer.warnings.map(({ field }: { field: string }) => field)).toEqual(['ip_address']);
  const { securityEventLogged } = await subscriber.next();
  expect(securityEventLogged.event).toMatchObject({
    code: 'SEC-002',
    severity: 'CRITICAL',
    ipAddress: null,
  });

  await using batches = server.subscribe(subscriptions[1]!.source);
  expect((await batches.next()).eventStream).toMatchObject({ events: [], cursor: 'earliest' });
  const { eventStream } = await batches.next();
  expect(eventStream.events).toContainEqual(expect.objectContaining({ code: 'SEC-002' }));
});

test('the follower of the README prints what is logged, and started again goes on after it', async () => {
  const directory = await temporaryDirectory();
  const client = new URL('../clients/javascript/follow.js', import.meta.url);
  const program = blocks('js')
    .join('')
    .replace('./follow.js', client.href)
    .replace('ws://127.0.0.1:4000', server.url.replace('http', 'ws'));
  await writeFile(join(directory, 'program.mjs'), program);
  for (const [name, expected] of [
    ['First', /INFO First\n$/],
    ['Second', /^INFO Second\n$/],
  ] as const) {
    const child = spawn(process.execPath, ['program.mjs'], {
      cwd: directory,
      env: { JEJAK_KEY: ADMIN_KEY },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const { body } = await server.rest({
      event_category: 'SECURITY',
      event_type: 'TEST',
      event_name: name,
    });
    await vi.waitFor(
      async () =>
        expect(await readFile(join(directory, 'cursor'), 'utf8').catch(() => '')).toBe(body.cursor),
      { timeout: 10_000 },
    );
    expect(printed).toMatch(expected);
    child.kill('SIGKILL');
  }
});

test('every file that the README names exists', async () => {
  const named = [...readme.matchAll(/`((?:src|test|drizzle|clients)\/[\w./-]+)`/g)].map(
    (match) => match[1]!,
  );
  expect(named.length).toBeGreaterThan(15);
  await Promise.all(named.map((file) => readFile(new URL(`../${file}`, import.meta.url))));
});
