// The doors: one HTTP server, a line per path.

import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { JejakError } from '../errors.ts';
import { createDeliveries } from '../graphql/deliveries.ts';
import { endUnlessTaken } from './drained.ts';
import { createExport } from './export.ts';
import { type Parts, createGraphql } from './graphql.ts';
import { render } from './lane.ts';
import { answerOrigin, isForeign } from './origins.ts';
import { publicError } from './public-error.ts';
import { respond, respondError } from './respond.ts';
import { handleEvents } from './rest.ts';
import { createSockets } from './sockets.ts';

export type HttpServer = AsyncDisposable & {
  /** Such as http://127.0.0.1:4000. */
  readonly url: string;
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A request has this long to arrive, so that a thousand slow ones cannot hold a thousand connections for long. A connection
 * without one is kept for longer than proxies and the pools of clients keep theirs (mostly 60 s): where we close it as a request
 * sets out, the request is lost. */
const patience = {
  headersTimeout: 5_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 1_000,
} as const;

/** On every answer. Nothing of ours is kept by caches, framed, or run by a browser; the page of GraphiQL says more for itself. */
const secure = Object.entries({
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
});

/** How long requests that are under way may take to finish when the server stops. */
const FINISH_MS = 4_500;
/** And what is not done by then has this long to be told so. */
const GOODBYE_MS = 500;
const LOOK_MS = 20;

export const listen = async (
  parts: Parts,
  address: { port: number; host: string },
): Promise<HttpServer> => {
  const deliveries = createDeliveries(
    (result) => render(result, (error) => publicError(error, parts.logger, parts.mask.text)).text,
    parts.metrics,
  );
  const leaving = new AbortController();
  const graphql = createGraphql(parts, deliveries, leaving.signal);
  const doors: Record<string, Handler> = {
    '/graphql': graphql,
    '/api/events': (request, response) => handleEvents(request, response, parts),
    '/api/export': createExport(parts),
    '/healthz': (_request, response) => respond(response, 200, { status: 'ok' }),
    '/readyz': (_request, response) => {
      const ready = parts.pulse.ready();
      const overdue = parts.retention.overdueSince();
      respond(response, ready ? 200 : 503, {
        status: ready ? 'ready' : 'unavailable',
        ...(overdue && {
          warning: `Retention has not come to its end since ${overdue.toISOString()}.`,
        }),
      });
    },
    '/metrics': async (_request, response) => {
      const { registry } = parts.metrics;
      const text = await registry.metrics();
      response.writeHead(200, { 'Content-Type': registry.contentType }).end(text);
    },
    '/': (_request, response) => void response.writeHead(302, { Location: '/graphql' }).end(),
  };

  let stopping = false;
  let underWay = 0; // a stream is not, once it has begun
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (stopping) response.setHeader('Connection', 'close');
    for (const [name, value] of secure) response.setHeader(name, value);
    underWay++;
    try {
      request.url = localOf(request.url!);
      const pathname = request.url.split('?', 1)[0]!;
      const door = doors[pathname];
      if (!door)
        throw new JejakError(
          'BAD_USER_INPUT',
          `There is nothing at ${pathname}; the doors are ${Object.keys(doors).join(', ')}.`,
          { status: 404 },
        );
      if (isForeign(request) && (await answerOrigin(request, response, parts.access))) return;
      await door(request, response);
    } catch (error) {
      respondError(response, error, parts.logger);
    } finally {
      // Of a large one much may be still on its way. To wait for every one in this way took 34 µs of each.
      if (response.writableEnded && response.socket?.writableLength) {
        response.once('close', () => void underWay--);
        void endUnlessTaken(response);
      } else underWay--;
    }
  };
  const finished = async (ms: number): Promise<void> => {
    const deadline = Date.now() + ms;
    do await sleep(LOOK_MS);
    while (underWay > 0 && Date.now() < deadline);
  };
  const server = createServer(patience, (request, response) => void answer(request, response));
  await started(server, address); // what is made before it fails lives on
  const sockets = createSockets(server, parts, deliveries);
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    url: `http://${host}:${port}`,
    async [Symbol.asyncDispose]() {
      stopping = true;
      const closed = once(server, 'close');
      leaving.abort();
      NetServer.prototype.close.call(server); // HTTP's own cuts off answers of which something is still to be taken
      await sockets[Symbol.asyncDispose]();
      await finished(FINISH_MS);
      parts.pulse.giveUp();
      await finished(GOODBYE_MS);
      // What is left are streams of clients that take nothing, and connections that ask for nothing.
      server.close().closeAllConnections();
      await closed;
    },
  };
};

/** The address without the host that a proxy may put before it. */
const localOf = (url: string): string => {
  if (url.startsWith('/')) return url;
  const { pathname, search } = URL.parse(url) ?? { pathname: url, search: '' };
  return pathname + search;
};

const started = (server: Server, { port, host }: { port: number; host: string }): Promise<void> =>
  new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void =>
      reject(error.code === 'EADDRINUSE' ? taken(host, port, error) : unusable(host, port, error));
    server.once('error', refused);
    server.listen({ port, host }, () => {
      server.off('error', refused);
      resolve();
    });
  });

const unusable = (host: string, port: number, cause: Error): Error =>
  new Error(`Nothing can listen at HOST ${host}, PORT ${port}: ${cause.message}.`, { cause });

const taken = (host: string, port: number, cause: Error): Error =>
  new Error(`Port ${port} of ${host} is taken; stop what listens there, or set PORT to another.`, {
    cause,
  });
