// Calls to a server's doors. Every answer is judged: it comes within the bound, and a refusal has a code on which a caller
// can act.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fields } from '../src/events/fields.ts';
import type { Anomalies } from './anomalies.ts';
import type { MarkedEvent } from './event.ts';
import { type History, positionOf } from './history.ts';
import { ADMIN_KEY, type Address } from './server.ts';

export const doors = ['logEvent', 'logEvents', 'rest'] as const;
export type Door = (typeof doors)[number];

/** What a call came to: the answer to each event, a refusal of the whole call, or silence (no server, cut off). */
export type Answer =
  | { readonly results: readonly Result[] }
  | { readonly refusal: string }
  | { readonly silence: string };
export type Result = {
  readonly outcome: string;
  readonly cursor: string | null;
  readonly reason?: string | null;
};

export type Client = {
  /** Logs events once, and enters what is answered into the history. */
  readonly log: (
    server: Address,
    door: Door,
    events: readonly MarkedEvent[],
    patienceMs?: number,
  ) => Promise<Answer>;
  readonly ask: (server: Address, query: string) => Promise<Answer & { data?: unknown }>;
  /** Now a fault strikes: no answer is owed sooner than two seconds from here. */
  readonly strike: () => number;
  /** How late the machine made anything at the most, of late, in ms. */
  readonly lateMs: () => number;
  /** Asks what needs no database, to know how late the machine makes any answer. */
  readonly look: (server: Address) => Promise<void>;
  /** Until it is disposed of, the database is away for these servers, and every call to them is owed an answer in time. */
  readonly outage: (servers: readonly Address[]) => Disposable;
  readonly totals: { calls: number; refused: number; silent: number; slowestMs: number };
};

/** The promise to callers while the database is away; how late the machine made everybody lately is added. */
const BOUND_MS = 2_000;
/** Without any answer for so long, nothing will come. */
const PATIENCE_MS = 15_000;
const LATELY_MS = 10_000;
/** What callers may be told to try again after. */
const clear = new Set(['UNAVAILABLE', 'OVERLOADED']);

const result = 'outcome cursor reason';
const documents = {
  logEvent: `mutation($input: LogEventInput!) { logEvent(input: $input) { ${result} } }`,
  logEvents: `mutation($input: [LogEventInput!]!) { logEvents(input: $input) { results { ${result} } } }`,
};

/** The body of a call and where it goes. */
export const request = (door: Door, events: readonly MarkedEvent[]) =>
  door === 'rest'
    ? { path: '/api/events', body: JSON.stringify(events.map(withColumns)) }
    : {
        path: '/graphql',
        body: JSON.stringify({
          query: documents[door],
          variables: { input: door === 'logEvent' ? events[0] : events },
        }),
      };

const withColumns = (event: MarkedEvent): object =>
  Object.fromEntries(
    Object.entries(event).map(([name, value]) => [
      fields[name as keyof typeof fields].column,
      value,
    ]),
  );

/** What either door answers. */
type Body = {
  readonly data?: { logEvent?: Result; logEvents?: { results: Result[] } };
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
  readonly results?: readonly Result[];
  readonly error?: { message: string; code: string };
};

const errorIn = ({ error, errors }: Body) =>
  error ??
  (errors?.[0] && { code: errors[0].extensions?.code ?? 'no code', message: errors[0].message });

export const headers = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` };

export const createClient = (
  history: Pick<History, 'sent' | 'acknowledged'>,
  anomalies: Anomalies,
): Client & Disposable => {
  const totals = { calls: 0, refused: 0, silent: 0, slowestMs: 0 };
  const away = new Set<Address>();
  const machine = watchMachine();

  let struck = 0;
  const judge = (server: Address, began: number, owed: boolean): void => {
    const spentMs = performance.now() - Math.max(began, struck);
    totals.slowestMs = Math.max(totals.slowestMs, spentMs);
    const boundMs = owed ? BOUND_MS + machine.lateMs() : PATIENCE_MS;
    if (spentMs <= boundMs) return;
    const [took, of] = [Math.round(spentMs), Math.round(boundMs)];
    anomalies.note('slow', `${server.name} took ${took} of ${of} ms, ${new Date().toISOString()}`);
  };

  const post = async (
    server: Address,
    path: string,
    body: string,
    patienceMs: number,
  ): Promise<{ body: Body } | { silence: string }> => {
    const url = server.url();
    if (url === undefined) return { silence: 'down' };
    const began = performance.now();
    const cutOff = away.has(server);
    totals.calls++;
    try {
      const response = await fetch(url + path, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(patienceMs),
      });
      const answer = (await response.json()) as Body;
      const unavailable = errorIn(answer)?.code === 'UNAVAILABLE';
      judge(server, began, cutOff || unavailable);
      return { body: answer };
    } catch (error) {
      totals.silent++;
      const { name, message, cause } = error as Error;
      if (name === 'SyntaxError') anomalies.note('unclear', `${server.name}: ${message}`);
      // A server that was stopped meanwhile, and one whose caller left early, owe nothing.
      if (name === 'TimeoutError' && server.url() === url && patienceMs >= PATIENCE_MS)
        anomalies.note('slow', `${server.name} did not answer within ${patienceMs} ms`);
      return { silence: name === 'TimeoutError' ? name : ((cause as Error)?.message ?? message) };
    }
  };

  const refused = (server: Address, code: string, details: unknown): Answer => {
    totals.refused++;
    if (!clear.has(code))
      anomalies.note(
        'unclear',
        `${server.name} said ${code}: ${JSON.stringify(details).slice(0, 300)}`,
      );
    return { refusal: code };
  };

  return {
    totals,
    log: async (server, door, events, patienceMs = PATIENCE_MS) => {
      for (const event of events) history.sent(event.metadata);
      const { path, body } = request(door, events);
      const answer = await post(server, path, body, patienceMs);
      if ('silence' in answer) return answer;
      const error = errorIn(answer.body);
      if (error) return refused(server, error.code, error);
      const { data, results: listed } = answer.body;
      const results = listed ?? data!.logEvents?.results ?? [data!.logEvent!];
      for (const [index, { outcome, cursor, reason }] of results.entries()) {
        const { metadata } = events[index]!;
        const who = `${metadata.writer}-${metadata.sequence} through ${server.name}`;
        if (cursor === null) anomalies.note('unclear', `${who}: ${outcome} ${reason ?? ''}`);
        else if (!history.acknowledged(metadata, positionOf(cursor)))
          anomalies.note('altered', `${who} was answered with two positions`);
      }
      return { results };
    },
    ask: async (server, query) => {
      const answer = await post(server, '/graphql', JSON.stringify({ query }), PATIENCE_MS);
      if ('silence' in answer) return answer;
      const error = errorIn(answer.body);
      if (error) return refused(server, error.code, error);
      return { results: [], data: answer.body.data };
    },
    strike: () => (struck = performance.now()),
    lateMs: machine.lateMs,
    look: async (server) => {
      const began = performance.now();
      await fetch(`${server.url()}/healthz`).then(
        () => machine.late(performance.now() - began),
        () => {}, // it is down
      );
    },
    outage: (servers) => {
      for (const server of servers) away.add(server);
      return {
        [Symbol.dispose]: () => {
          for (const server of servers) away.delete(server);
        },
      };
    },
    [Symbol.dispose]: () => machine[Symbol.dispose](),
  };
};

/** How late the machine made this process or a server at the most, of late. */
const watchMachine = () => {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let [before, lately] = [0, 0];
  const late = (ms: number): void => void (lately = Math.max(lately, ms));
  const turn = setInterval(() => {
    late(delay.max / 1e6);
    delay.reset();
    [before, lately] = [lately, 0];
  }, LATELY_MS);
  return {
    late,
    lateMs: () => Math.max(before, lately, delay.max / 1e6),
    [Symbol.dispose]: () => {
      clearInterval(turn);
      delay.disable();
    },
  };
};
