// What all fields of an operation may have together.

import { JejakError } from '../errors.ts';
import type { Context } from './builder.ts';

/** Counts for an operation, by its context; throws TOO_EXPENSIVE over so many. */
export const createBudget = (
  most: number,
  tooMuch: string,
): ((context: Context, more: number) => void) => {
  const spent = new WeakMap<Context, number>();
  return (context, more) => {
    const inAll = (spent.get(context) ?? 0) + more;
    spent.set(context, inAll);
    if (inAll > most) throw new JejakError('TOO_EXPENSIVE', tooMuch);
  };
};
