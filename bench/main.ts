// `npm run bench`: all benchmarks, or the one that is named. Everything is started for it and gone afterwards.

import { parseArgs } from 'node:util';
import { batcher } from './batcher.ts';
import { flood } from './flood.ts';
import { indexes } from './indexes.ts';
import { ingest } from './ingest.ts';
import { live } from './live.ts';
import { pages } from './pages.ts';
import { privacy } from './privacy.ts';
import { questions } from './questions.ts';
import { retention } from './retention.ts';
import { rivals } from './rivals.ts';
import { stats } from './stats.ts';
import { steady } from './steady.ts';
import type { Benchmark } from './support/benchmark.ts';
import { describeMachine } from './support/machine.ts';
import { startPostgres } from './support/postgres.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = {
  ingest,
  rivals,
  batcher,
  flood,
  steady,
  privacy,
  indexes,
  stats,
  questions,
  pages,
  ...live,
  ...retention,
};
/** Names for several. */
const groups: Readonly<Record<string, readonly string[]>> = {
  live: Object.keys(live),
  retention: Object.keys(retention),
};

const usage = `Usage: npm run bench -- [name] [--seconds 5] [--runs 3] [--rows 200000] [--minutes 0.5] [--profile]

${Object.entries(benchmarks)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join('\n')}
${Object.entries(groups)
  .map(([name, members]) => `  ${name.padEnd(10)} ${members.join(', ')}`)
  .join('\n')}

  --seconds  how long each measurement takes, after a warm-up
  --runs     how often each is taken; medians are shown
  --rows     steady: how many rows are put into the table, 200000 if unsaid; the long run has 10000000
             replay: how many are replayed, 1000000 if unsaid
             questions: how many there are, 5000000 if unsaid
             pages: how many there are, 500000 if unsaid
             expiry, dropping: how many expire, 2000000 and 5000000 if unsaid
  --minutes  steady: for how long it is then measured; the long run takes 10
  --profile  where the server's time goes, instead of the figures
`;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => stopping.abort(signal));
process.stdout.on('error', () => stopping.abort('nobody reads on'));

const run = async (args: readonly string[]): Promise<void> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: 'string' },
      runs: { type: 'string', default: '3' },
      rows: { type: 'string' },
      minutes: { type: 'string', default: '0.5' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return say(usage);
  const given = values.seconds === undefined ? undefined : Number(values.seconds);
  const givenRows = values.rows === undefined ? undefined : Number(values.rows);
  const [runs, minutes] = [Number(values.runs), Number(values.minutes)];
  const named = positionals.flatMap((name) => groups[name] ?? name);
  const names = named.length > 0 ? named : Object.keys(benchmarks);
  const unknown = names.find((name) => !Object.hasOwn(benchmarks, name));
  if (
    unknown !== undefined ||
    !((given ?? 1) > 0) ||
    !(runs >= 1) ||
    !((givenRows ?? 0) >= 0) ||
    !(minutes > 0)
  )
    throw new Error(`\n${usage}`);

  await using postgres = await startPostgres();
  say(await describeMachine(postgres));
  for (const name of names) {
    const benchmark = benchmarks[name]!;
    say(`\n${name}: ${benchmark.about}`);
    const seconds = given ?? benchmark.seconds ?? 5;
    const rows = givenRows ?? benchmark.rows ?? 200_000;
    const setting = { postgres, seconds, runs, rows, minutes, signal: stopping.signal, say };
    if (values.profile) await benchmark.profile?.(setting);
    else await benchmark.run(setting);
  }
};

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!stopping.signal.aborted)
    process.stderr.write(`The benchmark cannot go on: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
