// What an address asks, in UTF-8 to the letter as bodies are: URL itself puts U+FFFD for what is none.

import { JejakError } from '../errors.ts';

/** Throws BAD_USER_INPUT where what is escaped in it is not UTF-8, or one thing is said twice. */
export const parametersOf = (url: string): URLSearchParams => {
  try {
    for (const [escaped] of url.matchAll(/(?:%[\da-f]{2})+/gi)) decodeURIComponent(escaped);
  } catch (cause) {
    throw new JejakError('BAD_USER_INPUT', 'The address is not UTF-8.', { cause });
  }
  const { searchParams } = new URL(url, 'http://localhost');
  const names = new Set<string>();
  const twice = [...searchParams.keys()].find((name) => names.size === names.add(name).size);
  if (twice !== undefined)
    throw new JejakError('BAD_USER_INPUT', `\`${twice.slice(0, 50)}\` is given twice.`);
  return searchParams;
};
