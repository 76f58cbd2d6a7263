// The generator of a flood, in a process of its own: it sends at a given rate whether or not it is answered, as far as its
// connections go, and takes refusals for an answer.

import { once } from 'node:events';
import { connect } from 'node:net';
import { answering } from './messages.ts';

/** A flood on one server; the bodies of each door are sent in turn. */
export type Flood = {
  readonly url: string;
  readonly key: string;
  readonly doors: readonly Door[];
  readonly connections: number;
  readonly perSecond: number;
  readonly seconds: number;
};
/** `expect` is a text that the answer has when the call was stored. */
export type Door = {
  readonly path: string;
  readonly bodies: readonly string[];
  readonly expect: string;
};
/** What came of it; times are from the beginning, latencies from the moment a call was due. */
export type Flooded = {
  readonly accepted: readonly Sample[];
  readonly refused: readonly Sample[];
  /** Refusals without OVERLOADED, or over REST without 503 and Retry-After; the first of them as it was. */
  readonly malformed: number;
  readonly example: string | undefined;
  /** Calls that no connection was free for. */
  readonly unsent: number;
};
export type Sample = readonly [atMs: number, latencyMs: number];

const DRAIN_MS = 5_000;

type Connection = { readonly send: (call: Buffer, due: number) => void; readonly end: () => void };

const run = async (flood: Flood): Promise<Flooded> => {
  const accepted: Sample[] = [];
  const refused: Sample[] = [];
  let [malformed, unsent, underWay] = [0, 0, 0];
  let example: string | undefined;
  let begun = 0;
  const idle: Connection[] = [];

  const settle = (answer: string, due: number): void => {
    const now = performance.now();
    const sample: Sample = [due, now - begun - due];
    if (flood.doors.some(({ expect }) => answer.includes(expect))) {
      accepted.push(sample);
      return;
    }
    refused.push(sample);
    const unavailable = answer.startsWith('HTTP/1.1 503') && /\r\nretry-after: \d/i.test(answer);
    const inField = answer.startsWith('HTTP/1.1 200') && answer.includes('"retryAfterMs":');
    if (answer.includes('"OVERLOADED"') && (unavailable || inField)) return;
    malformed++;
    example ??= answer.slice(0, 600);
  };

  const open = async (): Promise<Connection> => {
    const { hostname, port } = new URL(flood.url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let [received, due] = ['', 0];
    const connection: Connection = {
      send: (call, dueAt) => {
        due = dueAt;
        underWay++;
        socket.write(call);
      },
      end: () => socket.destroy(),
    };
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
      const head = received.indexOf('\r\n\r\n');
      const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, head + 2))?.[1];
      if (head < 0 || received.length < head + 4 + Number(length)) return;
      settle(received, due);
      received = '';
      underWay--;
      idle.push(connection);
    });
    socket.on('error', (error) => {
      malformed++;
      example ??= String(error);
    });
    await once(socket, 'connect');
    idle.push(connection);
    return connection;
  };

  const calls = flood.doors.map(({ path, bodies }) =>
    bodies.map((body) =>
      Buffer.from(
        `POST ${path} HTTP/1.1\r\nHost: ${new URL(flood.url).host}\r\nAuthorization: Bearer ${flood.key}\r\n` +
          `Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      ),
    ),
  );
  const connections: Connection[] = [];
  // One after the other: more at once than a server's backlog wait a second for the next try.
  while (connections.length < flood.connections) connections.push(await open());
  begun = performance.now();
  let sent = 0;
  const total = flood.perSecond * flood.seconds;
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const now = performance.now() - begun;
      for (; sent < Math.min(total, (now / 1000) * flood.perSecond); sent++) {
        const connection = idle.shift();
        const door = calls[sent % calls.length]!;
        if (connection)
          connection.send(door[sent % door.length]!, (sent / flood.perSecond) * 1000); // oxfmt-ignore
        else unsent++;
      }
      if (sent < total) setTimeout(tick, 1);
      else resolve();
    };
    tick();
  });
  const deadline = performance.now() + DRAIN_MS;
  while (underWay > 0 && performance.now() < deadline)
    await new Promise((resolve) => void setTimeout(resolve, 10));
  for (const connection of connections) connection.end();
  return { accepted, refused, malformed, example, unsent };
};

answering({ run });
