// A subscription as server-sent events, one HTTP request each: `next` with the cursor as its id, so that a client which
// comes back with `Last-Event-ID` goes on where it stood, and `complete` at the end.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DocumentNode, getOperationAST } from 'graphql';
import { LOOK_AT_CREDENTIALS_MS } from '../access/authenticate.ts';
import type { Answer, Delivery } from '../graphql/deliveries.ts';
import type { Metrics } from '../metrics.ts';
import { drained, piecesOf } from './drained.ts';

/** Shorter than what proxies wait for. */
const HEARTBEAT_MS = 12_000;

/** Whether the client would take server-sent events. */
export const acceptsEvents = ({ headers: { accept = '' } }: IncomingMessage): boolean =>
  /(^|[,\s])text\/event-stream\s*([,;]|$)/i.test(accept);

export const isSubscription = (document: DocumentNode, operationName?: string | null): boolean =>
  getOperationAST(document, operationName)?.operation === 'subscription';

/** Where a client that comes back stood. */
export const lastEventId = ({ headers }: IncomingMessage): string | undefined =>
  [headers['last-event-id'] ?? []].flat()[0] || undefined;

type Terms = {
  /** Rejects where the client may no longer. */
  readonly look: () => Promise<void>;
  /** The server stops: the client is to come back, and is not told that the subscription is complete. */
  readonly leaving: AbortSignal;
  /** Puts what went wrong into JSON. */
  readonly explain: (error: unknown) => string;
  readonly metrics: Metrics;
};

/** Sends what is delivered until one side ends it. */
export const stream = async (
  response: ServerResponse,
  delivery: Delivery,
  { look, leaving, explain, metrics }: Terms,
): Promise<void> => {
  const gone = (): void => void delivery.return();
  leaving.addEventListener('abort', gone);
  response.once('close', gone);
  if (response.closed) gone();
  begin(response, 200);
  response.on('timeout', () => {}); // where nobody listens, node ends a socket that pauses
  /** Waits until the client has taken what was written; one that took nothing for too long is cut off. */
  const keepUp = async (maxUnsentBytes?: number): Promise<void> => {
    if (response.socket === null || (await drained(response.socket, maxUnsentBytes))) return;
    if (response.destroyed) return; // who waited beside us has said so
    metrics.slowCloses.inc();
    response.destroy();
  };
  const heartbeat = setInterval(() => {
    void keepUp(0);
    response.write(':\n\n');
  }, HEARTBEAT_MS);
  let refusal: unknown;
  const looking = setInterval(() => {
    look().catch((error: unknown) => {
      refusal = error;
      gone();
    });
  }, LOOK_AT_CREDENTIALS_MS);
  try {
    for await (const answers of delivery) {
      for (const piece of piecesOf(answers.map(eventOf))) {
        response.write(piece);
        await keepUp();
      }
      metrics.frames.inc({ transport: 'sse' }, answers.length);
    }
    if (refusal !== undefined) throw refusal;
  } catch (error) {
    response.write(`event: next\ndata: ${explain(error)}\n\n`);
  } finally {
    clearInterval(heartbeat);
    clearInterval(looking);
    response.off('close', gone);
    leaving.removeEventListener('abort', gone);
  }
  response.end(leaving.aborted ? undefined : COMPLETE);
};

/** Says what is wrong with a subscription that cannot begin. */
export const refuseStream = (response: ServerResponse, status: number, json: string): void => {
  begin(response, status);
  response.end(`event: next\ndata: ${json}\n\n${COMPLETE}`);
};

const COMPLETE = 'event: complete\ndata:\n\n';

const begin = (response: ServerResponse, status: number): void => {
  response.writeHead(status, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
};

const END = Buffer.from('\n\n');
const eventOf = ({ cursor, json }: Answer): readonly Buffer[] => [
  Buffer.from(`event: next\nid: ${cursor}\ndata: `),
  json,
  END,
];
