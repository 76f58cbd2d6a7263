// The pool for questions, for calling what asks it.

import type { Database, Sql } from '../../src/database/connection.ts';

export const questionPool = ({ question }: Database): Promise<Sql> =>
  question(
    'test',
    (pool) => Promise.resolve(pool),
    () => false,
  );
