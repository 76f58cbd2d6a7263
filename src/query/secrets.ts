// Conditions on JSON that ask for what is never stored: nothing can match them, and what they ask for is repeated wherever the
// question is, in the log, in a hold. So they are refused, and left out of what is told.

import { JejakError } from '../errors.ts';
import type { Protection } from '../events/protect.ts';
import type { EventFilter } from './filter.ts';
import { type JsonField, type Operator, jsonFields, keysOf, operators } from './json.ts';

type Protect = Protection['protect'];

/** Throws BAD_USER_INPUT where a condition, wherever in the filter, asks for what is not stored as it is. */
export const refuseSecrets = (filter: EventFilter, protect: Protect): void => {
  for (const { field, path, ...asked } of filter.json ?? [])
    for (const operator of operators)
      if (asked[operator] !== undefined && isSecret({ path, operator, value: asked[operator] }, protect, [field])) // oxfmt-ignore
        throw new JejakError('BAD_USER_INPUT', `What \`${operator}\` asks for at \`${path.slice(0, 100)}\` is not stored as it is, so that nothing can match; ask whether it exists, or for what the log shows in its place.`); // oxfmt-ignore
  for (const each of [...(filter.and ?? []), ...(filter.or ?? []), filter.not])
    if (each) refuseSecrets(each, protect);
};

type Asked = {
  readonly path: string;
  readonly operator: Operator;
  readonly value: unknown;
};

/** Whether the value would not be stored as it is at that path. */
export const isSecret = (
  { path, operator, value }: Asked,
  protect: Protect,
  fields: readonly JsonField[] = jsonFields,
): boolean => {
  if (operator === 'exists' || value === null) return false;
  // Whatever a number is compared with is no number that is stored; the place may hold one.
  const values = operator === 'in' && Array.isArray(value) ? value : [bounds.has(operator) ? 0 : value]; // oxfmt-ignore
  return values.some((each: unknown) =>
    fields.some((field) => protect({ [field]: at(keysOf(path), each) }, true).warnings.length > 0),
  );
};

const bounds: ReadonlySet<string> = new Set<Operator>(['gt', 'gte', 'lt', 'lte']);

/** The value where a path leads: a number is a place in a list. */
const at = (keys: readonly string[], value: unknown): unknown =>
  keys.reduceRight((inner, key) => (/^\d+$/.test(key) ? [inner] : { [key]: inner }), value);
