// Whom a filter names: the subjects that an answer to it must be about, by `resourceId` and `resourceType`, wherever in it they
// stand.

import { MAX_VALUES } from './filter-size.ts';
import type { EventFilter } from './filter.ts';
import { ANY_TYPE, type Subject } from './trail.ts';

/** The subjects that a filter names, in its terms; by ANY_TYPE where it says no type with the identifier. What a `not` names is
 * what it leaves out. */
export const namedIn = (filter: EventFilter): Subject[] => namedBy([filter]);

/** The type of all that the filter chooses; ANY_TYPE where it does not name one alone. */
export const typeIn = (filter: EventFilter): string => {
  const types = inEach(conjunctsOf(filter), 'resourceType') ?? [];
  return types.length === 1 ? types[0]! : ANY_TYPE;
};

/** Of filters that all must hold; those above name their own identifiers. */
const namedBy = (filters: readonly EventFilter[], above: readonly EventFilter[] = []): Subject[] => {
  const own = filters.flatMap(conjunctsOf);
  const all = [...above, ...own];
  return [
    ...pairsOf(inEach(all, 'resourceType'), inEach(own, 'resourceId') ?? []),
    ...own.flatMap(alternativesOf).flatMap((each) => namedBy([each], all)),
  ];
}; // oxfmt-ignore

/** The filter and those within it that must hold as well. */
const conjunctsOf = (filter: EventFilter): EventFilter[] => [
  filter,
  ...(filter.and ?? []).flatMap(conjunctsOf),
];

/** Those within it of which one may hold. */
const alternativesOf = ({ or, not }: EventFilter): EventFilter[] => [
  ...(or ?? []),
  ...(not ? deniedIn(not) : []),
];

/** What is denied by what is denied, and so is asked for. */
const deniedIn = ({ and, or, not }: EventFilter): EventFilter[] => [
  ...(not ? [not] : []),
  ...[...(and ?? []), ...(or ?? [])].flatMap(deniedIn),
];

/** What every filter allows that says something of it; undefined where none does. */
const inEach = (
  filters: readonly EventFilter[],
  name: 'resourceType' | 'resourceId',
): string[] | undefined => {
  const [first, ...others] = filters.flatMap(({ [name]: values }) => (values ? [new Set(values)] : [])); // oxfmt-ignore
  return first && [...others.reduce((left, each) => left.intersection(each), first)];
};

/** Each identifier with each type, as long as they are no more than the values of a filter. */
const pairsOf = (types: readonly string[] = [ANY_TYPE], ids: readonly string[]): Subject[] => {
  const named = types.length * ids.length > MAX_VALUES ? [ANY_TYPE] : types;
  return named.flatMap((resourceType) => ids.map((resourceId) => ({ resourceType, resourceId })));
};
