// @ts-nocheck: its packages are installed for the benchmark only
// What one would write today without a second thought: yoga, a Pothos schema, and drizzle with an INSERT per mutation.

import SchemaBuilder from '@pothos/core';
import * as pg from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/postgres-js';
import { createYoga } from 'graphql-yoga';
import { connect } from '../../src/database/connection.ts';
import { fields } from '../../src/events/fields.ts';
import { serveHttp } from '../support/http.ts';
import { serve } from '../support/serve.ts';
import { pool, prepare, suppliedNames, typeOf } from './place.ts';

const inet = pg.customType({ dataType: () => 'inet' });
const columnOf = (name) => {
  const { kind, column } = fields[name];
  if (kind === 'integer') return pg.integer(column);
  if (kind === 'json') return pg.jsonb(column);
  if (kind === 'tags') return pg.text(column).array();
  if (kind === 'address') return inet(column);
  if (kind === 'time') return pg.timestamp(column, { withTimezone: true, mode: 'string' });
  return pg.text(column);
};
const events = pg.pgTable('events', {
  eventId: pg.text('event_id'),
  ...Object.fromEntries(suppliedNames.map((name) => [name, columnOf(name)])),
});

const builder = new SchemaBuilder({});
builder.scalarType('JSON', { serialize: (value) => value, parseValue: (value) => value });
builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) });
const Logged = builder
  .objectRef('Logged')
  .implement({ fields: (t) => ({ eventId: t.exposeID('eventId') }) });
const LogEventInput = builder.inputType('LogEventInput', {
  fields: (t) =>
    Object.fromEntries(
      suppliedNames.map((name) => {
        const type = typeOf(name);
        return [name, t.field({ type: type.startsWith('[') ? ['String'] : type })];
      }),
    ),
});

serve(async ({ databaseUrl }) => {
  await prepare(databaseUrl);
  const client = connect({ url: databaseUrl }, { name: 'rival', max: pool });
  const database = drizzle(client);
  builder.mutationType({
    fields: (t) => ({
      logEvent: t.field({
        type: Logged,
        args: { input: t.arg({ type: LogEventInput, required: true }) },
        resolve: async (_root, { input }) => {
          const [row] = await database
            .insert(events)
            .values(input)
            .returning({ eventId: events.eventId });
          return row;
        },
      }),
    }),
  });
  const yoga = createYoga({ schema: builder.toSchema(), logging: false });
  return serveHttp(
    (request, response) => void yoga(request, response),
    () => client.end(),
  );
});
