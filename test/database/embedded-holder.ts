/**
 * A process that lives on the embedded database of a directory, as a server would: prints READY and whether it joined
 * another, then REVIVED for each line it is sent once the database answers, and leaves on SIGTERM.
 */
import { createInterface } from 'node:readline';
import { startEmbedded } from '../../src/database/embedded.ts';

const [dataDir = ''] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);

const embedded = await startEmbedded({
  dataDir,
  log: (message, details) => process.stderr.write(`${message} ${JSON.stringify(details ?? {})}\n`),
});
process.once(
  'SIGTERM',
  () => void embedded[Symbol.asyncDispose]().then(() => process.stdin.destroy()),
);
say(`READY ${embedded.joined ? 'joined' : 'first'} ${embedded.location}`);
for await (const _ of createInterface({ input: process.stdin })) {
  await embedded.ensureRunning();
  say('REVIVED');
}
