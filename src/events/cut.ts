// What is too large to be kept whole, cut. Of a text there is the beginning, of a list or an object only how large it was: in
// a text that is made of it no key would say what is to be masked.

/** How many bytes a value takes as JSON. */
export const bytesOf = (value: unknown): number =>
  Buffer.byteLength(JSON.stringify(value) ?? 'null');

/** In at most so many bytes of JSON. */
export const cut = (value: unknown, most: number): string => {
  if (typeof value !== 'string') return `${bytesOf(value)} bytes…`;
  let beginning = value.slice(0, most);
  while (bytesOf(`${beginning}…`) > most) beginning = beginning.slice(0, (beginning.length * 3) / 4); // oxfmt-ignore
  return `${beginning.toWellFormed()}…`;
};

const SMALLEST = 1 / 16; // of the whole

/** The object in at most so many bytes, with the largest of its values cut; undefined where that is not enough, or it is none. */
export const cutValues = (source: unknown, most: number): object | undefined => {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) return undefined;
  const least = most * SMALLEST;
  const sizes = Object.entries(source).map(([name, value]) => [name, value, bytesOf(value)] as const); // oxfmt-ignore
  const values = new Map<string, unknown>(Object.entries(source));
  let bytes = bytesOf(source);
  for (const [name, value, size] of sizes.toSorted(([, , a], [, , b]) => b - a)) {
    if (bytes <= most || size <= least) break;
    const rest = cut(value, least);
    values.set(name, rest);
    bytes += bytesOf(rest) - size;
  }
  return bytes <= most ? Object.fromEntries(values) : undefined;
};
