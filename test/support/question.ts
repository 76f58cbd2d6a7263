// drizzle on a test database, for calling what asks it.

import { onTestFinished } from 'vitest';
import { type Question, openDatabase } from '../../src/database/connection.ts';
import type { TestDatabase } from './database.ts';

export const createQuestion = ({ url }: TestDatabase): Question => {
  const database = openDatabase({ url });
  onTestFinished(() => database[Symbol.asyncDispose]());
  return database.question;
};
