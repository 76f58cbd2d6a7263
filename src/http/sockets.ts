// The WebSocket door: graphql-transport-ws, spoken by graphql-ws. A socket says who it is in
// `connectionParams.authorization`; without a good key it is closed with 4403, also later when its key is revoked. What a
// subscription delivers is written past graphql-ws: the text is shared with others, and one write carries all that came.

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ExecutionArgs, GraphQLError, execute, getOperationAST } from 'graphql';
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws';
import { WebSocket, WebSocketServer } from 'ws';
import { LOOK_AT_CREDENTIALS_MS } from '../access/authenticate.ts';
import type { Caller } from '../access/caller.ts';
import type { Viewer } from '../access/viewer.ts';
import { refusalOf } from '../database/failures.ts';
import { JejakError } from '../errors.ts';
import type { Answer, Deliveries, Delivery } from '../graphql/deliveries.ts';
import { isDocument } from '../graphql/documents.ts';
import type { Context } from '../graphql/builder.ts';
import { coercion } from '../graphql/limits.ts';
import { schema } from '../graphql/schema.ts';
import { purposeOf, tellingReads } from '../graphql/told.ts';
import { leavable } from '../live/leavable.ts';
import { drained, piecesOf } from './drained.ts';
import { frameOf } from './frame.ts';
import type { Parts } from './graphql.ts';
import { exactly } from './json.ts';
import { isForeign } from './origins.ts';
import { NOT_CLEAR, publicError, published } from './public-error.ts';
import type { Metrics } from '../metrics.ts';

const INIT_TIMEOUT_MS = 5_000;
const SERVICE_RESTART = 1012; // clients come back
const UNSUPPORTED_DATA = 1003;
const TRY_AGAIN_LATER = 1013;
const MOST_REASON_BYTES = 123; // RFC 6455, 5.5
const PING_MS = 15_000;
/** For so long a client may answer no ping. */
const SILENCE_MS = 30_000;
/** When the server stops, sockets are closed one after the other over this long, so that not all come back at once. */
const SPREAD_MS = 1_000;
const GOODBYE_MS = 2_000;

type Extra = {
  readonly socket: WebSocket;
  readonly raw: Socket;
  readonly request: Caller;
  authorization?: string;
  viewer?: Viewer;
  purpose?: string | undefined;
  /** When it was heard of, or took what it had not taken before. */
  heardAt: number;
  /** The ids of operations that have not ended, those that the client has completed included: graphql-ws would take what comes of
   * one for that of another under the same id. */
  readonly underWay: Set<string>;
};
type Send = (answers: readonly Answer[]) => Promise<boolean>;
type Subscribing = ExecutionArgs & { readonly send: Send };

export const createSockets = (
  server: Server,
  { logger, metrics, access, documents, limits, ...parts }: Parts,
  deliveries: Deliveries,
): AsyncDisposable => {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.frameBytes,
    handleProtocols,
  });
  const connected = new Set<Extra>();

  server.on('upgrade', (request, raw, head) => {
    // From here on nobody else listens to the socket, and one that breaks unheard would end the process.
    raw.on('error', () => raw.destroy());
    if (URL.parse(request.url ?? '/', 'http://localhost')?.pathname !== '/graphql')
      refuse(raw, '404 Not Found');
    else if (isForeign(request)) refuse(raw, '403 Forbidden');
    else sockets.handleUpgrade(request, raw, head, (socket) => opened(socket, request));
  });

  const formatted = (errors: readonly unknown[]) =>
    errors.map((error) => published(publicError(error, logger, parts.mask.text)).told);

  /** Who a socket is for an operation that begins now. While that cannot be looked up it is who it was. */
  const viewerNow = async (extra: Extra): Promise<Viewer> => {
    try {
      extra.viewer = await access.authenticate(extra.authorization, extra.request);
    } catch (error) {
      if (turnAway(extra.socket, error) || !extra.viewer) throw error;
    }
    return extra.viewer;
  };

  const protocol = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: INIT_TIMEOUT_MS,
    jsonMessageReviver: exactly,
    onConnect: async ({ connectionParams, extra }) => {
      const authorization =
        connectionParams?.['authorization'] ?? connectionParams?.['Authorization'];
      if (typeof authorization === 'string') extra.authorization = authorization;
      extra.purpose = purposeOf(connectionParams?.['purpose']);
      try {
        extra.viewer = await access.authenticate(extra.authorization, extra.request);
        return true;
      } catch (error) {
        if (turnAway(extra.socket, error)) return false;
        logger.warn({ err: error }, 'A credential could not be looked up');
        extra.socket.close(TRY_AGAIN_LATER, 'Unavailable');
        return false;
      }
    },
    // An operation that cannot be parsed or is not valid is an error of that operation, not of the socket.
    onSubscribe: async ({ extra, subscriptions }, id, { query, variables, operationName }) => {
      if (extra.underWay.has(id)) return [asGraphql(notEnded())];
      extra.underWay.add(id);
      try {
        if (Object.keys(subscriptions).length > limits.subscriptions)
          throw tooMany(limits.subscriptions);
        const viewer = await viewerNow(extra);
        const document = documents.read(query, viewer);
        if (!isDocument(document)) throw document;
        if (!getOperationAST(document, operationName)) throw [new GraphQLError(NOT_CLEAR)];
        return {
          schema,
          document,
          variableValues: variables,
          operationName,
          contextValue: {
            ...parts,
            logger,
            viewer,
            isGone: () => extra.socket.readyState !== WebSocket.OPEN || !(id in subscriptions),
            purpose: extra.purpose,
          } satisfies Context,
          hideSuggestions: documents.hidesSuggestions(viewer),
          options: coercion,
          send: (answers: readonly Answer[]) => sendWith(metrics, extra, id, answers),
        } satisfies Subscribing;
      } catch (error) {
        extra.underWay.delete(id);
        return [error].flat().map(asGraphql);
      }
    },
    onComplete: ({ extra }, id) => void extra.underWay.delete(id),
    execute: (args) => {
      const { document, variableValues: variables } = args;
      const asked = { query: document.loc?.source.body, variables };
      return orErrors(
        tellingReads(args.contextValue as Context, asked, (contextValue) =>
          parts.pulse.guard(async () => execute({ ...args, contextValue })),
        ),
      );
    },
    subscribe: async (args) => {
      const delivery = await orErrors(deliveries.open(args));
      return 'errors' in delivery ? delivery : sentBy((args as Subscribing).send, delivery);
    },
    onNext: (_context, _id, _payload, _args, { errors, data = null }) =>
      errors ? { data, errors: formatted(errors) } : { data },
    onError: (_context, _id, _payload, errors) => formatted(errors),
  });

  const opened = (socket: WebSocket, request: IncomingMessage): void => {
    const extra: Extra = {
      socket,
      raw: request.socket,
      request,
      heardAt: performance.now(),
      underWay: new Set(),
    };
    const hear = (): void => void (extra.heardAt = performance.now());
    connected.add(extra);
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (text) =>
          new Promise((resolve, reject) => {
            if (socket.readyState !== socket.OPEN) return resolve();
            socket.send(text, (error) => (error ? reject(error) : resolve()));
            void listenLater(metrics, extra);
          }),
        close: (code, reason) => socket.close(code, fitting(reason ?? '')),
        onMessage: (handle) =>
          socket.on('message', (message, isBinary) => {
            if (socket.readyState !== socket.OPEN) return undefined; // told to go, it need not be heard
            hear();
            // `ws` has looked whether text is UTF-8, and nobody whether this is.
            if (isBinary) return socket.close(UNSUPPORTED_DATA, 'Send text frames');
            handle((message as Buffer).toString()).catch((error: unknown) => {
              logger.warn({ err: error }, 'A message of a socket could not be handled');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
            return undefined;
          }),
      },
      extra,
    );
    socket.on('pong', hear);
    socket.on('ping', () => void listenLater(metrics, extra)); // `ws` has answered it
    socket.on('error', (error) => logger.debug({ err: error }, 'A socket broke'));
    socket.once('close', (code, reason) => {
      connected.delete(extra);
      void closed(code, String(reason));
    });
  };

  const pinging = setInterval(() => {
    for (const extra of connected) {
      const { socket, raw, heardAt } = extra;
      if (raw.writableLength > 0) void isTaken(metrics, extra, 0);
      else if (performance.now() - heardAt > SILENCE_MS) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
    }
  }, PING_MS);

  const looking = setInterval(() => {
    for (const { viewer, authorization, socket } of connected)
      if (viewer)
        access.assertHolds(authorization).catch((error: unknown) => turnAway(socket, error));
  }, LOOK_AT_CREDENTIALS_MS);

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(pinging);
      clearInterval(looking);
      const impatience = setTimeout(() => {
        for (const { socket } of connected) socket.terminate();
      }, SPREAD_MS + GOODBYE_MS);
      const pause = SPREAD_MS / connected.size;
      let owed = 0;
      for (const { socket } of connected) {
        socket.close(SERVICE_RESTART, 'Restarting');
        owed += pause;
        if (owed >= 10 && connected.size > FEW) {
          await sleep(owed);
          owed = 0;
        }
      }
      await new Promise<void>((resolve) => {
        sockets.close(() => resolve());
      });
      clearTimeout(impatience);
    },
  };
};

/** So few may come back at once. */
const FEW = 20;

const refuse = (raw: Duplex, status: string): void => {
  raw.once('finish', () => raw.destroy());
  raw.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
};

/** Whether the error says that its credential is not good: it is closed then, with the refusal. */
const turnAway = (socket: WebSocket, error: unknown): boolean => {
  const { code, message } = refusalOf(error) ?? {};
  const isRefused = code === 'UNAUTHENTICATED' || code === 'FORBIDDEN';
  if (isRefused) socket.close(CloseCode.Forbidden, fitting(`${code}: ${message}`));
  return isRefused;
};

/** What of a reason has room in a frame. */
const fitting = (reason: string): Buffer => {
  const bytes = Buffer.alloc(MOST_REASON_BYTES);
  return bytes.subarray(0, new TextEncoder().encodeInto(reason, bytes).written);
};

/** What graphql-ws hands on to where errors are formatted. */
const asGraphql = (error: unknown): GraphQLError =>
  error instanceof GraphQLError
    ? error
    : new GraphQLError((error as Error).message, { originalError: error as Error });

/** What goes wrong with an operation is an error of it: thrown, it would end the socket and all others on it. */
const orErrors = <T>(work: Promise<T>): Promise<T | { readonly errors: readonly GraphQLError[] }> =>
  work.catch((error: unknown) => ({ errors: [asGraphql(error)] }));

const notEnded = (): JejakError =>
  new JejakError(
    'BAD_USER_INPUT',
    'The operation that had this id has not ended yet; use an id of its own for each.',
  );

const tooMany = (most: number): JejakError =>
  new JejakError(
    'BAD_USER_INPUT',
    `A socket may carry ${most} operations at a time; complete one first, or open another socket.`,
  );

/** Writes all that came, and waits until the client has taken it; false when it will take nothing more. */
const sendWith = async (
  metrics: Metrics,
  extra: Extra,
  id: string,
  answers: readonly Answer[],
): Promise<boolean> => {
  for (const piece of piecesOf(answers.map(({ json }) => frameOf(id, json)))) {
    if (extra.socket.readyState !== WebSocket.OPEN) return false;
    extra.raw.write(piece);
    if (!(await isTaken(metrics, extra))) return false;
  }
  metrics.frames.inc({ transport: 'websocket' }, answers.length);
  return true;
};

/** Whether the client takes what was written; one that took nothing for too long is closed. */
const isTaken = (
  metrics: Metrics,
  extra: Extra,
  maxUnsentBytes?: number,
): Promise<boolean> | true => {
  const taking = drained(extra.raw, maxUnsentBytes);
  if (taking === true) return true;
  return taking.then((taken) => {
    if (taken) extra.heardAt = performance.now();
    else if (extra.socket.readyState === WebSocket.OPEN) {
      metrics.slowCloses.inc();
      extra.socket.close(TRY_AGAIN_LATER, 'Too slow');
    }
    return taken;
  });
};

/** While a client does not take its answers, it is not asked for more to answer. */
const listenLater = async (metrics: Metrics, extra: Extra): Promise<void> => {
  const { socket, raw } = extra;
  if (socket.isPaused || drained(raw) === true) return;
  socket.pause();
  await isTaken(metrics, extra);
  socket.resume();
};

/** For graphql-ws a subscription that never has anything to say; it ends with the delivery. */
const sentBy = (write: Send, delivery: Delivery): AsyncGenerator<never, void, void> => {
  // oxlint-disable-next-line require-yield
  async function* run(): AsyncGenerator<never, void, void> {
    for await (const answers of delivery) if (!(await write(answers))) return;
  }
  return leavable(run(), () => delivery.return());
};
