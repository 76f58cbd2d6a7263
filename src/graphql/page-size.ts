// How much of a list is answered at a time.

import { JejakError } from '../errors.ts';

export const MAX_PAGE = 200;
export const DEFAULT_PAGE = 50;

/** The size that is asked for. Throws BAD_USER_INPUT where no page has it. */
export const pageSize = (asked: number | null | undefined): number => {
  const size = asked ?? DEFAULT_PAGE;
  if (size < 1 || size > MAX_PAGE)
    throw new JejakError('BAD_USER_INPUT', `A page has 1 to ${MAX_PAGE} entries; ask for more in several.`); // oxfmt-ignore
  return size;
};
