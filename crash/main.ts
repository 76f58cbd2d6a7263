// `npm run crash`: kills, stops and floods a log and says whether anything it acknowledged was harmed. Exits with 1 where
// something was, or, with --negative, where the checker did not see that it was.

import { parseArgs } from 'node:util';
import { faults } from './faults.ts';
import { print } from './report.ts';
import { type ProfileName, profiles, run } from './run.ts';

const names = [...new Set(faults.map(({ row, about }) => `              ${row} ${about}`))].join(
  '\n',
);

const usage = `Usage: npm run crash -- [--profile short|long|live] [--seed N] [--minutes N] [--only A1,B2]
       [--most N] [--negative]

  --profile   short takes a minute or two, long about a quarter of an hour and a million
              events; live kills writers, readers and servers twenty times each and looks at delivery
  --seed      the order of the faults, their timing and the events; otherwise a new one, which is printed
  --minutes   let the faults come again until so many have passed
  --only      the faults to try, twice each, of
${names}
  --most      each fault so often at the most
  --negative  readers that make the mistakes everybody makes: the checker must find loss
`;

const SEEDS = 1_000_000;

const { values } = parseArgs({
  options: {
    profile: { type: 'string', default: 'short' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * SEEDS)) },
    minutes: { type: 'string' },
    only: { type: 'string' },
    most: { type: 'string' },
    negative: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const { only, negative } = values;
const [seed, minutes, most] = [values.seed, values.minutes, values.most].map(
  (value) => value && Number(value),
) as [number, number | undefined, number | undefined];

if (values.help || !Object.hasOwn(profiles, values.profile) || !Number.isSafeInteger(seed)) {
  process.stderr.write(usage);
  process.exitCode = 1;
} else {
  const began = Date.now();
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stopping.abort(new Error(`Ended by ${signal}`)));
  process.stdout.on('error', (error) => stopping.abort(error)); // nobody reads on
  try {
    const report = await run({
      profile: values.profile as ProfileName,
      seed,
      minutes,
      only,
      most,
      negative,
      signal: stopping.signal,
      say: (text) =>
        void process.stdout.write(
          `${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}\n`,
        ),
    });
    process.stdout.write(`\n${print(report)}`);
    if (negative ? report.lost === 0 : report.anomalies > 0) process.exitCode = 1;
  } catch (error) {
    process.stderr.write(`The crash suite cannot go on: ${(error as Error).message}\n`);
    process.exit(1); // writers that wait for a server would wait for ever
  }
}
