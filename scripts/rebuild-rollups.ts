// Counts the roll-ups anew from the events that are kept, while servers go on; retention waits for the day that is under way. It is
// safe to stop, and to run again.

import { recount } from '../src/consumers/recount.ts';
import { readConfig } from '../src/config.ts';
import { connect } from '../src/database/connection.ts';
import { startEmbedded } from '../src/database/embedded.ts';

const config = readConfig(process.env);
await using stack = new AsyncDisposableStack();
const embedded =
  config.DATABASE_URL === undefined
    ? stack.use(await startEmbedded({ dataDir: config.JEJAK_DATA_DIR, log: () => {} }))
    : undefined;
const sql = connect(embedded?.connection ?? { url: config.DATABASE_URL! }, {
  name: 'rebuild',
  max: 1,
});
stack.defer(() => sql.end());

for await (const { what, events } of recount(sql))
  if (events > 0) process.stdout.write(`${what}: ${events} events\n`);
