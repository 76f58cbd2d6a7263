// From what a caller said to an event that can be stored: valid, complete from the catalog, in time. A bad optional value
// never costs the event: it is repaired or set aside in `metadata._original`, with a warning that names the
// field. Only what cannot be stored at all is refused, with a code and a reason.

import { randomBytes } from 'node:crypto';
import { type Definition, codeInId, definitionByName, definitionOf } from './catalog.ts';
import { bytesOf, cut, cutValues } from './cut.ts';
import {
  type Event,
  type EventInput,
  type InputName,
  MAX_JSON_BYTES,
  MAX_JSON_DEPTH,
  fieldNames,
  fields,
  inputNames,
} from './fields.ts';
import { isValid, repair } from './input.ts';
import { type Periods, daysKept, documentPeriods, isWithin } from './retention.ts';
import type { Hash } from './privacy.ts';
import { asKeyed, createNaming, cutText, isKeyed, mendJson, mendText } from './text.ts';
import { microsOf } from './time.ts';
import { type Category, type Severity, type Status, rankOf } from './vocabulary.ts';

export type Warning = { readonly field: string; readonly message: string };

/** Why an event was refused: stable codes, the same on every door. */
export const rejections = {
  MISSING_VALUE: 'A required value is missing or unknown and the catalog cannot supply it.',
  INVALID_ID: 'The eventId is not text of at most 50 printable characters.',
  TOO_LARGE: 'The JSON of the event is larger or more deeply nested than the stated limits.',
  EXPIRED: 'The timestamp is older than events of its severity or code are kept.',
  FORBIDDEN: 'The key may not log such an event: it is narrowed to others.',
  CONFLICT: 'The eventId is taken by an event with other content.',
  UNSTORABLE: 'The database refused the values of the event.',
} as const;
export type RejectionCode = keyof typeof rejections;
export type Rejection = {
  readonly code: RejectionCode;
  readonly reason: string;
  /** What was found and done before. */
  readonly warnings: readonly Warning[];
};

/** An event as it goes to the database, which adds its number and the time it was stored. */
export type Draft = Omit<Event, 'id' | 'createdAt' | 'updatedAt'>;

/** A complete event; `named` where the caller supplied the id, which makes the call idempotent. */
export type Prepared = {
  readonly draft: Draft;
  readonly named: boolean;
  readonly warnings: readonly Warning[];
  readonly supplied: EventInput;
  /** About how much memory it takes while it waits. */
  readonly bytes: number;
};

/** How far after the server's clock an event may be. */
export const AHEAD_MS = 5 * 60_000;
const KEPT_CHARACTERS = 2000;
const ORIGINAL_DEPTH = 2; // of a value in metadata._original
const BASE_BYTES = 1_000;
const KEPT_NAME_CHARACTERS = 100;

export const isRejection = (result: Prepared | Rejection): result is Rejection =>
  'reason' in result;

/** Completes one event; `now` is the server's clock, `hash` tells apart what is cut. Never throws, whatever the source is. */
export const complete = (
  source: unknown,
  now: Date,
  periods: Periods = documentPeriods,
  hash?: Hash,
): Prepared | Rejection => {
  const warnings: Warning[] = [];
  const refuse = (code: RejectionCode, reason: string): Rejection => ({ code, reason, warnings });
  if (!isKeyed(source))
    return refuse(
      'MISSING_VALUE',
      'An event is a JSON object with at least `code`, or `category`, `type` and `name`.',
    );

  const original = new Map<string, unknown>(); // not an object: a key may be `__proto__`
  let nameApart: ((name: string) => string) | undefined;
  const warn = (field: string, message: string): void => void warnings.push({ field, message });
  const setAside = (field: string, value: unknown, message: string): void => {
    const known = Object.hasOwn(fields, field);
    const name = known ? field : cutText(mendText(field), KEPT_NAME_CHARACTERS);
    // Two long names may be cut to one.
    if (!known) nameApart ??= createNaming((taken) => original.has(taken));
    const key = known ? fields[field as InputName].column : nameApart!(name);
    if (!original.has(key)) original.set(key, keep(value, hash)); // what was sent, not what a first repair made of it
    warn(name, message);
  };

  const input = mendInput(source, warn, setAside);
  if (isRefused(input)) return { ...input, warnings };

  const definition = definitionFor(input, setAside);
  const category = categoryFor(input, definition, setAside);
  const type = input.type || definition?.type;
  const name = input.name || definition?.name;
  if (!category || !type || !name)
    return refuse(
      'MISSING_VALUE',
      `${input.code && !definition ? '`code` is not in the catalog, and ' : ''}\`${!category ? 'category' : !type ? 'type' : 'name'}\` is missing or unknown; send \`code\`, or \`category\`, \`type\` and \`name\`.`,
    );
  for (const field of ['type', 'name', 'action'] as const)
    if (input[field] === '') warn(field, 'is empty and is taken as left out');
  if (definition && type !== definition.type)
    warn('type', `differs from ${definition.type}, the type of ${definition.code}`);

  const severity: Severity = input.severity ?? definition?.severity ?? 'INFO';
  if (definition && rankOf(severity) < rankOf(definition.severity))
    warn('severity', `is lower than ${definition.severity}, the severity of ${definition.code}`);

  const timestamp = timestampFor(input.timestamp, now, setAside);
  const code = definition?.code ?? null;
  if (!isWithin(periods, { severity, code, timestamp }, now))
    return refuse(
      'EXPIRED',
      `\`timestamp\` ${timestamp} is older than the ${daysKept(periods, { severity, code })} days that ${code !== null && periods.codes.has(code) ? code : severity} events are kept.`,
    );

  const bytes =
    jsonBytes(input.requestData) + jsonBytes(input.responseData) + jsonBytes(input.metadata);
  if (bytes > MAX_JSON_BYTES)
    return refuse(
      'TOO_LARGE',
      `\`requestData\`, \`responseData\` and \`metadata\` take ${bytes} bytes of JSON together; at most ${MAX_JSON_BYTES} are kept.`,
    );
  const asideBytes = original.size === 0 ? 0 : jsonBytes(Object.fromEntries(original));
  if (asideBytes > MAX_JSON_BYTES)
    return refuse(
      'TOO_LARGE',
      `What is not a valid field of an event takes ${asideBytes} bytes of JSON; at most ${MAX_JSON_BYTES} are kept.`,
    );

  const draft = { ...unset } as { -readonly [N in keyof Draft]: Draft[N] | null };
  for (const field of Object.keys(input) as InputName[])
    draft[field] = (input[field] ?? null) as never;
  draft.eventId ??= newEventId(definition?.code ?? category, timestamp);
  draft.code = code;
  draft.category = category;
  draft.type = type;
  draft.name = name;
  draft.action = input.action || definition?.action || defaulted('action', 'RECORD', warn);
  draft.status ??= definition?.status ?? defaulted('status', statusBySeverity[severity], warn);
  draft.timestamp = timestamp;
  if (original.size > 0) {
    const { metadata } = draft;
    if (metadata !== null && !isKeyed(metadata))
      warn('metadata', 'is no object and is kept as `value` beside `_original`');
    draft.metadata = withOriginal(metadata, original);
  }
  draft.severity = severity;
  return {
    draft: draft as Draft,
    named: input.eventId !== undefined && input.eventId !== null,
    warnings,
    supplied: input,
    bytes:
      BASE_BYTES + bytes + (draft.description?.length ?? 0) + (draft.errorMessage?.length ?? 0),
  };
};

/** One shape for all events, what the database adds included: to let each grow took 1 KB of memory. */
const unset = Object.fromEntries(fieldNames.map((name) => [name, null]));

type Warn = (field: string, message: string) => void;
type SetAside = (field: string, value: unknown, message: string) => void;
type Mended = { -readonly [N in keyof EventInput]: EventInput[N] };

type Fault = Omit<Rejection, 'warnings'>;

const isRefused = (input: Mended | Fault): input is Fault => 'reason' in input;

/** The input with every value valid: repaired, or set aside where it cannot be. */
const mendInput = (
  source: Record<string, unknown>,
  warn: Warn,
  setAside: SetAside,
): Mended | Fault => {
  let input = source;
  const replace = (name: string, value: unknown): void => {
    if (input === source) input = { ...source };
    input[name] = value;
  };
  for (const name of inputNames) {
    const value = source[name];
    if (value === null || value === undefined || isValid[name](value)) continue;
    const repaired = repair(name, value);
    if (repaired) {
      replace(name, repaired.value);
      if (repaired.warning === undefined) continue;
      if (fields[name].kind === 'json') warn(name, repaired.warning);
      else setAside(name, value, repaired.warning);
    } else if (name === 'eventId') {
      return {
        code: 'INVALID_ID',
        reason:
          '`eventId` must be text of 1 to 50 printable characters; leave it out and the server makes one.',
      };
    } else if (fields[name].kind === 'json') {
      return {
        code: 'TOO_LARGE',
        reason: `\`${name}\` is nested more than ${MAX_JSON_DEPTH} levels deep.`,
      };
    } else {
      replace(name, null);
      setAside(
        name,
        value,
        'is not valid and is taken as left out; the value is kept in metadata._original',
      );
    }
  }
  for (const key of Object.keys(source)) {
    if (Object.hasOwn(isValid, key)) continue;
    const value = source[key];
    if (value !== null && value !== undefined)
      setAside(key, value, 'is not a field of an event; kept in metadata._original');
    replace(key, undefined);
    delete input[key];
  }
  return input;
};

/** The catalog entry: by code, else recovered from a canonical event id or from category and exact name. */
const definitionFor = (input: Mended, setAside: SetAside): Definition | undefined => {
  if (input.code !== undefined && input.code !== null) {
    const definition = definitionOf(input.code);
    if (!definition)
      setAside('code', input.code, 'is not in the catalog; the event is kept without a code');
    return definition;
  }
  const byId = input.eventId ? definitionOf(codeInId(input.eventId) ?? '') : undefined;
  if (byId && (!input.category || input.category === byId.category)) return byId;
  return input.category && input.name ? definitionByName(input.category, input.name) : undefined;
};

const categoryFor = (
  input: Mended,
  definition: Definition | undefined,
  setAside: SetAside,
): Category | undefined => {
  if (definition && input.category && input.category !== definition.category)
    setAside(
      'category',
      input.category,
      `is replaced by ${definition.category}, the category of ${definition.code}`,
    );
  return definition?.category ?? input.category ?? undefined;
};

const timestampFor = (sent: string | null | undefined, now: Date, setAside: SetAside): string => {
  if (sent === undefined || sent === null) return now.toISOString();
  if (microsOf(sent) <= (now.getTime() + AHEAD_MS) * 1000) return sent;
  setAside(
    'timestamp',
    sent,
    'is more than 5 minutes ahead of the server and is replaced by its time',
  );
  return now.toISOString();
};

/** What an uncatalogued event without a status most likely was; stated in the field's description. */
const statusBySeverity = {
  DEBUG: 'SUCCESS',
  INFO: 'SUCCESS',
  WARNING: 'ALERT',
  ERROR: 'ERROR',
  CRITICAL: 'ALERT',
} as const satisfies Record<Severity, Status>;

const defaulted = <T extends string>(field: string, value: T, warn: Warn): T => {
  warn(field, `was left out and is not in the catalog; ${value} is assumed`);
  return value;
};

const jsonBytes = (value: unknown): number =>
  value === undefined || value === null ? 0 : bytesOf(value);

/** A value as it is kept beside the event: whole where it is short and may stand in metadata, else cut. */
export const keep = (value: unknown, hash?: Hash): unknown => {
  const { value: storable, tooDeep } = mendJson(value, ORIGINAL_DEPTH);
  if (typeof storable === 'string') {
    const kept = cutText(storable, KEPT_CHARACTERS);
    return kept === storable || !hash ? kept : `${kept} ${hash(storable)}`;
  }
  if (tooDeep) return cut(value, KEPT_CHARACTERS, hash);
  if (bytesOf(storable) <= KEPT_CHARACTERS) return storable;
  return cutValues(storable, KEPT_CHARACTERS, hash) ?? cut(storable, KEPT_CHARACTERS, hash);
};

const withOriginal = (metadata: unknown, original: ReadonlyMap<string, unknown>): unknown => {
  const { _original: theirs, ...rest } = asKeyed(metadata);
  let key = '_original'; // the caller may have one, and a field of that name too
  while (original.has(key)) key += '…';
  const kept = theirs === undefined ? original : [...original, [key, theirs] as const];
  return { ...rest, _original: Object.fromEntries(kept) };
};

// Crockford's alphabet; 16 digits are 80 random bits, so two servers never make the same id.
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
export const ID_TAIL = 16;

// Asking the system for a few random bytes at a time would cost as much as the rest of an id.
let pool = '';
let used = 0;
const newTail = (): string => {
  if (used === pool.length) {
    const digits = randomBytes(256 * ID_TAIL).map((byte) => DIGITS.charCodeAt(byte & 31));
    [pool, used] = [Buffer.from(digits).toString(), 0];
  }
  used += ID_TAIL;
  return pool.slice(used - ID_TAIL, used);
};

const newEventId = (head: string, timestamp: string): string =>
  canonicalId(head, timestamp, newTail());

/** `<head>-<yyyymmdd>-<hhmmss>-<tail>`, in UTC. */
export const canonicalId = (head: string, timestamp: string, tail: string): string =>
  `${head}-${timestamp.slice(0, 10).replaceAll('-', '')}-${timestamp.slice(11, 19).replaceAll(':', '')}-${tail}`;

/** Whether an id has the form that the server makes, so that an event may carry it without an entry in the guard. */
export const isServerId = (eventId: string): boolean =>
  /^[A-Z]+(-\d{3})?-\d{8}-\d{6}-[0-9a-hjkmnp-tv-z]{16}$/.test(eventId);
