// What lies between caller, server and database fails (rows B1 to B4).

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arena } from '../arena.ts';
import { headers, request } from '../client.ts';
import type { Server } from '../server.ts';
import type { Weather } from '../proxy.ts';

/** After so long silence is told from slowness. */
export const SILENCE_MS = 2_200;

/** Logging and asking are refused, and nobody is told that the server is ready. */
export const expectAway = async (
  { client, writer, anomalies }: Arena,
  servers: readonly Server[],
): Promise<void> => {
  const lone = writer();
  await Promise.all(
    servers.map(async (server) => {
      const url = server.url();
      const [logged, asked, ready] = await Promise.all([
        client.log(server, 'logEvent', [lone.next()]),
        client.ask(server, '{ events(first: 1) { edges { node { eventId } } } }'),
        fetch(`${url}/readyz`).then(({ status }) => status),
      ]);
      for (const answer of [logged, asked])
        if (!('refusal' in answer && answer.refusal === 'UNAVAILABLE'))
          anomalies.note(
            'unclear',
            `${server.name} without its database: ${JSON.stringify(answer)}`,
          );
      if (ready !== 503) anomalies.note('unclear', `${server.name} is ready without its database`);
    }),
  );
};

const away = async (arena: Arena, weather: Weather, forMs: number): Promise<number> => {
  const { client, proxy, second } = arena;
  client.strike();
  proxy.set(weather);
  try {
    using _outage = client.outage([second]);
    await sleep(Math.max(forMs, SILENCE_MS));
    await expectAway(arena, [second]);
  } finally {
    proxy.set('fair');
  }
  return arena.recovered(performance.now(), [second]);
};

/** B1 */
export const cutDatabaseOff = (arena: Arena): Promise<number> =>
  away(arena, 'away', arena.random.chance(0.3) ? arena.longestMs : arena.longestMs / 10);

/** A3 */
export const swallowPackets = (arena: Arena): Promise<number> =>
  away(arena, 'hole', arena.longestMs / 4);

/** B2 */
export const loseNotifications = async (arena: Arena): Promise<number> => {
  arena.proxy.set('deaf');
  try {
    await sleep(500);
    return await arrival(arena);
  } finally {
    arena.proxy.set('fair');
  }
};

/** B2 */
export const endListening = async (arena: Arena): Promise<number> => {
  await arena.cluster.using(
    (sql) => sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'jejak listen' AND query ILIKE 'listen%'`,
  );
  return arrival(arena);
};

/** How long an event logged now takes to every follower. */
const arrival = async ({ first, writer, followers, history }: Arena): Promise<number> => {
  const since = performance.now();
  const lone = writer();
  const event = lone.next({ eventId: `arrival-${since}` });
  await lone.insist([event], [first]);
  const { writer: lane, sequence } = event.metadata;
  const position = history.lanes[lane]!.position[sequence]!;
  while (followers.some(({ last }) => last() < position) && performance.now() < since + 60_000)
    await sleep(5);
  return performance.now() - since;
};

/** B3: three deliveries of one request, two of them to one server; the places that were answered must be the same. */
export const deliverThrice = async (arena: Arena): Promise<number> => {
  const { client, writer, first, second, random, anomalies, recovered } = arena;
  const since = performance.now();
  const lone = writer();
  for (const door of ['logEvents', 'rest'] as const) {
    const events = Array.from({ length: 1 + random.below(50) }, (_, index) =>
      lone.next({ eventId: `thrice-${door}-${since}-${index}` }),
    );
    const answers = await Promise.all(
      [first, first, second].map((server) => client.log(server, door, events)),
    );
    const outcomes = answers.map((answer) => ('results' in answer ? answer.results : []));
    events.forEach((_, index) => {
      const fresh = outcomes.filter((of) => !['DUPLICATE', undefined].includes(of[index]?.outcome));
      if (fresh.length > 1)
        anomalies.note('doubled', `${fresh.length} of three were told it is new`);
    });
    await lone.insist(events, [first, second]);
  }
  return recovered(since, [first, second]);
};

/** B4: the whole request, and nobody to hear the answer; then the same again by somebody who listens. */
export const hangUp = async (arena: Arena): Promise<number> => {
  const { writer, history, first, second, random, recovered } = arena;
  const since = performance.now();
  const lone = writer();
  const calls = Array.from({ length: 30 }, () =>
    Array.from({ length: 1 + random.below(20) }, () => lone.next()),
  );
  for (const events of calls) {
    const { hostname, port } = new URL(random.pick([first, second]).url()!);
    for (const event of events) history.sent(event.metadata);
    const { path, body } = request('rest', events);
    const head = Object.entries({
      ...headers,
      host: hostname,
      'content-length': Buffer.byteLength(body),
    });
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.write(
      `POST ${path} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
      () => socket.destroy(),
    );
  }
  await sleep(random.below(50));
  await Promise.all(
    calls.map((events) =>
      lone.insist(
        events.filter((event) => event.eventId),
        [first, second],
      ),
    ),
  );
  return recovered(since, [first, second]);
};
