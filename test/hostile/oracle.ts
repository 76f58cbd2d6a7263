// What the log promises of any event at all: what is stored equals what was sent, except in fields that a warning names.

import { type Event, type InputName, fields, inputNames } from '../../src/events/fields.ts';
import { parseInstant } from '../../src/events/time.ts';

export type Sent = Readonly<Record<string, unknown>>;
export type Warning = { readonly field: string; readonly message: string };

/** An event as its GraphQL reader gets it; every field a caller may supply, and what tells that it is the same row. */
export const selection = `id createdAt ${inputNames.join(' ')}`;

/** What differs although no warning says so: a line for each field. `sent` is under the API's names. */
export const unwarned = (
  sent: Sent,
  stored: Partial<Event>,
  warnings: readonly Warning[],
): string[] => {
  const warned = new Set(warnings.map(({ field }) => field));
  return inputNames
    .filter((name) => !warned.has(name) && !leftOut(name, sent[name]))
    .filter((name) => canonical(name, sent[name], sent) !== canonical(name, stored[name], sent))
    .map((name) => `${name}: ${text(sent[name])} became ${text(stored[name])}`);
};

/** The fields that a warning says are kept in metadata, and that are not there: short texts to the letter. */
export const lost = (
  sent: Sent,
  stored: Partial<Event>,
  warnings: readonly Warning[],
): string[] => {
  const { _original: kept } = (stored.metadata ?? {}) as { _original?: Sent };
  return warnings
    .filter(({ message }) => message.includes('kept in metadata._original'))
    .map(({ field }) => field)
    .filter((field) => {
      const key = Object.hasOwn(fields, field) ? fields[field as InputName].column : field;
      if (!kept || !(Object.hasOwn(kept, key) || Object.hasOwn(kept, `${key} `))) return true;
      const value = sent[field];
      return typeof value === 'string' && /^[\w .:]{1,100}$/.test(value) && kept[key] !== value;
    });
};

/** What names an event is completed from the catalog where it is empty. */
const leftOut = (name: InputName, value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (value === '' && (name === 'type' || name === 'name' || name === 'action'));

const canonical = (name: InputName, value: unknown, sent: Sent): string => {
  const { kind } = fields[name];
  if (kind === 'time' && typeof value === 'string')
    return parseInstant(value.trim())?.text ?? `no instant: ${value}`;
  if (kind === 'address') return address(value);
  // Only the hash of it is stored.
  if (name === 'sessionId') return value === null || value === '' ? text(value) : 'a session';
  if (name === 'metadata') return text(withoutOriginal(value, sent));
  return text(value);
};

/** The same address may be written in many ways; the URL parser knows them. */
const address = (value: unknown): string => {
  const written = String(value).trim();
  return written.includes(':') ? new URL(`http://[${written}]`).hostname : written;
};

/** Metadata as it was sent: what a repair of another field put beside it is taken away, and what it moved is put back. */
const withoutOriginal = (stored: unknown, { metadata: sent, ...fieldsSent }: Sent): unknown => {
  if (stored === sent || text(stored) === text(sent) || !isObject(stored)) return stored;
  const { _original: original, ...rest } = stored;
  if (!isObject(original)) return stored;
  if (!isObject(sent)) return sent === undefined || sent === null ? null : rest['value'];
  const moved = original[Object.hasOwn(fieldsSent, '_original') ? '_original…' : '_original'];
  return moved === undefined ? rest : { ...rest, _original: moved };
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON with the keys of every object in order, so that two texts are alike where the values are. */
export const text = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(text).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return `{${entries
    .map(([key, each]) => `${JSON.stringify(key)}:${text(each)}`)
    .toSorted()
    .join(',')}}`;
};

/** An event under the names of the REST door. */
export const asColumns = (sent: Sent): Sent =>
  Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [
      Object.hasOwn(fields, name) ? fields[name as InputName].column : name,
      value,
    ]),
  );

/** A row, or a warning's field, under the names of the API. */
export const asNames = (row: Sent): Sent =>
  Object.fromEntries(inputNames.map((name) => [name, row[fields[name].column]]));
export const nameOf = (column: string): string =>
  inputNames.find((name) => fields[name].column === column) ?? column;
