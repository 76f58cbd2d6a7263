// @ts-nocheck: its packages are installed for the benchmark only
// Subscriptions as yoga's documentation has them: a row is inserted, what was inserted is published through createPubSub,
// each subscriber filters for itself, and graphql-ws executes the subscription for each.

import { createServer } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga, filter, pipe } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { connect } from '../../src/database/connection.ts';
import { fields } from '../../src/events/fields.ts';
import { serve } from '../support/serve.ts';
import { INSERT, pool, prepare, suppliedNames, typeOf } from './place.ts';

const listOf = (name) => `[${typeOf(name)}!]`;
const filterNames = suppliedNames.filter((name) => !['json', 'tags'].includes(fields[name].kind));
const typeDefs = `
  scalar JSON
  type Event { eventId: ID! ${suppliedNames.map((name) => `${name}: ${typeOf(name)}`).join(' ')} }
  type EventLogged { event: Event!  cursor: String! }
  type Logged { outcome: String! }
  type LoggedMany { stored: Int! }
  input LogEventInput { eventId: String ${suppliedNames.map((name) => `${name}: ${typeOf(name)}`).join(' ')} }
  input EventFilter { ${filterNames.map((name) => `${name}: ${listOf(name)}`).join(' ')} }
  type Query { ok: Boolean! }
  type Mutation { logEvent(input: LogEventInput!): Logged!  logEvents(input: [LogEventInput!]!): LoggedMany! }
  type Subscription { eventLogged(filter: EventFilter): EventLogged! }
`;

const testOf = (wanted) => {
  const tests = Object.entries(wanted ?? {}).map(([name, values]) => [name, new Set(values)]);
  return ({ event }) => tests.every(([name, values]) => values.has(event[name]));
};

const createResolvers = (sql) => {
  const pubsub = createPubSub();
  const insert = (on, input) =>
    on.unsafe(
      INSERT,
      suppliedNames.map((name) => input[name] ?? null),
      { prepare: true },
    );
  const publish = (input, [{ event_id: eventId }]) =>
    pubsub.publish('logged', { event: { ...input, eventId }, cursor: eventId });
  return {
    Query: { ok: () => true },
    Mutation: {
      logEvent: async (_root, { input }) => {
        publish(input, await insert(sql, input));
        return { outcome: 'STORED' };
      },
      logEvents: async (_root, { input }) => {
        const rows = await sql.begin((transaction) =>
          input.map((event) => insert(transaction, event)),
        );
        for (const [index, event] of input.entries()) publish(event, rows[index]);
        return { stored: rows.length };
      },
    },
    Subscription: {
      eventLogged: {
        subscribe: (_root, args) => pipe(pubsub.subscribe('logged'), filter(testOf(args.filter))),
        resolve: (logged) => logged,
      },
    },
  };
};

/** The recipe of yoga's documentation: what yoga would do with a request is done with each operation of a socket. */
const serveSockets = (yoga, server) => {
  const sockets = new WebSocketServer({ server, path: yoga.graphqlEndpoint });
  useServer(
    {
      execute: (args) => args.rootValue.execute(args),
      subscribe: (args) => args.rootValue.subscribe(args),
      onSubscribe: async (context, _id, params) => {
        const { request: req, socket } = context.extra;
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          ...context,
          req,
          socket,
          params,
        });
        const args = {
          schema,
          operationName: params.operationName,
          document: parse(params.query),
          variableValues: params.variables,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        };
        const errors = validate(args.schema, args.document);
        return errors.length > 0 ? errors : args;
      },
    },
    sockets,
  );
  return sockets;
};

serve(async ({ databaseUrl }) => {
  await prepare(databaseUrl);
  const sql = connect({ url: databaseUrl }, { name: 'rival', max: pool });
  const schema = createSchema({ typeDefs, resolvers: createResolvers(sql) });
  const yoga = createYoga({ schema, logging: false });
  const server = createServer((request, response) => void yoga(request, response));
  const sockets = serveSockets(yoga, server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await sql.end();
    },
  };
});
