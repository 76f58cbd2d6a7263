// What an address asks, in UTF-8 to the letter as bodies are: URL itself puts U+FFFD for what is none.

import { JejakError } from '../errors.ts';

/** Throws BAD_USER_INPUT where what is escaped in it is not UTF-8. */
export const parametersOf = (url: string): URLSearchParams => {
  try {
    for (const [escaped] of url.matchAll(/(?:%[\da-f]{2})+/gi)) decodeURIComponent(escaped);
  } catch (cause) {
    throw new JejakError('BAD_USER_INPUT', 'The address is not UTF-8.', { cause });
  }
  return new URL(url, 'http://localhost').searchParams;
};
