// One socket, spoken to by hand in graphql-transport-ws: it says who it is, subscribes, and hands over every frame.

import { WebSocket } from 'ws';

export type Subscription = {
  readonly url: string;
  readonly key: string;
  readonly document: string;
  readonly variables: object;
};
export type Subscribed = {
  readonly close: () => void;
  /** When the subscription was sent, or the socket ended before. */
  readonly begun: Promise<void>;
  /** Why it ended; it never fails. */
  readonly ended: Promise<Error>;
};

const MAX_FRAME_BYTES = 64 * 2 ** 20;

export const subscribe = (
  { url, key, document, variables }: Subscription,
  onNext: (frame: Buffer) => void,
): Subscribed => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: MAX_FRAME_BYTES,
  });
  const send = (message: object): void => socket.send(JSON.stringify(message));
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Error>();
  const end = (reason: string): void => {
    ended.resolve(new Error(`A socket ended: ${reason}`));
    begun.resolve();
    socket.terminate();
  };
  socket.on('open', () =>
    send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } }),
  );
  socket.on('message', (frame: Buffer) => {
    const kind = kindOf(frame);
    if (kind === 'next') onNext(frame);
    else if (kind === 'ping') send({ type: 'pong' });
    else if (kind === 'connection_ack') {
      send({ id: '1', type: 'subscribe', payload: { query: document, variables } });
      begun.resolve();
    } else if (kind !== 'pong') end(frame.toString().slice(0, 600));
  });
  socket.on('error', (error) => end(String(error)));
  socket.on('close', (code, reason) => end(`closed with ${code} ${reason.toString()}`));
  return { close: () => socket.terminate(), begun: begun.promise, ended: ended.promise };
};

/** The type of a message, which is at its beginning or, after a long payload, at its end. */
const kindOf = (frame: Buffer): string | undefined => {
  const head = /"type":"(\w+)"/.exec(frame.toString('latin1', 0, 40));
  if (head) return head[1];
  const tail = frame.toString('latin1', Math.max(0, frame.length - 60));
  return /"type":"(\w+)"[^{}]*\}$/.exec(tail)?.[1];
};
