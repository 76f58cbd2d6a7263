// Follows one subscription of Jejak for ever, in browsers and in Node: whatever ends the connection, it connects again and
// goes on after the last payload that was taken, so there is neither a gap nor a repeat. What has arrived and was not
// taken is bounded: over the bound the connection is closed, and opened again when the consumer has caught up, for the
// log keeps everything anyway.

import { createClient } from 'graphql-ws';

/**
 * @typedef {{ readonly cursor: string, readonly events?: readonly unknown[] }} Payload
 * @typedef {Error & { code: string }} FollowError `code` is the server's, or DISCONNECTED
 * @typedef {{ cursor: string | undefined }} Standing
 * @typedef {ReadableStreamDefaultController<Payload>} Arrived
 * @typedef {import('graphql-ws').Client} Client
 *
 * @typedef {object} FollowOptions
 * @property {string} url such as wss://log.school.example/graphql
 * @property {string | (() => string | Promise<string>)} authorization such as `Bearer <key>`; a function is asked at every
 *   connection, so it can give a new one when the old one has expired
 * @property {string} query one subscription; it takes the variable `$after` and selects `cursor`
 * @property {Record<string, unknown>} [variables] the other variables
 * @property {string | null | undefined} [after] the cursor to go on after, or "earliest"; from now without it
 * @property {AbortSignal} [signal] ends the iteration
 * @property {(state: 'connecting' | 'connected' | 'paused' | 'waiting', why?: FollowError) => void} [onState] hears how
 *   the connection does: `paused` until what has arrived is taken, `waiting` until the next try
 * @property {any} [webSocketImpl] a WebSocket class, where there is no global one
 * @property {number} [pingMs] how often the connection is tried; when silent for twice as long it is given up
 */

/** What trying again cannot mend. */
const FATAL = new Set(['BAD_USER_INPUT', 'FORBIDDEN', 'CURSOR_EXPIRED', 'CURSOR_INVALID']);
/** @type {Record<number, string>} 1009 is for a document that is too large */
const CODES = { 1009: 'BAD_USER_INPUT', 4400: 'BAD_USER_INPUT', 4403: 'UNAUTHENTICATED' };
const MOST_WAITING_EVENTS = 1_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
const PING_MS = 10_000;

/**
 * The payloads of a subscription; leaving the loop closes the connection. `cursor` is that of the last payload that was
 * taken, at first where it began. Throws a FollowError for what trying again cannot mend: BAD_USER_INPUT, FORBIDDEN,
 * CURSOR_EXPIRED, CURSOR_INVALID, and UNAUTHENTICATED where `authorization` is not a function.
 *
 * @template {Payload} P
 * @param {FollowOptions} options
 * @returns {AsyncIterableIterator<P> & { readonly cursor: string | undefined }}
 */
export const follow = (options) => {
  const leaving = new AbortController();
  const standing = { cursor: options.after ?? undefined };
  const signal = AbortSignal.any([leaving.signal, options.signal ?? leaving.signal]);
  const payloads = /** @type {AsyncGenerator<P>} */ (run(options, standing, signal));
  return {
    get cursor() {
      return standing.cursor;
    },
    next: () => payloads.next(),
    return: () => {
      leaving.abort();
      return payloads.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
};

/** @param {FollowOptions} options @param {Standing} standing @param {AbortSignal} signal */
async function* run(options, standing, signal) {
  for (let failures = 0; !signal.aborted;) {
    const began = Date.now();
    options.onState?.('connecting');
    const arriving = connect(options, standing).getReader();
    const leave = () => void arriving.cancel().catch(() => {});
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave(); // while it was told
    try {
      for (let next = await arriving.read(); !next.done; next = await arriving.read()) {
        failures = 0;
        standing.cursor = next.value.cursor;
        yield next.value;
      }
    } catch (reason) {
      const error = /** @type {FollowError} */ (reason);
      const refused = error.code === 'UNAUTHENTICATED' && typeof options.authorization === 'string';
      if (refused || FATAL.has(error.code)) throw error;
      options.onState?.('waiting', error);
      if (Date.now() - began > LONGEST_PAUSE_MS) failures = 0;
      const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++);
      await pause(Math.random() * most, signal);
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
    }
  }
}

/**
 * What arrives over one connection. Ends at the bound, fails with why the connection ended.
 *
 * @param {FollowOptions} options @param {Standing} standing @returns {ReadableStream<Payload>}
 */
const connect = (options, standing) => {
  const ending = new AbortController();
  return new ReadableStream(
    {
      start: (arrived) =>
        void Promise.race([deliver(options, standing, arrived, ending), aborted(ending.signal)])
          .catch((reason) => arrived.error(errorOf(reason)))
          .finally(() => ending.abort()),
      cancel: () => ending.abort(),
    },
    { highWaterMark: MOST_WAITING_EVENTS, size: ({ events }) => events?.length || 1 },
  );
};

/** @param {FollowOptions} options @param {Standing} standing @param {Arrived} arrived @param {AbortController} ending */
const deliver = async (options, standing, arrived, ending) => {
  const { query, variables, authorization, onState } = options;
  if (!/\$after\b/.test(query)) throw misused('The subscription takes no variable `$after`.');
  if (!(options.webSocketImpl ?? globalThis.WebSocket))
    throw misused('There is no WebSocket here: use Node 22 or newer, or pass `webSocketImpl`.');
  const credential = typeof authorization === 'function' ? await authorization() : authorization;
  ending.signal.throwIfAborted();
  const client = open(options, credential, ending);
  const after = (standing.cursor ??= await endOfLog(client));
  ending.signal.throwIfAborted();
  for await (const result of client.iterate({ query, variables: { ...variables, after } })) {
    arrived.enqueue(payloadOf(result));
    if (Number(arrived.desiredSize) >= 0) continue;
    onState?.('paused');
    return arrived.close();
  }
  throw new Error('The subscription was completed.');
};

/** @param {FollowOptions} options @param {string} authorization @param {AbortController} ending */
const open = (options, authorization, ending) => {
  const { url, onState, webSocketImpl = WebSocket, pingMs = PING_MS } = options;
  /** @type {WebSocket | undefined} */
  let socket;
  let heard = Date.now();
  const watch = setInterval(() => {
    if (Date.now() - heard > 2 * pingMs) ending.abort(new Error('The connection is silent.'));
  }, pingMs / 2);
  const client = createClient({
    url,
    connectionParams: { authorization },
    retryAttempts: 0,
    keepAlive: pingMs,
    lazyCloseTimeout: 1_000, // from the question where the log ends to the subscription
    webSocketImpl: new Proxy(webSocketImpl, {
      construct: (WebSocketImpl, parts) => (socket = new WebSocketImpl(...parts)),
    }),
    on: {
      connected: () => onState?.('connected'),
      message: () => (heard = Date.now()),
      closed: (event) => ending.abort(event),
    },
  });
  ending.signal.addEventListener('abort', () => {
    clearInterval(watch);
    // It would connect again by itself after a normal close, and closes no socket that is not open yet.
    Promise.resolve(client.dispose()).catch(() => {});
    socket?.close(1000);
  });
  return client;
};

/**
 * A subscription that has had nothing yet when its connection is lost goes on from where it began.
 *
 * @param {Client} client
 */
const endOfLog = async (client) => {
  const query = '{ events(first: 1) { cursor: liveCursor } }';
  for await (const result of client.iterate({ query })) return payloadOf(result).cursor;
  throw new Error('There was no answer.');
};

/** @param {import('graphql-ws').FormattedExecutionResult<any, any>} result @returns {Payload} */
const payloadOf = ({ data, errors }) => {
  if (errors) throw errors;
  const [payload] = Object.values(data);
  if (typeof payload.cursor === 'string') return payload;
  throw misused('The subscription does not select `cursor`.');
};

/** As the server says it. @param {string} message */
const misused = (message) => [{ message, extensions: { code: 'BAD_USER_INPUT' } }];

/** Of errors from the server, the end of a socket, which begins with a code where the server says one, or whatever else went wrong.
 * @param {any} reason */
const errorOf = (reason) => {
  const [first] = Array.isArray(reason) ? reason : [];
  const [, said, why] = /^([A-Z_]+): ([^]*)/.exec(reason?.reason ?? '') ?? [];
  const code = first?.extensions?.code ?? said ?? CODES[reason?.code] ?? 'DISCONNECTED';
  const message =
    first?.message || why || reason?.reason || reason?.message || `Closed: ${reason?.code}`;
  return Object.assign(new Error(message, { cause: reason }), { code });
};

/** @param {AbortSignal} signal @returns {Promise<never>} */
const aborted = (signal) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
const pause = (ms, signal) =>
  new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
    if (signal.aborted) over();
  });
