// The WebSocket door: graphql-transport-ws. A socket says who it is in `connectionParams.authorization`; without a good
// key it is closed with 4403.

import type { Server } from 'node:http';
import { type GraphQLError, execute, subscribe, validate } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Viewer } from '../access/viewer.ts';
import { refusalOf } from '../database/failures.ts';
import { parseWithin } from '../graphql/limits.ts';
import { schema } from '../graphql/schema.ts';
import type { Parts } from './graphql.ts';
import { exactly } from './json.ts';
import { publicError } from './mask.ts';

const MAX_FRAME_BYTES = 64 * 1024;
const INIT_TIMEOUT_MS = 5_000;
const SERVICE_RESTART = 1012; // clients come back
const TRY_AGAIN_LATER = 1013;
const GOODBYE_MS = 2_000;

type Extra = { viewer?: Viewer; socket: WebSocket };

export const createSockets = (server: Server, { logger, ...parts }: Parts): AsyncDisposable => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });
  server.on('upgrade', (request, socket, head) => {
    if (URL.parse(request.url ?? '/', 'http://localhost')?.pathname !== '/graphql') {
      // From here on nobody else listens to the socket, and one that breaks unheard would end the process.
      socket.on('error', () => socket.destroy()).once('finish', () => socket.destroy());
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      sockets.emit('connection', webSocket, request),
    );
  });

  const hidden = (errors: readonly unknown[]): GraphQLError[] =>
    errors.map((error) => publicError(error, logger));
  const formatted = (errors: readonly unknown[]) => hidden(errors).map((error) => error.toJSON());

  const disposable = useServer<Record<string, unknown>, Extra>(
    {
      connectionInitWaitTimeout: INIT_TIMEOUT_MS,
      jsonMessageReviver: exactly,
      onConnect: async (context) => {
        const authorization =
          context.connectionParams?.['authorization'] ??
          context.connectionParams?.['Authorization'];
        try {
          context.extra.viewer = await parts.keys.authenticate(
            typeof authorization === 'string' ? authorization : undefined,
          );
          return true;
        } catch (error) {
          if (refusalOf(error)?.code === 'UNAUTHENTICATED') return false; // closed with 4403
          logger.warn({ err: error }, 'A key could not be looked up');
          context.extra.socket.close(TRY_AGAIN_LATER, 'Unavailable');
          return false;
        }
      },
      // An operation that cannot be parsed or is not valid is an error of that operation, not of the socket.
      onSubscribe: ({ extra }, _id, { query, variables, operationName }) => {
        try {
          const document = parseWithin(query);
          const mistakes = validate(schema, document);
          if (mistakes.length > 0) return hidden(mistakes);
          return {
            schema,
            document,
            variableValues: variables,
            operationName,
            contextValue: { ...parts, viewer: extra.viewer ?? null },
          };
        } catch (error) {
          return hidden([error]);
        }
      },
      execute,
      subscribe,
      onNext: (_context, _id, _payload, _args, { errors, data = null }) =>
        errors ? { data, errors: formatted(errors) } : { data },
      onError: (_context, _id, _payload, errors) => formatted(errors),
    },
    sockets,
  );
  return {
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.close(SERVICE_RESTART, 'Restarting');
      const impatience = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
      }, GOODBYE_MS);
      await disposable.dispose();
      clearTimeout(impatience);
    },
  };
};
