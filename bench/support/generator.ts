// The generator of load, in a process of its own: HTTP/1.1 over plain sockets, each call a buffer that was made before.
// It is not what limits the figures: on two cores, shared with the server, it took 28 µs a call and had 6,500 to 7,700 calls a
// second out of a server of bare node:http (60 µs a call), where Jejak answered 2,100 to 2,600.

import { connect } from 'node:net';
import type { Generated, Order } from './load.ts';
import { answering } from './messages.ts';

let order: Order;
let calls: readonly Buffer[];
let next = 0;
let answered = 0;
let failure: Error | undefined;
let latencies: number[] | undefined; // while measuring
let sending = false;
let lanes: Promise<void>[] = [];

const seconds = (): number => performance.now() / 1000;
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const sleep = (forSeconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, forSeconds * 1000));

answering({
  /** Begins to send, and answers when the server is warm. */
  warmUp: async (given: Order) => {
    order = given;
    calls = given.bodies.map((body) => callOf(body, given));
    sending = true;
    lanes = Array.from({ length: given.connections }, () => lane(new URL(given.url)));
    await sleep(given.warmUpSeconds);
    if (failure) throw failure;
  },
  measure: async (): Promise<Generated> => {
    latencies = [];
    const [begun, cpuBegun] = [seconds(), cpuSeconds()];
    await sleep(order.seconds);
    const [took, cpu] = [seconds() - begun, cpuSeconds() - cpuBegun];
    const sorted = Float64Array.from(latencies).toSorted();
    latencies = undefined;
    if (failure) throw failure;
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
    return {
      calls: sorted.length,
      seconds: took,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      cpuSeconds: cpu,
    };
  },
  /** Waits for the calls that are under way; how many were answered in all. */
  finish: async () => {
    sending = false;
    await Promise.all(lanes);
    if (failure) throw failure;
    return answered;
  },
});

const callOf = (body: string, { url, path, key }: Order): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nAuthorization: Bearer ${key}\r\n` +
      `Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

/** One connection: a call, its answer, the next call. */
const lane = ({ hostname, port }: URL): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let received = '';
    let sentAt = 0;
    const send = (): void => {
      if (!sending || failure) {
        socket.end();
        return;
      }
      sentAt = performance.now();
      socket.write(calls[next++ % calls.length]!);
    };
    socket.setEncoding('latin1');
    socket.on('connect', send);
    socket.on('data', (chunk: string) => {
      received = received === '' ? chunk : received + chunk;
      if (!isWhole(received)) return;
      latencies?.push(performance.now() - sentAt);
      answered++;
      check(received);
      received = '';
      send();
    });
    socket.on('error', (error) => (failure ??= error));
    socket.on('close', () => {
      if (sending) failure ??= new Error('The server closed a connection.');
      resolve();
    });
  });

const isWhole = (text: string): boolean => {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head + 2))?.[1];
  return length === undefined
    ? text.endsWith('\r\n0\r\n\r\n')
    : text.length >= head + 4 + Number(length);
};

const check = (answer: string): void => {
  if (answer.startsWith(`HTTP/1.1 ${order.status ?? 200}`) && answer.includes(order.expect)) return;
  failure ??= new Error(`An answer is not as expected: ${answer.slice(0, 600)}`);
};
