// Searching in words: which words an event has, and which of them a search finds. drizzle/0009_questions.sql and
// 0020_search_likeness.sql say the same to PostgreSQL; a test holds both equal.

import type { Event } from '../events/fields.ts';
import { mendText } from '../events/text.ts';

/** So much of a description and of an error message is looked at, in characters. */
export const SEARCHED_CHARACTERS = 500;
export const MAX_WORDS = 10;

const accented = 'ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖØòóôõöøÙÚÛÜùúûüÝýÿ';
const plain = 'aaaaaaaaaaaacceeeeeeeeiiiiiiiinnoooooooooooouuuuuuuuyyy';
const unaccented = new Map(Array.from(accented, (letter, place) => [letter, plain[place]!]));

/** Text as it is compared: ASCII in lower case, accents of Latin letters gone, what stands between words a blank. */
const fold = (text: string): string =>
  text
    .replaceAll(
      /[A-Z\u0080-\u00FF]/g,
      (letter) => unaccented.get(letter) ?? (letter < 'a' ? letter.toLowerCase() : letter),
    )
    .replaceAll(/[.,;:'"()/\-_=\n\r\t]/g, ' ');

/** The words of a resource's name that a misspelt one is compared with. */
export const namesIn = (name: string): string[] => wordsIn(fold(name)).filter(isName);

const isName = (word: string): boolean => /^[a-z]{3,40}$/.test(word);

const wordsIn = (folded: string): string[] => folded.split(' ').filter((word) => word !== '');

/** The words of a search: as PostgreSQL is given them, each with "=" before it where it stood in quotation marks. */
export const wordsOf = (search: string): string[] =>
  mendText(search)
    .split('"')
    .flatMap((part, place) =>
      wordsIn(fold(part)).map((word) => (place % 2 === 1 ? `=${word}` : word)),
    );

type Searched = Pick<Event, 'name' | 'description' | 'errorMessage' | 'resourceName'>;
export const searchedFields = ['name', 'description', 'errorMessage', 'resourceName'] as const;

/** Whether each of the words is found in an event. */
export const searchTest = (words: readonly string[]): ((event: Searched) => boolean) => {
  const finders = words.map(finderOf);
  return ({ name, description, errorMessage, resourceName }) => {
    const names = wordsIn(fold(resourceName ?? ''));
    const texts = [name, beginningOf(description), beginningOf(errorMessage)];
    const all = [...wordsIn(fold(texts.join(' '))), ...names];
    return finders.every((finds) => finds(all, names));
  };
};

const beginningOf = (text: string | null): string =>
  text === null || text.length <= SEARCHED_CHARACTERS
    ? (text ?? '')
    : Array.from(text.slice(0, 2 * SEARCHED_CHARACTERS))
        .slice(0, SEARCHED_CHARACTERS)
        .join('');

const finderOf = (
  wanted: string,
): ((all: readonly string[], names: readonly string[]) => boolean) => {
  if (wanted.startsWith('=')) return (all) => all.includes(wanted.slice(1));
  const isLike = /^[a-z]{4,40}$/.test(wanted) ? likeness(wanted) : () => false;
  return (all, names) => all.some((word) => word.startsWith(wanted)) || names.some(isLike);
};

/** Whether a word of 3 to 40 letters shares a third of all trigrams of both. */
const likeness = (wanted: string): ((name: string) => boolean) => {
  const own = trigramsOf(wanted);
  return (name) => {
    if (!isName(name)) return false;
    const its = trigramsOf(name);
    return 4 * its.intersection(own).size >= its.size + own.size;
  };
};

/** As pg_trgm makes them: the groups of three letters of the word with two blanks before it and one after it. */
const trigramsOf = (word: string): Set<string> =>
  new Set(
    Array.from({ length: word.length + 1 }, (_, place) => `  ${word} `.slice(place, place + 3)),
  );
