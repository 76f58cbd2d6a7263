// @ts-nocheck: its packages are installed for the benchmark only
// Mercurius on Fastify, its just-in-time compiler on, with a hand-written, prepared INSERT through postgres.js: one for a
// single event, a pipelined one for each of many in one transaction.

import Fastify from 'fastify';
import { GraphQLScalarType } from 'graphql';
import mercurius from 'mercurius';
import { connect } from '../../src/database/connection.ts';
import { serve } from '../support/serve.ts';
import { INSERT, pool, prepare, suppliedNames, typeOf } from './place.ts';

const schema = `
  scalar JSON
  type Logged { eventId: ID! }
  input LogEventInput { ${suppliedNames.map((name) => `${name}: ${typeOf(name)}`).join(' ')} }
  type Query { ok: Boolean! }
  type Mutation { logEvent(input: LogEventInput!): Logged!  logEvents(input: [LogEventInput!]!): Int! }
`;

serve(async ({ databaseUrl }) => {
  await prepare(databaseUrl);
  const sql = connect({ url: databaseUrl }, { name: 'rival', max: pool });
  const insert = (on, input) =>
    on.unsafe(
      INSERT,
      suppliedNames.map((name) => input[name] ?? null),
      { prepare: true },
    );
  const app = Fastify();
  await app.register(mercurius, {
    schema,
    jit: 1,
    resolvers: {
      JSON: new GraphQLScalarType({ name: 'JSON' }),
      Query: { ok: () => true },
      Mutation: {
        logEvent: async (_root, { input }) => {
          const [row] = await insert(sql, input);
          return { eventId: row.event_id };
        },
        logEvents: async (_root, { input }) => {
          const rows = await sql.begin((transaction) =>
            input.map((event) => insert(transaction, event)),
          );
          return rows.length;
        },
      },
    },
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    url,
    async [Symbol.asyncDispose]() {
      await app.close();
      await sql.end();
    },
  };
});
