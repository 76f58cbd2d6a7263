// The pool for questions, for calling what asks it.

import type { Database, Question } from '../../src/database/connection.ts';

export const questionPool = ({ question }: Database): Promise<Question> =>
  question(
    'test',
    (pool) => Promise.resolve(pool),
    () => false,
  );
