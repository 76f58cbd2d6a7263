// Bounds of severities and categories put together, as the filters that they are of.

import type { Bounds } from '../events/vocabulary.ts';

/** What lies within both; an absent bound is everything. */
export const within = (some: Bounds, others: Bounds): Bounds => ({
  severities: both(some.severities, others.severities),
  categories: both(some.categories, others.categories),
});

const both = <T>(some: readonly T[] | undefined, others: readonly T[] | undefined) =>
  some && others ? some.filter((one) => others.includes(one)) : (some ?? others);

/** What lies within one of them. */
export const beside = (some: Bounds, others: Bounds): Bounds => ({
  severities: either(some.severities, others.severities),
  categories: either(some.categories, others.categories),
});

const either = <T>(some: readonly T[] | undefined, others: readonly T[] | undefined) =>
  some && others ? [...new Set([...some, ...others])] : undefined;
