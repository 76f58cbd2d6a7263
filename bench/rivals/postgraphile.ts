// @ts-nocheck: its packages are installed for the benchmark only
// PostGraphile 5 as it comes, with its Amber preset: the create mutation that it makes for the table.

import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { serve } from '../support/serve.ts';
import { pool, prepare } from './place.ts';

serve(async ({ databaseUrl }) => {
  await prepare(databaseUrl);
  const instance = postgraphile({
    extends: [PostGraphileAmberPreset],
    disablePlugins: ['PgIndexBehaviorsPlugin'], // may be asked for what no index finds, as Jejak may
    pgServices: [
      makePgService({
        connectionString: databaseUrl,
        schemas: ['public'],
        poolConfig: { max: pool },
        pubsub: false,
      }),
    ],
    grafserv: {
      graphiql: false,
      watch: false,
      graphqlPath: '/graphql',
      maxRequestLength: 1_000_000,
    },
    grafast: { explain: false },
  });
  const server = createServer();
  await instance.createServ(grafserv).addTo(server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await instance.release();
    },
  };
});
