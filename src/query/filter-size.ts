// How much a filter may say.

import { JejakError } from '../errors.ts';
import type { EventFilter } from './filter.ts';

/** More is refused, wherever in a filter it stands. */
export const MAX_CONDITIONS = 100;
export const MAX_DEPTH = 8;
/** In all lists of a filter together: each is a parameter, of which a statement has 65,534, with those of all holds. */
export const MAX_VALUES = 500;

/** What is said in it; null is as good as left out. */
export const entriesOf = (filter: EventFilter | null | undefined): [string, unknown][] =>
  Object.entries(filter ?? {}).filter(([, value]) => value !== null && value !== undefined);

/** Throws BAD_USER_INPUT where more is said than may be. */
export const refuseLarge = (filter: EventFilter | null | undefined): void => {
  let [conditions, values] = [0, 0];
  const count = (inner: EventFilter | null | undefined, depth: number): void => {
    conditions += entriesOf(inner).length + (inner?.json?.length ?? 0);
    values += valuesIn(inner);
    if (depth > MAX_DEPTH || conditions > MAX_CONDITIONS)
      throw new JejakError(
        'BAD_USER_INPUT',
        `A filter has at most ${MAX_CONDITIONS} conditions, ${MAX_DEPTH} levels deep; list several values in one key, or ask in parts.`,
      );
    for (const each of [...(inner?.and ?? []), ...(inner?.or ?? []), inner?.not])
      if (each) count(each, depth + 1);
  };
  count(filter, 1);
  if (values > MAX_VALUES)
    throw new JejakError('BAD_USER_INPUT', `The lists of a filter have at most ${MAX_VALUES} values together; ask in parts.`); // oxfmt-ignore
};

const valuesIn = (filter: EventFilter | null | undefined): number => {
  const lists = [...Object.values(filter ?? {}), ...(filter?.json ?? []).map((each) => each.in)];
  return lists.reduce<number>((sum, list) => sum + (Array.isArray(list) ? list.length : 0), 0);
};
