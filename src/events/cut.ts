// What is too large to be kept whole, cut. Of a text there is the beginning, of a list or an object only how large it was: in
// a text that is made of it no key would say what is to be masked. A hash tells it from others that are cut to the same; a
// keyed one, or what it was could be found out by trying.

import type { Hash } from './privacy.ts';
import { isKeyed } from './text.ts';

const jsonOf = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    return 'null'; // thousands of levels deep
  }
};

/** How many bytes a value takes as JSON. */
export const bytesOf = (value: unknown): number => Buffer.byteLength(jsonOf(value));

/** In at most so many bytes of JSON. */
export const cut = (value: unknown, most: number, hash?: Hash): string => {
  const json = jsonOf(value);
  const mark = `…${hash ? ` ${hash(json)}` : ''}`;
  if (typeof value !== 'string') return `${Buffer.byteLength(json)} bytes${mark}`;
  let beginning = value.slice(0, most - bytesOf(mark));
  while (bytesOf(beginning + mark) > most) beginning = beginning.slice(0, (beginning.length * 3) / 4); // oxfmt-ignore
  return beginning.slice(0, endOf(beginning)).toWellFormed() + mark;
};

/** No name, number or address in one word has more characters. */
const LONGEST_WORD = 200;

/** Where it ends without its last word and number: halved, such as an address, they are no more recognised. */
const endOf = (beginning: string): number => {
  let end = beginning.length;
  while (end > 0 && !/\s/.test(beginning[end - 1]!)) end--;
  if (beginning.length - end > LONGEST_WORD) return beginning.length;
  while (end > 0 && /[\s\d.+-]/.test(beginning[end - 1]!)) end--;
  return end;
};

const SMALLEST = 1 / 16; // of the whole

/** The object in at most so many bytes, with the largest of its values cut; undefined where that is not enough, or it is none. */
export const cutValues = (source: unknown, most: number, hash?: Hash): object | undefined => {
  if (!isKeyed(source)) return undefined;
  const least = most * SMALLEST;
  const sizes = Object.entries(source).map(([name, value]) => [name, value, bytesOf(value)] as const); // oxfmt-ignore
  const values = new Map<string, unknown>(Object.entries(source));
  let bytes = bytesOf(source);
  for (const [name, value, size] of sizes.toSorted(([, , a], [, , b]) => b - a)) {
    if (bytes <= most || size <= least) break;
    const rest = cut(value, least, hash);
    values.set(name, rest);
    bytes += bytesOf(rest) - size;
  }
  return bytes <= most ? Object.fromEntries(values) : undefined;
};
