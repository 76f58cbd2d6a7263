// The same server without roll-ups and with nothing on its table of events but the primary key.

import { connect } from '../../src/database/connection.ts';
import { migrate } from '../../src/database/migrate.ts';
import { exchange } from '../support/exchange.ts';
import { serve } from '../support/serve.ts';

exchange('/consumers/rollups.ts', new URL('./bare/rollups.ts', import.meta.url));
const { startJejak } = await import('../support/jejak.ts');

serve(async (place) => {
  const address = { url: place.databaseUrl };
  await migrate(address);
  const sql = connect(address, { name: 'bare', max: 1, maintenance: true });
  const indexes = await sql<{ name: string }[]>`
    SELECT indexrelid::regclass::text AS name FROM pg_index
    WHERE indrelid = 'events'::regclass AND NOT indisprimary`;
  for (const { name } of indexes) await sql.unsafe(`DROP INDEX ${name}`);
  await sql.end();
  return startJejak(place);
});
