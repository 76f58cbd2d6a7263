// A filter in terms of what is stored: its texts protected, mended and cut as those of events are.

import { type Field, type InputName, fields, inputNames } from '../events/fields.ts';
import { cutText, mendText } from '../events/text.ts';
import { refuseLarge } from './filter-size.ts';
import { type EventFilter, isFilterKey } from './filter.ts';

type StoredForms = (name: InputName, text: string) => readonly string[];

/** The filter with texts as they would have been stored: `storedForms` says how a text of a column was. */
export const storedFilter = (filter: EventFilter, storedForms: StoredForms): EventFilter => {
  refuseLarge(filter);
  return stored(filter, storedForms);
};

const stored = (filter: EventFilter, storedForms: StoredForms): EventFilter => {
  const valueOf = (key: string, value: unknown): unknown => {
    if (value === null || value === undefined) return value;
    if (key === 'and' || key === 'or')
      return (value as EventFilter[]).map((each) => stored(each, storedForms));
    if (key === 'not') return stored(value, storedForms);
    const name = textFields[key];
    return name
      ? (value as string[]).flatMap((text) =>
          storedForms(name, text).map((form) => cutFor(name, form)),
        )
      : value;
  };
  return Object.fromEntries(
    Object.entries(filter).map(([key, value]) => [key, valueOf(key, value)]),
  );
};

const cutFor = (name: InputName, text: string): string => {
  const { max }: Field = fields[name];
  return max === undefined ? text : cutText(mendText(text), max);
};

/** Keys whose values are texts of a column that a caller writes freely. */
const textFields: Readonly<Record<string, InputName>> = {
  ...Object.fromEntries(
    inputNames
      .filter((name) => fields[name].kind === 'text' && isFilterKey(name))
      .map((name) => [name, name]),
  ),
  tagsAny: 'tags',
  tagsAll: 'tags',
};
