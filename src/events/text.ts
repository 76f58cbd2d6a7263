// Text and JSON that PostgreSQL can hold as it was sent, and what to do with what it cannot: NUL, lone surrogates,
// numbers that would unfold to hundreds of digits, nesting without end.

import { MAX_JSON_DEPTH } from './fields.ts';
import { WrittenNumber } from './number.ts';

/** An object of JSON, no list. */
export type Keyed = Readonly<Record<string, unknown>>;
export const isKeyed = (value: unknown): value is Keyed =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof WrittenNumber);

/** The same as an object to which something can be added: what is none is its `value`. */
export const asKeyed = (value: unknown): Keyed =>
  isKeyed(value) ? value : value === null || value === undefined ? {} : { value };

const storable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** The text with U+0000 and lone surrogates replaced by U+FFFD; the same text where there are none. */
export const mendText = (text: string): string =>
  storable(text) ? text : text.toWellFormed().replaceAll('\0', '\uFFFD');

/** The first `max` characters (as PostgreSQL counts them, by code point), the last of them a mark where something was cut. */
export const cutText = (text: string, max: number): string => {
  if (text.length <= max) return text;
  const characters = Array.from(text.slice(0, max * 2 + 2));
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
};

/** Makes names that are not taken: the name itself, or it with a mark and a number. It goes on from the last number of each name,
 * so that thousands of one name take no longer than others. */
export const createNaming = (isTaken: (name: string) => boolean): ((name: string) => string) => {
  const counts = new Map<string, number>();
  return (name) => {
    let count = counts.get(name) ?? 0;
    let free = name;
    while (isTaken(free)) free = `${name}…${++count === 1 ? '' : count}`;
    counts.set(name, count);
    return free;
  };
};

/** Beyond this magnitude jsonb unfolds a number such as 1e308 into its digits. */
const hugeNumber = (value: number): boolean =>
  value !== 0 && (Math.abs(value) > 1e64 || Math.abs(value) < 1e-64);

/** A number that compares with all that are stored as the given one does, and that jsonb unfolds to few digits. */
export const boundNumber = (value: number): number => {
  if (!hugeNumber(value)) return value;
  return Math.sign(value) * (Math.abs(value) > 1 ? 1e65 : 1e-65);
};

/** Whether a JSON value can be stored as it is. */
export const isStorableJson = (value: unknown, depth = 0): boolean => {
  if (typeof value === 'string') return storable(value);
  if (typeof value === 'number') return Number.isFinite(value) && !hugeNumber(value);
  if (typeof value === 'boolean' || value === null) return true;
  if (typeof value !== 'object' || depth >= MAX_JSON_DEPTH) return false;
  if (value instanceof WrittenNumber) return false;
  if (Array.isArray(value)) return value.every((item) => isStorableJson(item, depth + 1));
  const object = value as Record<string, unknown>;
  return Object.keys(object).every(
    (key) => storable(key) && isStorableJson(object[key], depth + 1),
  );
};

/** A JSON value as it can be stored `depth` levels down, copied only where something in it had to be mended. */
export const mendJson = (source: unknown, depth = 0): { value: unknown; tooDeep: boolean } => {
  let tooDeep = false;
  const mend = (value: unknown, level: number): unknown => {
    switch (typeof value) {
      case 'string':
        return mendText(value);
      case 'number':
        return !Number.isFinite(value) || hugeNumber(value) ? String(value) : value;
      case 'object':
        if (value === null) return null;
        if (value instanceof WrittenNumber) return value.text;
        if (level >= MAX_JSON_DEPTH) {
          tooDeep = true;
          return null;
        }
        return Array.isArray(value) ? mendItems(value, level) : mendObject(value, level);
      case 'bigint':
      case 'function':
      case 'symbol': // no JSON text holds these, but a caller within the process might
        return String(value);
      default:
        return value;
    }
  };
  const mendItems = (items: unknown[], level: number): unknown[] => {
    const copy = items.map((item) => mend(item, level + 1));
    return copy.some((item, index) => item !== items[index]) ? copy : items;
  };
  const mendObject = (object: object, level: number): object => {
    const before = Object.entries(object);
    const after = before.map(([key, value]) => [mendText(key), mend(value, level + 1)] as const);
    const same = after.every(
      ([key, value], index) => key === before[index]![0] && value === before[index]![1],
    );
    return same ? object : Object.fromEntries(after);
  };
  return { value: mend(source, depth), tooDeep };
};
