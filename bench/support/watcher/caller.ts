// Who writes while others watch: calls of so many numbered events over a few connections that are kept.

import { Agent, request } from 'node:http';
import { graphql } from '../loads.ts';

const LOG_ONE = 'mutation LogOne($input: LogEventInput!) { logEvent(input: $input) { outcome } }';
const LOG_MANY =
  'mutation LogMany($input: [LogEventInput!]!) { logEvents(input: $input) { stored } }';
const PLACE = '"EVENTS"';
const CONNECTIONS = 64;
const TIMEOUT_MS = 20_000;
/** Less than any server keeps a connection (node 5 s): one that is closed as a call sets out costs the call. */
const IDLE_MS = 4_000;

const one = graphql(LOG_ONE, { input: 'EVENTS' }).split(PLACE);
const many = graphql(LOG_MANY, { input: 'EVENTS' }).split(PLACE);
const STORED = /"outcome":"(STORED|DUPLICATE)"/;

export type Caller = Disposable & {
  /** Sends events, each a JSON text; done when they are acknowledged. */
  readonly send: (events: readonly string[]) => Promise<void>;
};

export const createCaller = (url: string, key: string): Caller => {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, timeout: IDLE_MS });
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
  };
  const post = (body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const call = request(`${url}/graphql`, { method: 'POST', agent, headers, timeout: TIMEOUT_MS }); // oxfmt-ignore
      call.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => resolve(text));
        response.on('error', reject);
      });
      call.on('timeout', () => call.destroy(new Error('A call is not answered.')));
      call.on('error', reject);
      call.setHeader('content-length', Buffer.byteLength(body));
      call.end(body);
    });
  return {
    send: async (events) => {
      const answer =
        events.length === 1
          ? await post(one.join(events[0]))
          : await post(many.join(`[${events.join(',')}]`));
      if (!STORED.test(answer) && !answer.includes(`"stored":${events.length}`))
        throw new Error(`An answer is not as expected: ${answer.slice(0, 600)}`);
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
};
