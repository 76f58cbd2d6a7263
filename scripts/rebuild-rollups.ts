// Counts the roll-ups anew from the events that are kept, while servers go on; retention waits for the day that is under way. It is
// safe to stop, and to run again.

import { recount } from '../src/consumers/recount.ts';
import { readConfig } from '../src/config.ts';
import { connect } from '../src/database/connection.ts';
import { startEmbedded } from '../src/database/embedded.ts';
import { codeOf } from '../src/database/failures.ts';

const NO_SUCH_TABLE = '42P01';

try {
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
  process.stdout.write('The roll-ups are counted anew; the server goes on from there.\n');
} catch (error) {
  const why =
    codeOf(error) === NO_SUCH_TABLE
      ? 'that database has no log yet; is it the one that the server uses?'
      : (error as Error).message;
  process.stderr.write(`The roll-ups cannot be rebuilt: ${why}\n`);
  process.exitCode = 1;
}
