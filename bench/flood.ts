// Four times as much as the server can take, for `--seconds`: what is accepted must still be answered soon, the rest refused
// at once with a word on when to come again, memory must stay flat, and afterwards all must be as before.

import type { Benchmark, Setting } from './support/benchmark.ts';
import { type Running, startContender } from './support/contender.ts';
import type { Door, Flood, Flooded, Sample } from './support/flooder.ts';
import { putLoad } from './support/load.ts';
import { columnOf, events, inCalls, logEventsOf, renamed } from './support/loads.ts';
import { startPeer } from './support/messages.ts';
import { percent, table, tenths, times, whole } from './support/table.ts';

const jejak = { name: 'Jejak', file: new URL('./servers/jejak.ts', import.meta.url) };
const flooderFile = new URL('./support/flooder.ts', import.meta.url);

const TIMES = 4;
/** As services send that gather a little: more than one event at a time, or no bound but the connections' would be met. */
const CALL = 20;
/** Enough to offer so much: with 1,024 each waits for the others' turn, which bare node:http takes 60 ms to go through. */
const CONNECTIONS = 256;
const CAPACITY_SECONDS = 5;
const QUIET_SECONDS = 6;
/** Of the capacity. */
const QUIET_SHARE = 0.1;
const MEMORY_MS = 250;
/** A moment is normal when its slowest tenth is not slower than twice the p99 of quiet times. */
const MOMENT_MS = 250;

const at = (latencies: readonly number[], share: number): number => {
  const sorted = Float64Array.from(latencies).toSorted();
  return sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
};
const latencies = (samples: readonly Sample[]): number[] => samples.map(([, latency]) => latency);

const load = logEventsOf(CALL, 16);
const rest: Door = {
  path: '/api/events',
  bodies: inCalls(events, CALL).map((call) =>
    JSON.stringify(call.map((event) => renamed(event, columnOf))),
  ),
  expect: '"outcome":"STORED"',
};
const doors: readonly Door[] = [load, rest].map(({ path, bodies, expect }) => ({ path, bodies, expect })); // oxfmt-ignore

const put = async (
  server: Running,
  perSecond: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Flooded> => {
  await using flooder = startPeer(flooderFile, signal);
  const flood: Flood = { url: server.url, key: server.key, doors, connections: CONNECTIONS, perSecond, seconds }; // oxfmt-ignore
  return await flooder.ask<Flooded>('run', flood);
};

/** The most megabytes that the server held, looked at again and again while something runs. */
const watchMemory = async <T>(server: Running, work: Promise<T>): Promise<[T, number[]]> => {
  const seen: number[] = [];
  let done = false;
  const watching = (async () => {
    while (!done) {
      seen.push((await server.ask<number>('memory')) / 2 ** 20);
      await new Promise((resolve) => void setTimeout(resolve, MEMORY_MS));
    }
  })();
  const result = await work.finally(() => void (done = true));
  await watching;
  return [result, seen];
};

/** Milliseconds until everything is accepted about as fast as in quiet times, and stays so. */
const recoveryMs = ({ accepted, refused }: Flooded, quietP99: number): number => {
  const isNormal = (from: number): boolean => {
    const within = ([sentAt]: Sample): boolean => sentAt >= from && sentAt < from + MOMENT_MS;
    return !refused.some(within) && !(at(latencies(accepted.filter(within)), 0.9) > 2 * quietP99);
  };
  let last = 0;
  for (let from = 0; from < QUIET_SECONDS * 1000; from += MOMENT_MS)
    if (!isNormal(from)) last = from + MOMENT_MS;
  return last;
};

export const flood: Benchmark = {
  about: `${TIMES} times the capacity from ${whole(CONNECTIONS)} connections: latency, refusals, memory, recovery`,
  seconds: 60,
  run: async ({ postgres, seconds, signal, say }: Setting) => {
    await using server = await startContender(jejak, postgres, signal);
    const timing = { warmUpSeconds: CAPACITY_SECONDS, seconds: CAPACITY_SECONDS };
    const { eventsPerSecond: capacity, p99Ms } = await putLoad(load, server, timing, signal);
    const callsPerSecond = capacity / CALL;
    const quiet = await put(server, callsPerSecond * QUIET_SHARE, QUIET_SECONDS, signal);
    const quietP99 = at(latencies(quiet.accepted), 0.99);
    const before = (await server.ask<number>('memory')) / 2 ** 20;
    say(
      `  Capacity ${whole(capacity)} events/s (p99 ${tenths(p99Ms)} ms); at a tenth of it p99 is ${tenths(quietP99)} ms; ${whole(before)} MB.`,
    );

    const [flooded, memory] = await watchMemory(server, put(server, callsPerSecond * TIMES, seconds, signal)); // oxfmt-ignore
    const after = await put(server, callsPerSecond * QUIET_SHARE, QUIET_SECONDS, signal);
    const { accepted, refused, malformed, example, unsent } = flooded;
    const p99 = at(latencies(accepted), 0.99);
    const recovered = recoveryMs(after, quietP99);
    const reached = (is: boolean): string => (is ? 'yes' : 'NO');
    const answered = accepted.length + refused.length;
    const most = Math.max(...memory);
    say(
      table([
        [`flood of ${seconds} s`, 'measured', 'wanted', 'reached'],
        ['events offered a second', whole(((answered + unsent) * CALL) / seconds), '', ''],
        ['  no connection was free', percent(unsent / (answered + unsent)), '', ''],
        ['events accepted a second', whole((accepted.length * CALL) / seconds), '', ''],
        ['refused, of what was answered', percent(refused.length / answered), '', ''],
        ['  not as a refusal should be', whole(malformed), '0', reached(malformed === 0)],
        ['p50 of the accepted, ms', tenths(at(latencies(accepted), 0.5)), '', ''],
        ['p99 of the accepted, ms', tenths(p99), '', ''],
        ['  to that of quiet times', times(p99 / quietP99), '< 5×', reached(p99 < 5 * quietP99)],
        ['p99 of the refused, ms', tenths(at(latencies(refused), 0.99)), '', ''],
        ['most memory, MB', whole(most), '< 400', reached(most < 400)],
        ['normal again after, s', (recovered / 1000).toFixed(2), '< 5', reached(recovered < 5_000)],
      ]),
    );
    if (example !== undefined) say(`\nNot as it should be: ${example}`);
  },
};
