// Connections that break under load. Here postgres.js alone left 1 to 8 queries without an answer, gave 4 of 1,900 the rows
// of another query, and rejected a promise that nobody holds, which ends the process.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connect } from '../../src/database/connection.ts';
import { testDatabase } from '../support/database.ts';

const ROUNDS = 40;
const ASKERS = 8;
const PATIENCE_MS = 4_000;

type Count = Record<'answered' | 'wrong' | 'refused' | 'hung', number>;

/** Asks again as soon as there is an answer or a refusal, while the connections are ended one round after another. */
const hammer = async (
  ask: (number: number) => PromiseLike<readonly { number?: number }[]>,
  end: () => PromiseLike<unknown>,
): Promise<Count> => {
  const count: Count = { answered: 0, wrong: 0, refused: 0, hung: 0 };
  let stopped = false;
  const asking = Array.from({ length: ASKERS }, async (_, asker) => {
    for (let number = asker; !stopped; number += ASKERS) {
      const late = sleep(PATIENCE_MS, 'hung' as const, { ref: false });
      const answer = ask(number).then(
        (rows) => (rows[0]?.number === number ? 'answered' : 'wrong'),
        () => 'refused' as const,
      );
      count[await Promise.race([answer, late])]++;
    }
  });
  for (let round = 0; round < ROUNDS; round++) {
    await end();
    await sleep(100);
  }
  stopped = true;
  await Promise.all(asking);
  return count;
};

const LARGE = 'x'.repeat(20_000); // what the server has not read when it ends makes an error of the close

test('what is asked while connections break is answered rightly or refused soon', async () => {
  const { url, sql } = await testDatabase();
  const pool = connect({ url }, { name: 'broken', max: 3 });
  const count = await hammer(
    (number) => pool<{ number: number }[]>`SELECT ${number}::int AS number, length(${LARGE})`,
    () =>
      sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'jejak broken' AND datname = current_database()`,
  );
  await pool.end({ timeout: 1 });
  expect(count.answered).toBeGreaterThan(0);
  expect(count).toMatchObject({ wrong: 0, hung: 0 });
}, 120_000);
