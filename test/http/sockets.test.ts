// The WebSocket door, by hand: what it lets in, what it refuses and how, and that one operation's mistake stays its own.

import { once } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type Socket as TcpSocket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { locked, testDatabase } from '../support/database.ts';
import { createTestLog } from '../support/log.ts';
import { proxyTo } from '../support/proxy.ts';
import { ADMIN_KEY, type TestServer, createTestServer, testServer } from '../support/server.ts';

type Message = { type: string; id?: string; payload?: unknown };
type Logged = { data?: { eventLogged?: { event: { username: string | null } } } };
/** Where the errors are: those of a request in an `error` message, those of its execution in a `next`. */
const errorsOf = ({ payload }: Message): unknown =>
  Array.isArray(payload) ? payload : (payload as { errors?: unknown }).errors;
type Socket = Disposable & {
  readonly send: (message: Message) => void;
  readonly sendText: (text: string) => void;
  /** The next message, whatever it is but a ping of the protocol. */
  readonly next: () => Promise<Message>;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly isOpen: () => boolean;
  /** From now on nothing that comes is read, so that no close is answered. */
  readonly stopReading: () => void;
};

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

// graphql-ws writes what a client did wrong to the console.
beforeEach(() => {
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => {});
  return () => complaints.mockRestore();
});

const open = async (of: TestServer = server): Promise<Socket> => {
  const socket = new WebSocket(`${of.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const messages: Message[] = [];
  let arrived = Promise.withResolvers<void>();
  socket.on('message', (data: Buffer) => {
    messages.push(JSON.parse(data.toString()) as Message);
    arrived.resolve();
  });
  const closed = once(socket, 'close').then(([code, reason]) => ({
    code: code as number,
    reason: String(reason),
  }));
  socket.on('error', () => {});
  await once(socket, 'open');
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    sendText: (text) => socket.send(text),
    next: async () => {
      const late = setTimeout(() => arrived.reject(new Error('Nothing within 5 s')), 5_000);
      while (messages.length === 0) {
        await arrived.promise;
        arrived = Promise.withResolvers();
      }
      clearTimeout(late);
      return messages.shift()!;
    },
    closed,
    isOpen: () => socket.readyState === WebSocket.OPEN,
    stopReading: () => socket.pause(),
    [Symbol.dispose]: () => socket.terminate(),
  };
};

const introduced = async (key: string = ADMIN_KEY, of: TestServer = server): Promise<Socket> => {
  const socket = await open(of);
  socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
  return socket;
};

const makeKey = async (...scopes: string[]): Promise<{ id: string; key: string }> => {
  const { data } = await server.graphql(
    'mutation($scopes: [Scope!]!) { createApiKey(name: "k", scopes: $scopes) { key apiKey { id } } }',
    { scopes },
  );
  return { id: data.createApiKey.apiKey.id, key: data.createApiKey.key };
};

const watch = 'subscription($after: String) { eventLogged(after: $after) { event { username } } }';
const record = (username: string): string =>
  `mutation { logEvent(input: { code: "AUTH-001", username: "${username}" }) { outcome } }`;
/** Subscribes, and resolves when something that was logged has arrived. */
const watching = async (socket: Socket, id: string, of: TestServer = server): Promise<void> => {
  const { data } = await of.graphql(
    'mutation { logEvent(input: { code: "AUTH-001" }) { cursor } }',
  );
  const variables = { after: data.logEvent.cursor };
  socket.send({ id, type: 'subscribe', payload: { query: watch, variables } });
  await of.graphql(record('begin'));
  await expectAlive(socket, id, 'begin');
};
const expectAlive = async (socket: Socket, id: string, username: string): Promise<void> => {
  for (;;) {
    const message = await socket.next();
    const data = (message.payload as Logged | undefined)?.data;
    if (data?.eventLogged?.event.username !== username) continue;
    expect(message).toMatchObject({ id, type: 'next' });
    return;
  }
};

// Who may come in.

test.each([
  ['no payload', undefined, 'Send a credential'],
  ['no key', {}, 'Send a credential'],
  ['no text for a key', { authorization: 7 }, 'Send a credential'],
  ['a key without Bearer', { authorization: ADMIN_KEY }, 'Send a credential'],
  ['a wrong key', { authorization: 'Bearer wrong' }, 'The key is not one of this log'],
  [
    'a well-formed key of nobody',
    { authorization: `Bearer jejak_${'A'.repeat(43)}000000` },
    'The key is not one of this log',
  ],
])('a socket with %s is closed with 4403, and told why', async (_, payload, why) => {
  using socket = await open();
  socket.send({ type: 'connection_init', payload });
  const { code, reason } = await socket.closed;
  expect(code).toBe(4403);
  expect(reason).toMatch(`UNAUTHENTICATED: ${why}`);
  expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
});

test('a revoked key cannot connect', async () => {
  const { id, key } = await makeKey('EVENTS_READ', 'EVENTS_READ_PERSONAL');
  using before = await introduced(key);
  await server.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { id } }', { id });
  using after = await open();
  after.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
  expect(await after.closed).toMatchObject({ code: 4403 });
  expect(before.isOpen()).toBe(true);
});

test('where keys cannot be looked up a socket is told to come back, not that its key is bad', async () => {
  const own = await testServer();
  const { data } = await own.graphql(
    'mutation { createApiKey(name: "k", scopes: [EVENTS_READ, EVENTS_READ_PERSONAL]) { key } }',
  );
  await own.database.sql`ALTER TABLE api_keys RENAME TO hidden`;
  using socket = await open(own);
  socket.send({
    type: 'connection_init',
    payload: { authorization: `Bearer ${data.createApiKey.key}` },
  });
  expect(await socket.closed).toMatchObject({ code: 1013 });
});

test('a key that may only write may log over the socket, and gets FORBIDDEN for a subscription', async () => {
  const { key } = await makeKey('EVENTS_WRITE');
  using socket = await introduced(key);
  socket.send({ id: 'watch', type: 'subscribe', payload: { query: watch } });
  const refused = await socket.next();
  expect(refused.id).toBe('watch');
  expect(errorsOf(refused)).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  expect(await socket.next()).toEqual({ id: 'watch', type: 'complete' });
  socket.send({ id: 'log', type: 'subscribe', payload: { query: record('writer') } });
  expect(await socket.next()).toMatchObject({
    id: 'log',
    payload: { data: { logEvent: { outcome: 'STORED' } } },
  });
});

test('a socket that does not say who it is within the time is closed with 4408', async () => {
  using socket = await open();
  const began = performance.now();
  expect(await socket.closed).toMatchObject({ code: 4408 });
  expect(performance.now() - began).toBeLessThan(7_000);
});

test('a socket that asks before it has said who it is is closed with 4401', async () => {
  using socket = await open();
  socket.send({ id: '1', type: 'subscribe', payload: { query: watch } });
  expect(await socket.closed).toMatchObject({ code: 4401 });
});

test('a socket that uses an id again is closed with 4409, however long that is', async () => {
  using socket = await introduced();
  const id = 'x'.repeat(200);
  for (let time = 0; time < 2; time++)
    socket.send({ id, type: 'subscribe', payload: { query: watch } });
  expect(await socket.closed).toMatchObject({ code: 4409 });
});

test('a document with several operations is not guessed at', async () => {
  const query = 'query A { severities { severity } } query B { severities { severity } }';
  using socket = await introduced();
  socket.send({ id: '1', type: 'subscribe', payload: { query } });
  const { payload } = await socket.next();
  const { errors } = await server.graphql(query);
  for (const [error] of [payload as any[], errors!])
    expect(error).toMatchObject({
      message: expect.stringContaining('operationName'),
      extensions: { code: 'BAD_USER_INPUT' },
    });
});

// What operations may do.

test('queries and mutations work over the socket', async () => {
  using socket = await introduced();
  const query =
    'mutation($u: String) { logEvent(input: { code: "AUTH-001", username: $u }) { event { eventId username } } }';
  socket.send({ id: 'm', type: 'subscribe', payload: { query, variables: { u: 'socket' } } });
  const { payload, ...rest } = await socket.next();
  expect(rest).toEqual({ id: 'm', type: 'next' });
  const { event } = (
    payload as { data: { logEvent: { event: { eventId: string; username: string } } } }
  ).data.logEvent;
  expect(event.username).toBe('socket');
  expect(await socket.next()).toEqual({ id: 'm', type: 'complete' });
  socket.send({
    id: 'q',
    type: 'subscribe',
    payload: {
      query: 'query($id: ID!) { event(eventId: $id) { username } }',
      variables: { id: event.eventId },
    },
  });
  expect(await socket.next()).toEqual({
    id: 'q',
    type: 'next',
    payload: { data: { event: { username: 'socket' } } },
  });
  expect(await socket.next()).toEqual({ id: 'q', type: 'complete' });
});

test.each([
  ['cannot be parsed', 'error', 'subscription {', undefined],
  ['asks for what there is not', 'error', 'subscription { nothing }', undefined],
  ['is empty', 'error', '', undefined],
  ['names no operation of its document', 'error', watch, 'Other'],
  [
    'has two operations and names none',
    'error',
    'query A { a: __typename } query B { b: __typename }',
    undefined,
  ],
  ['lacks a variable', 'next', 'query($id: ID!) { event(eventId: $id) { id } }', undefined],
  ['is nested too deeply', 'error', `{ ${'a { '.repeat(400)} a ${'}'.repeat(400)} }`, undefined],
])(
  'an operation that %s is an error of its own, and another on the same socket lives on',
  async (_, type, query, operationName) => {
    using socket = await introduced();
    await watching(socket, 'watch');
    socket.send({ id: 'bad', type: 'subscribe', payload: { query, operationName } });
    let answer = await socket.next();
    while (answer.id !== 'bad') answer = await socket.next();
    expect(errorsOf(answer)).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(answer.type).toBe(type);
    await server.graphql(record('after'));
    await expectAlive(socket, 'watch', 'after');
  },
);

test('a resolver that is refused answers with its code, and the socket lives on', async () => {
  using socket = await introduced();
  socket.send({
    id: 'big',
    type: 'subscribe',
    payload: { query: '{ events(first: 100000) { liveCursor } }' },
  });
  expect(await socket.next()).toMatchObject({
    id: 'big',
    payload: { data: null, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] },
  });
  expect(await socket.next()).toEqual({ id: 'big', type: 'complete' });
  expect(socket.isOpen()).toBe(true);
});

test('a binary frame, which may be no UTF-8, closes its socket and stores nothing', async () => {
  const socket = new WebSocket(
    `${server.url.replace('http', 'ws')}/graphql`,
    'graphql-transport-ws',
  );
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_KEY}` } })); // oxfmt-ignore
  await once(socket, 'message');
  const text = JSON.stringify({
    id: 'b',
    type: 'subscribe',
    payload: { query: record('binary-?') },
  });
  socket.send(Buffer.from(text.replace('?', '\xFF'), 'latin1'), { binary: true });
  const [code] = await once(socket, 'close');
  expect(code).toBe(1003);
  const found = await server.database.sql`SELECT FROM events WHERE username LIKE 'binary%'`;
  expect(found).toHaveLength(0);
});

test('a frame over 64 KB closes only its own socket', async () => {
  using large = await introduced();
  using other = await introduced();
  await watching(other, 'watch');
  const query = `# ${'x'.repeat(65_000)}\n{ __typename }`;
  large.send({ id: 'fits', type: 'subscribe', payload: { query } });
  expect(await large.next()).toMatchObject({ payload: { data: { __typename: 'Query' } } });
  large.send({
    id: 'over',
    type: 'subscribe',
    payload: { query: `${query} # ${'x'.repeat(600)}` },
  });
  expect(await large.closed).toMatchObject({ code: 1009 });
  await server.graphql(record('after'));
  await expectAlive(other, 'watch', 'after');
});

test('a socket carries 20 subscriptions; one more is an error of its own until another is complete', async () => {
  const own = await testServer();
  using socket = await introduced(ADMIN_KEY, own);
  const { data } = await own.graphql(
    'mutation { logEvent(input: { code: "AUTH-001" }) { cursor } }',
  );
  const add = (id: string): void => {
    const variables = { after: data.logEvent.cursor };
    socket.send({ id, type: 'subscribe', payload: { query: watch, variables } });
  };
  const ids = Array.from({ length: 20 }, (_, index) => `s${index}`);
  for (const id of ids) add(id);
  add('over');
  const refused = await socket.next();
  expect(refused).toMatchObject({ id: 'over', type: 'error' });
  expect(errorsOf(refused)).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);

  const served = async (expected: readonly string[]): Promise<void> => {
    const messages: Message[] = [];
    while (messages.length < expected.length) messages.push(await socket.next());
    expect(messages.map(({ type }) => type)).toEqual(expected.map(() => 'next'));
    expect(new Set(messages.map(({ id }) => id))).toEqual(new Set(expected));
  };
  await own.graphql(record('one'));
  await served(ids);
  socket.send({ id: 's0', type: 'complete' });
  add('over');
  await served(['over']); // what the others had
  await own.graphql(record('two'));
  await served([...ids.slice(1), 'over']);
});

test.each([
  ['not JSON', 'nonsense', 4400],
  ['of no known type', '{"type":"shout"}', 4400],
])('a message that is %s closes the socket and not the server', async (_, text, code) => {
  using socket = await introduced();
  socket.sendText(text);
  expect(await socket.closed).toMatchObject({ code });
  using next = await introduced();
  expect(next.isOpen()).toBe(true);
});

// What is no WebSocket of ours.

const upgrade = (target: string): string =>
  `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`;

test.each(['/', '/other', '/graphql/', '/graphqlx', '//', '*', 'http://[', '/%zz'])(
  'an upgrade of %j is answered with 404 and ended',
  async (target) => {
    const { port, hostname } = new URL(server.url);
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    socket.write(upgrade(target));
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    socket.destroy();
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 40[04] /);
    await introduced(); // the server is still there
  },
);

test('an id that is used again before its operation has ended is refused, so that nobody gets what another asked', async () => {
  const own = await testServer();
  using socket = await introduced(ADMIN_KEY, own);
  const ask = (id: string, query: string) =>
    socket.send({ type: 'subscribe', id, payload: { query } });
  const find = (name: string) => `{ events(filter: { search: "${name}" }) { totalCount } }`;
  const { release } = await locked(own.database.sql, 'search_names');
  ask('1', find('sitirahma'));
  await sleep(300);
  socket.send({ type: 'complete', id: '1' });
  ask('1', find('budiman'));
  const refused = await socket.next();
  expect(refused).toMatchObject({ type: 'error', id: '1', payload: [{ extensions: { code: 'BAD_USER_INPUT' } }] }); // oxfmt-ignore
  await release();
  await sleep(300);
  ask('1', '{ severities { severity } }'); // nothing of the first comes before it
  expect(await socket.next()).toMatchObject({ type: 'next', id: '1', payload: { data: { severities: expect.anything() } } }); // oxfmt-ignore
  expect(await socket.next()).toEqual({ type: 'complete', id: '1' });
  for (const wrong of [
    'query A { severities { severity } } query B { severities { severity } }',
    '{',
  ]) {
    ask('1', wrong);
    expect(await socket.next()).toMatchObject({ type: 'error', id: '1' });
    await sleep(50); // the library has forgotten it
  }
  ask('1', '{ severities { severity } }');
  expect(await socket.next()).toMatchObject({ type: 'next', id: '1' });
});

test('whatever ids a socket uses again, nothing of it is left when it has closed', async () => {
  const own = await testServer();
  const socket = await introduced(ADMIN_KEY, own);
  for (let index = 0; index < 60; index++) {
    const id = `y${index}`;
    const ask = (query: string) => socket.send({ type: 'subscribe', id, payload: { query } });
    ask('{ severities { severity } }');
    socket.send({ type: 'complete', id });
    ask('subscription { eventLogged(filter: { type: ["NEVER"] }) { event { eventId } } }');
    if (index % 10 === 0) await sleep(20);
  }
  const subscribers = async () =>
    Number(/^jejak_live_subscribers (.*)$/m.exec(await (await fetch(`${own.url}/metrics`)).text())![1]); // oxfmt-ignore
  await sleep(300);
  expect(await subscribers()).toBeLessThanOrEqual(20);
  socket[Symbol.dispose]();
  await expect.poll(subscribers).toBe(0);
});

test('a client that breaks off while its upgrade is refused does no harm', async () => {
  const { port, hostname } = new URL(server.url);
  for (let round = 0; round < 20; round++) {
    const socket = connect({ port: Number(port), host: hostname });
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(upgrade('/other'));
    socket.resetAndDestroy();
  }
  await sleep(50);
  using socket = await introduced();
  expect(socket.isOpen()).toBe(true);
});

test('an upgrade with a query string comes in', async () => {
  const socket = new WebSocket(
    `${server.url.replace('http', 'ws')}/graphql?from=dashboard`,
    'graphql-transport-ws',
  );
  await once(socket, 'open');
  expect(socket.protocol).toBe('graphql-transport-ws');
  socket.terminate();
});

test.each([
  ['none', undefined, 101],
  ['our own', () => server.url, 101],
  ["another host's", () => 'http://evil.example', 403],
  ["another port's", () => 'http://127.0.0.1:1', 403],
  ['one that is no address', () => 'null', 403],
  ['one that only begins like ours', () => `${server.url}.evil.example`, 403],
])('with %s for its Origin an upgrade is answered rightly', async (_, origin, status) => {
  const headers = origin === undefined ? {} : { origin: origin() };
  const url = `${server.url.replace('http', 'ws')}/graphql`;
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
  const answered = await new Promise<number | undefined>((resolve) => {
    socket.once('open', () => resolve(101));
    socket.once('unexpected-response', (__, response) => resolve(response.statusCode));
  });
  expect(answered).toBe(status);
  socket.on('error', () => {});
  socket.terminate();
});

// What happens meanwhile.

test('a key that another server revoked has its sockets closed with 4403 within 10 s, and no others', async () => {
  const [revoked, kept] = [
    await makeKey('EVENTS_READ', 'EVENTS_READ_PERSONAL'),
    await makeKey('EVENTS_READ', 'EVENTS_READ_PERSONAL'),
  ];
  using leaving = await introduced(revoked.key);
  using staying = await introduced(kept.key);
  await watching(leaving, 'watch');
  await watching(staying, 'watch');
  const other = await testServer(server.database);
  await other.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { id } }', { id: revoked.id });
  const began = performance.now();
  expect(await leaving.closed).toEqual({
    code: 4403,
    reason:
      'UNAUTHENTICATED: The key is unknown, revoked or expired; ask an administrator for another.',
  });
  expect(performance.now() - began).toBeLessThan(10_000);
  await server.graphql(record('after'));
  await expectAlive(staying, 'watch', 'after');
});

test('over a socket whose key was revoked, or that was told to go, nothing is done any more, whatever its client does', async () => {
  const { id, key } = await makeKey('EVENTS_WRITE');
  using revoked = await introduced(key);
  using gone = await introduced();
  const logged = async (username: string): Promise<number> => {
    const [row] = await server.database.sql<[{ count: number }]>`SELECT count(*) FROM events WHERE username = ${username}`; // oxfmt-ignore
    return row.count;
  };
  const act = (socket: Socket, username: string): void =>
    socket.send({ id: username, type: 'subscribe', payload: { query: record(username) } });
  for (const socket of [revoked, gone]) act(socket, 'heard');
  await expect.poll(() => logged('heard')).toBe(2);

  for (const socket of [revoked, gone]) socket.stopReading();
  await server.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { id } }', { id });
  gone.send({ type: 'nonsense' }); // closes it with 4400
  await sleep(100);
  for (let time = 0; time < 5; time++) for (const socket of [revoked, gone]) act(socket, 'unheard');
  await sleep(500);
  expect(await logged('unheard')).toBe(0);
});

test('B1: a database that is away closes no socket, and its subscriptions go on when it returns', async () => {
  const database = await testDatabase();
  const proxy = await proxyTo(database);
  const behind = await testServer({ ...database, url: proxy.url });
  const { data } = await behind.graphql(
    'mutation { createApiKey(name: "k", scopes: [EVENTS_READ, EVENTS_READ_PERSONAL]) { key } }',
  );
  using socket = await introduced(data.createApiKey.key, behind);
  await watching(socket, 'watch', behind);
  proxy.set('away');
  await sleep(11_000); // longer than a key is believed, and looked at twice
  expect(socket.isOpen()).toBe(true);
  using log = createTestLog(database.sql);
  await log([{ code: 'AUTH-001', username: 'meanwhile' }]);
  proxy.set('fair');
  await expectAlive(socket, 'watch', 'meanwhile');
});

// Readers that are slow, or stop.

/** The server's ends of the sockets that are opened from now on. */
const accepted = (): TcpSocket[] => {
  const sockets: TcpSocket[] = [];
  const add = (message: unknown): void =>
    void sockets.push((message as { socket: TcpSocket }).socket);
  subscribe('net.server.socket', add);
  onTestFinished(() => void unsubscribe('net.server.socket', add));
  return sockets;
};

/** A client whose reading can be paused. */
const reading = async (of: TestServer, options: { readonly autoPong?: boolean } = {}) => {
  const url = `${of.url.replace('http', 'ws')}/graphql`;
  const socket = new WebSocket(url, 'graphql-transport-ws', options);
  onTestFinished(() => socket.terminate());
  const seen: string[] = [];
  const acknowledged = Promise.withResolvers<void>();
  let bytes = 0;
  socket.on('message', (data: Buffer) => {
    bytes += data.length;
    const { type, payload } = JSON.parse(data.toString()) as Message;
    if (type === 'connection_ack') acknowledged.resolve();
    else seen.push((payload as Logged).data!.eventLogged!.event.username!);
  });
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  const send = (message: Message): void => socket.send(JSON.stringify(message));
  send({ type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_KEY}` } });
  await acknowledged.promise;
  const query = 'subscription { eventLogged(after: "earliest") { event { username metadata } } }';
  const subscribeTo = (id: string): void => send({ id, type: 'subscribe', payload: { query } });
  subscribeTo('all');
  return { socket, seen, closed, bytes: () => bytes, subscribeTo };
};

const PIECE = 1_000_000;
/** Within it those who are not heard of are looked for. */
const PINGED_MS = 16_000;

test('B5: one that stops reading costs little and is closed, one that is slow gets all, others notice nothing; one that is gone is cut off', async () => {
  const own = await testServer();
  const ends = accepted();
  const [quick, stopped] = [await reading(own), await reading(own)];
  // Neither answers a ping, but to take what was not taken says as much.
  const [slow, gone] = [
    await reading(own, { autoPong: false }),
    await reading(own, { autoPong: false }),
  ];
  using log = createTestLog(own.database.sql);
  await log([{ code: 'AUTH-001', username: 'first' }]);
  await vi.waitFor(
    () => expect([quick, slow, stopped].map(({ seen }) => seen.length)).toEqual([1, 1, 1]),
    10_000,
  );
  stopped.socket.pause();
  slow.socket.pause();

  const filling = 'x'.repeat(4_000);
  const usernames = Array.from({ length: 8_000 }, (_, index) => `u${index}`);
  const expected = ['first', ...usernames];
  let most = 0;
  const looking = setInterval(() => {
    most = Math.max(most, ...ends.map(({ writableLength }) => writableLength));
  }, 5);
  onTestFinished(() => clearInterval(looking));
  for (let from = 0; from < usernames.length; from += 100)
    await log(
      usernames
        .slice(from, from + 100)
        .map((username) => ({ code: 'AUTH-001', username, metadata: { filling } })),
    );
  await vi.waitFor(() => expect(quick.seen).toHaveLength(expected.length), { timeout: 30_000 });
  expect(quick.seen).toEqual(expected);

  const slowCloses = async (): Promise<string | undefined> =>
    /^jejak_live_slow_closes_total (.*)$/m.exec(
      await (await fetch(`${own.url}/metrics`)).text(),
    )?.[1];
  // A piece every five seconds: no 30 s without progress, and more than 30 s in all.
  const began = performance.now();
  while (performance.now() - began < 43_000) {
    const before = slow.bytes();
    slow.socket.resume();
    await vi.waitFor(() => expect(slow.bytes()).toBeGreaterThan(before + PIECE), {
      timeout: 10_000,
      interval: 1,
    });
    slow.socket.pause();
    await sleep(5_000);
  }
  slow.socket.resume();
  await vi.waitFor(() => expect(slow.seen).toHaveLength(expected.length), { timeout: 10_000 });
  const pinged = sleep(PINGED_MS).then(() => slow.socket.readyState);
  // The kernel decides for how long something more finds room on the way to who has stopped.
  await expect.poll(slowCloses, { timeout: 60_000, interval: 1_000 }).toBe('1');
  stopped.socket.resume();
  expect(await stopped.closed).toBe(1013);
  expect(stopped.seen.length).toBeLessThan(expected.length);
  expect(stopped.seen).toEqual(expected.slice(0, stopped.seen.length));
  expect(slow.seen).toEqual(expected);
  expect(most).toBeLessThan(1_000_000);
  expect(await gone.closed).toBe(1006);
  expect(await pinged).toBe(WebSocket.OPEN);
}, 200_000);

test('20 subscriptions of one socket that takes its time get each everything, without a warning', async () => {
  const own = await testServer();
  using log = createTestLog(own.database.sql);
  const filling = 'x'.repeat(4_000);
  const usernames = Array.from({ length: 1_000 }, (_, index) => `u${index}`);
  await log(usernames.map((username) => ({ code: 'AUTH-001', username, metadata: { filling } })));
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  onTestFinished(() => void process.off('warning', warn));
  const { socket, seen, subscribeTo } = await reading(own);
  socket.pause();
  for (let index = 1; index < 20; index++) subscribeTo(`s${index}`);
  await sleep(1_500);
  expect(seen.length).toBeLessThan(20_000);
  socket.resume();
  await vi.waitFor(() => expect(seen).toHaveLength(20_000), { timeout: 15_000, interval: 50 });
  const counts = Map.groupBy(seen, (username) => username);
  expect(usernames.every((username) => counts.get(username)!.length === 20)).toBe(true);
  expect(warnings).toEqual([]);
});

// Stopping.

test('a server that stops closes its sockets with 1012, waits for no watcher and refuses nobody it acknowledged', async () => {
  const own = await createTestServer();
  using waiting = await introduced(ADMIN_KEY, own);
  await watching(waiting, 'watch', own);
  using idle = await open(own);
  const began = performance.now();
  const stopped = own[Symbol.asyncDispose]();
  expect(await waiting.closed).toMatchObject({ code: 1012 });
  expect(await idle.closed).toMatchObject({ code: 1012 });
  await stopped;
  expect(performance.now() - began).toBeLessThan(5_000);
});

test('a server that stops waits at most a moment for a client that does not say goodbye', async () => {
  const own = await createTestServer();
  const { port, hostname } = new URL(own.url);
  const mute = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  mute.on('error', () => {});
  mute.write(upgrade('/graphql'));
  await once(mute, 'data');
  mute.pause();
  const began = performance.now();
  await own[Symbol.asyncDispose]();
  expect(performance.now() - began).toBeLessThan(10_000);
  mute.destroy();
});
