// The demo as its server sees it: a service that logs over GraphQL. What the server cannot take now is sent again with the
// same eventIds, for as long as it takes, so every event is in the log once.

import { setTimeout as sleep } from 'node:timers/promises';
import type { EventInput } from '../src/events/fields.ts';
import { DEMO_TAG } from './play.ts';

export type Client = {
  /** Resolves when the events are durable; gives the reasons of those that the log refused. */
  readonly log: (events: readonly EventInput[]) => Promise<readonly string[]>;
  /** The time of the latest event that a demo logged; undefined where there is none, or the key may not read. */
  readonly latest: () => Promise<number | undefined>;
};

type Parts = {
  readonly url: string;
  readonly key: string;
  /** How the key is spoken of. */
  readonly keyShown: string;
  readonly signal: AbortSignal;
  /** Hears, once a trouble begins and once it is over. */
  readonly say: (line: string) => void;
};

type GraphqlError = { message: string; extensions?: { code?: string; retryAfterMs?: number } };
type Answer<T> = { data?: T | null; errors?: readonly GraphqlError[] };

const LOG_ONE = 'mutation LogOne($input: LogEventInput!) { logEvent(input: $input) { reason } }';
const LOG_MANY =
  'mutation LogMany($input: [LogEventInput!]!) { logEvents(input: $input) { results { reason } } }';
const LATEST =
  'query Latest($filter: EventFilter!) { events(filter: $filter, first: 1) { edges { node { timestamp } } } }';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
const ANSWER_MS = 15_000;

/** Worth another try: the server is full, away, starting, or in trouble of its own. */
const passing = new Set(['OVERLOADED', 'UNAVAILABLE', 'INTERNAL_SERVER_ERROR']);

class Trouble extends Error {
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Refused for good: the same call will never succeed. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export const createClient = ({ url, key, keyShown, signal, say }: Parts): Client => {
  const once = async <T>(query: string, variables: object): Promise<T> => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    }).catch((error: Error) => {
      throw new Trouble(`${url} does not answer (${reasonOf(error)})`);
    });
    const answer = await (response.json() as Promise<Answer<T>>).catch((): Answer<T> => ({}));
    const [error] = answer.errors ?? [];
    const code = error?.extensions?.code ?? '';
    if (error && !passing.has(code))
      throw new Refused(
        code,
        code === 'UNAUTHENTICATED' ? `${error.message} It is ${keyShown}.` : error.message,
      );
    if (error) throw new Trouble(`${code}: ${error.message}`, error.extensions?.retryAfterMs);
    if (!answer.data) throw new Trouble(`${url} answers ${response.status}, and not as Jejak does`);
    return answer.data;
  };

  const call = async <T>(query: string, variables: object): Promise<T> => {
    let pauseMs = FIRST_PAUSE_MS;
    for (let troubled = false; ; troubled = true) {
      try {
        const data = await once<T>(query, variables);
        if (troubled) say('The server takes events again.');
        return data;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Trouble)) throw error;
        if (!troubled) say(`${error.message}; trying again until it does.`);
        await sleep(error.retryAfterMs ?? pauseMs, undefined, { signal });
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
    }
  };

  return {
    log: async (events) => {
      const results =
        events.length === 1
          ? [(await call<{ logEvent: Result }>(LOG_ONE, { input: events[0] })).logEvent]
          : (await call<{ logEvents: { results: Result[] } }>(LOG_MANY, { input: events }))
              .logEvents.results;
      return results.flatMap(({ reason }, index) =>
        reason === null ? [] : [`${events[index]!.eventId}: ${reason}`],
      );
    },
    latest: async () => {
      try {
        const { events } = await call<{ events: { edges: { node: { timestamp: string } }[] } }>(
          LATEST,
          { filter: { tagsAny: [DEMO_TAG], range: { last: 'PT24H' } } },
        );
        const [edge] = events.edges;
        return edge && Date.parse(edge.node.timestamp);
      } catch (error) {
        if (error instanceof Refused && error.code === 'FORBIDDEN') return undefined;
        throw error;
      }
    },
  };
};

type Result = { readonly reason: string | null };

const reasonOf = (error: Error): string =>
  (error.cause as { code?: string } | undefined)?.code ?? error.message;
