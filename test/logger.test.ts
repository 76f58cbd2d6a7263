// Our own log is read by other people than the log of events.

import { sql } from 'drizzle-orm';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../src/database/connection.ts';
import { execute } from '../src/database/execute.ts';
import { JejakError } from '../src/errors.ts';
import { createLogger } from '../src/logger.ts';
import { testDatabase } from './support/database.ts';
import { questionPool } from './support/question.ts';

test('an error of the database is logged without the values that it repeats', async () => {
  const { url } = await testDatabase();
  const database = openDatabase({ url });
  onTestFinished(() => database[Symbol.asyncDispose]());
  const said = 'Rahmawati';
  const failing = [
    () => database.read`SELECT ${said}::text::inet`,
    () => database.read`SELECT ('{"a": ' || ${said}::text)::jsonb`,
    () => database.write`INSERT INTO batches (seq, key) VALUES (1, (SELECT ${said}::text::uuid))`,
    () => database.write`INSERT INTO search_names (word, trigrams) VALUES (${said}, NULL)`,
    async () => execute(await questionPool(database), sql`SELECT ${said}::text::int`),
  ];
  for (const fail of failing) {
    const error = await fail().then(
      () => undefined,
      (cause: Error) => cause,
    );
    const { message, cause } = error!;
    expect(JSON.stringify([error, message, String(cause)]), 'what is not logged').toContain(said);
    const lines: string[] = [];
    const logger = createLogger('info', { write: (line) => void lines.push(line) });
    logger.error({ err: error }, 'Unexpected error');
    logger.warn({ err: new JejakError('UNAVAILABLE', 'Not now.', { cause: error }) }, 'Not now');
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).not.toContain(said);
      expect(JSON.parse(line).err).toMatchObject({ message: expect.stringMatching(/./), stack: expect.stringContaining('at ') }); // oxfmt-ignore
    }
  }
});
