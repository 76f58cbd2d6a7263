// `npm run demo`: a school day in the log. Fills in the last 24 hours, then goes on live until Ctrl-C.

import { setTimeout as sleep } from 'node:timers/promises';
import type { EventInput } from '../src/events/fields.ts';
import { type Client, createClient } from './client.ts';
import { type Options, readOptions } from './options.ts';
import type { Scheduled } from './play.ts';
import { type Server, findServer } from './server.ts';
import { createTally } from './tally.ts';
import { rhythmOfDay, timeline } from './timeline.ts';

const DAY_MS = 86_400_000;
// The live pace begins this long ago, so that the first sessions are under way when the past meets the present.
const LEAD_MS = 120_000;
const BATCH = 250;
const LINE_MS = 5_000;
const LONGEST_WAIT_MS = 1_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const welcome = ({ url, keyShown, startedHere }: Server): string => `
Jejak ${startedHere ? 'was started by the demo' : 'is'} at ${url}
GraphiQL: ${url}/graphql

Under "Headers":
  { "Authorization": "Bearer ${keyShown}" }

To watch the school, run:
  subscription {
    eventLogged {
      event { timestamp severity name username description }
    }
  }
`;

const run = async (options: Options, client: Client, signal: AbortSignal): Promise<void> => {
  const tally = createTally();
  const log = async (events: readonly EventInput[]): Promise<void> => {
    if (events.length === 0) return;
    for (const reason of await client.log(events)) say(`Refused: ${reason}`);
    for (const event of events) tally.add(event);
  };

  const begun = Date.now();
  const liveFrom = begun - LEAD_MS;
  const latest = options.day === 0 ? liveFrom : await client.latest();
  const start = Math.min(Math.max(begun - DAY_MS, latest ?? 0), liveFrom);
  const past = rhythmOfDay(options.day);
  const live = { pace: options.rate, open: true }; // whatever the hour, a visitor sees a lesson morning
  const school = timeline(start, (at) => (at < liveFrom ? past(at) : live));
  let next: Scheduled = school.next().value;
  /** The events up to now, a batch at most. */
  const due = (): EventInput[] => {
    const events: EventInput[] = [];
    for (; next.at <= Date.now() && events.length < BATCH; next = school.next().value)
      events.push(next.event);
    return events;
  };

  for (let events = due(); events.length > 0; events = due()) await log(events);
  say(
    `${tally.line()}\nThat was the time since ${new Date(start).toISOString()}; now live. Ctrl-C ends it.`,
  );
  const lines = setInterval(() => say(tally.line()), LINE_MS);
  try {
    for (;;) {
      const wait = Math.min(Math.max(next.at - Date.now(), 0), LONGEST_WAIT_MS);
      await sleep(wait, undefined, { signal });
      await log(due());
    }
  } finally {
    clearInterval(lines);
  }
};

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => stopping.abort(signal));

try {
  const options = readOptions(process.argv.slice(2));
  const { signal } = stopping;
  await using server = await findServer(process.env, say, signal);
  say(welcome(server));
  await run(options, createClient({ ...server, signal, say }), signal);
} catch (error) {
  if (!stopping.signal.aborted) {
    process.stderr.write(`The demo cannot go on: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
if (stopping.signal.aborted) say('Stopped.');
