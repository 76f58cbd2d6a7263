// What stands beside a value in JSON and says what it is: a name in the same object, the item before it in a list.

import { type Decision, type Policy, strictest } from './privacy.ts';
import type { Keyed } from './text.ts';

const AT_TOP: readonly string[] = [];

/** `{ field: 'agama', old: …, new: … }`, `{ name: 'Cookie', value: … }` and `{ path: 'user.password', equals: … }` say in one value
 * what these others are. */
const conditions: ReadonlySet<string> = new Set(['equals', 'notEquals', 'not_equals', 'eq', 'ne', 'in', 'notIn', 'not_in', 'contains', 'startsWith', 'endsWith', 'gt', 'gte', 'lt', 'lte']); // oxfmt-ignore
const single: ReadonlySet<string> = new Set(['value', 'val', ...conditions]);
export const told: ReadonlySet<string> = new Set([...single, 'nilai', 'text', 'old', 'new', 'old_value', 'new_value', 'oldValue', 'newValue', 'before', 'after', 'from', 'to', 'lama', 'baru', 'data', 'content']); // oxfmt-ignore
const columns = ['key', 'field', 'kolom', 'column'];
const tellers = ['name', ...columns, 'header', 'parameter', 'config_key', 'configKey', 'id'];

/** The last key of `user.password`, `/user/password` or `items[0].password`. */
const lastOf = (path: string): string | undefined =>
  path.split(/[./[\]\\"']+/).findLast((key) => !/^[\d-]*$/.test(key));

/** What is said of `key` beside it. What has a name may be in a query, which is no condition, and a path may be that of a page,
 * `/api/token`, with data of its own. */
export const toldBeside = (given: Keyed, key: string, policy: Policy): Decision | undefined => {
  if (!told.has(key)) return undefined;
  const saying = (teller: string): string | undefined =>
    typeof given[teller] === 'string' ? given[teller] : undefined;
  const name = (conditions.has(key) ? columns : tellers).map(saying).find((each) => each !== undefined); // oxfmt-ignore
  const path = single.has(key) ? lastOf(saying('path') ?? '') : undefined;
  const meaning = (label: string | undefined) =>
    label === undefined ? undefined : policy.ofKey(label, AT_TOP);
  return strictest(meaning(name), meaning(path));
};

/** What stands before an item of a list as its label: an option of a command, or a header where a list has them in turns. */
export const labelsIn = (
  list: readonly unknown[],
  parents: readonly string[],
): ((index: number) => string | undefined) | undefined => {
  const above = parents.at(-1);
  if (above === undefined) return undefined; // tags
  const isHeaders = areHeaders(list, above);
  return (index) => {
    const before = list[index - 1];
    if (typeof before !== 'string') return undefined;
    return (isHeaders && index % 2 === 1) || before.startsWith('--') ? before : undefined;
  };
};
const wellKnown = /^(?:host|accept|connection|user-agent|content-(?:type|length)|authorization|(?:set-)?cookie)$/i; // oxfmt-ignore
/** Names of columns in a list are none. */
const areHeaders = (list: readonly unknown[], above: string): boolean => {
  if (list.length === 0 || list.length % 2 === 1 || typeof list[0] !== 'string') return false;
  const names = list.filter((_, index) => index % 2 === 0);
  return (
    names.every((name) => typeof name === 'string' && /^[a-z][\w-]*$/i.test(name)) &&
    (/headers$/i.test(above) || names.some((name) => wellKnown.test(name as string)))
  );
};

/** A name and its value, as in a list of such. */
export const isPair = (value: unknown): value is readonly [string, unknown] =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === 'string';
