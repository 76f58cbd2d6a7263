// Protects what a caller sent, before anything else is done with it: what the policy drops is replaced by a mark, what it
// hashes by a keyed hash, wherever in the event it stands. What is masked is stored as it is; see `mask.ts`.

import { isPair, labelsIn, toldBeside } from './beside.ts';
import { ID_TAIL, type Warning, isServerId } from './complete.ts';
import { type InputName, MAX_JSON_DEPTH, fields, inputNames } from './fields.ts';
import { LARGE, type Replace, isSuspect, replaceFound } from './find.ts';
import { WrittenNumber } from './number.ts';
import { type Keyed, createNaming, isKeyed } from './text.ts';
import { type Decision, type Hash, MARK, type Policy, decisionOf, isHash, markOf, remember, removes, strictest } from './privacy.ts'; // oxfmt-ignore

export type Protected = { readonly source: unknown; readonly warnings: readonly Warning[] };

export type Protection = {
  /** What of an event may be looked at any further. Never throws, whatever the source is, and copies only what it changes.
   * `again` leaves hashes as they are, for what was protected before; otherwise who sends one has it hashed like anything. */
  readonly protect: (source: unknown, again?: boolean) => Protected;
  /** The values of a column under which one may be stored: protected as it would be, and as it is where it is a hash. */
  readonly storedForms: (name: InputName, value: string) => readonly string[];
};

type Column = {
  readonly decision: Decision | undefined; // where it takes the whole value away
  readonly isJson: boolean;
  readonly plain: RegExp | undefined;
  readonly identity: readonly string[] | undefined;
  readonly recurs: boolean;
};

/** Columns that tell things apart: one in which something is found is hashed whole, so that it still does. Besides what is
 * dropped or hashed, that is what these rules find, where the column is for everybody. */
const identities: Readonly<Partial<Record<InputName, readonly string[]>>> = {
  eventId: ['email', 'phone'],
  resourceId: ['email', 'phone'],
  username: [],
};

/** What is nothing but what the column is for is not looked at any further. */
const plain: Readonly<Partial<Record<InputName, RegExp>>> = {
  timestamp: /^\d{4}-\d\d-\d\d[T ][\d:.]{5,18}(?:Z|[+-]\d\d:?\d\d)?$/,
  ipAddress: /^\d{1,3}(?:\.\d{1,3}){3}$/,
};

/** The same come again and again, so that what is nothing to us is remembered. */
const recurring: ReadonlySet<InputName> = new Set(['type', 'name', 'userAgent', 'endpoint']);

const NOTHING: readonly Warning[] = [];
const AT_TOP: readonly string[] = [];

export const createProtection = (policy: Policy, hash: Hash): Protection => {
  const wide = (['phone', 'address', 'name'] as const).some((rule) => removes(policy.ofRule(rule)));
  const columns = new Map(inputNames.map((name) => [name as string, columnOf(policy, name)]));

  const sessionsAreHashed = policy.ofField('sessionId') === 'hash';

  // Of the event that is being protected.
  let field = '';
  let again = false;
  let session: string | undefined;
  let noted: Map<string, Set<string>> | undefined;
  let removed: Map<string, string> | undefined;

  const note = (inPlace: string): void => {
    noted ??= new Map();
    noted.set(inPlace, (noted.get(inPlace) ?? new Set()).add(field));
  };
  const hashed = (found: string): string => {
    note('a hash');
    return hash(found);
  };

  const replace: Replace = (found, decision) => {
    if (decision.action === 'hash') return again && isHash(found) ? found : hashed(found);
    const mark = markOf(decision.rule);
    if (found === mark) return found;
    note(mark);
    if (isTelling(found)) (removed ??= new Map()).set(found, mark);
    return mark;
  };

  const text = (value: string): string => {
    const own =
      session !== undefined && value.length >= session.length && value.includes(session)
        ? value.replaceAll(session, () => hashed(session!))
        : value;
    return isSuspect(own, wide) ? replaceFound(own, policy, removes, replace) : own;
  };
  const identity = (value: string, rules: readonly string[]): string => {
    if (!isSuspect(value, true)) return value;
    const counts = (of: Decision): boolean => removes(of) || rules.includes(of.rule);
    const own = isServerId(value) ? value.slice(-ID_TAIL) : value; // its date and time are no number of anybody
    const isFound = replaceFound(own, policy, counts, () => '') !== own;
    return isFound ? headOf(value) + hashed(value) : value;
  };
  const isPlain = remember(
    (key) => !isSuspect(key, wide) || replaceFound(key, policy, removes, () => '') === key,
  );
  const recurringText = (given: string): string =>
    isPlain(given) && (session === undefined || !given.includes(session)) ? given : text(given);

  const scalar = (value: unknown, shown: string, decision: Decision | undefined): unknown => {
    const replaced = decision && removes(decision) ? replace(shown, decision) : shown;
    const result = replaced === shown ? text(shown) : replaced;
    return result === shown ? value : result;
  };

  const value = (
    given: unknown,
    decision: Decision | undefined,
    parents: readonly string[],
    level: number,
  ): unknown => {
    if (typeof given === 'string') return given === '' ? given : scalar(given, given, decision);
    if (typeof given === 'number')
      return decision || Math.abs(given) > LARGE ? scalar(given, String(given), decision) : given;
    if (typeof given !== 'object' || given === null) return given;
    if (given instanceof WrittenNumber) return scalar(given, given.text, decision);
    if (decision?.action === 'drop') return replace('', decision);
    // What is nested deeper is refused, and need only show that it is: a list is one level more.
    if (level >= MAX_JSON_DEPTH) return ['…'];
    return Array.isArray(given)
      ? items(given, decision, parents, level)
      : object(given as Keyed, decision, parents, level);
  };

  const items = (
    given: readonly unknown[],
    decision: Decision | undefined,
    parents: readonly string[],
    level: number,
  ): readonly unknown[] => {
    const labelOf = labelsIn(given, parents);
    const made = given.map((item, index) => {
      if (!isPair(item)) {
        const label = labelOf?.(index);
        const meant = label === undefined ? decision : strictest(decision, policy.ofKey(label, parents)); // oxfmt-ignore
        return value(item, meant, parents, level + 1);
      }
      const [key, paired] = item;
      const safe = value(paired, strictest(decision, policy.ofKey(key, parents)), parents, level + 2); // oxfmt-ignore
      const first = decision ? scalar(key, key, decision) : recurringText(key);
      return safe === paired && first === key ? item : [first, safe];
    });
    return made.some((item, index) => item !== given[index]) ? made : given;
  };

  const object = (
    given: Keyed,
    decision: Decision | undefined,
    parents: readonly string[],
    level: number,
  ): Keyed => {
    const inherited = decision?.scalar ? undefined : decision;
    let changes: Change[] | undefined;
    for (const key of Object.keys(given)) {
      const item = given[key];
      const own = strictest(inherited, policy.ofKey(key, parents));
      const meant = strictest(own, toldBeside(given, key, policy));
      const path = typeof item === 'object' && item !== null ? [...parents, key] : parents;
      const made = value(item, meant, path, level + 1);
      const name = recurringText(key);
      if (made !== item || name !== key) (changes ??= []).push([key, name, made]);
    }
    return changes ? changed(given, changes) : given;
  };

  const column = (name: string, given: unknown, of: Column): unknown => {
    if (of.isJson) return value(given, undefined, [name], 0);
    if (of.decision?.action === 'hash' && typeof given === 'string')
      return given === '' || (again && isHash(given)) ? given : hash(given); // as its field says
    if (typeof given !== 'string' || of.decision) return value(given, of.decision, AT_TOP, 0);
    if (of.plain?.test(given)) return given;
    if (of.identity) return identity(given, of.identity);
    return of.recurs ? recurringText(given) : text(given);
  };

  const event = (source: Keyed): Keyed => {
    let changes: Change[] | undefined;
    for (const key of Object.keys(source)) {
      const given = source[key];
      if (given === null || given === undefined) continue;
      const of = columns.get(key);
      const name = of ? key : recurringText(key);
      field = name;
      const made = of ? column(key, given, of) : value(given, policy.ofKey(key, AT_TOP), AT_TOP, 0);
      if (made !== given || name !== key) (changes ??= []).push([key, name, made]);
    }
    return changes ? changed(source, changes) : source;
  };

  const protect: Protection['protect'] = (source, isAgain = false) => {
    [field, again] = ['event', isAgain];
    noted = removed = session = undefined;
    const safe = isKeyed(source) ? whole(source) : value(source, undefined, AT_TOP, 0);
    return { source: safe, warnings: noted ? warningsOf(noted) : NOTHING };
  };

  const whole = (source: Keyed): Keyed => {
    const ownSession = source['sessionId'];
    if (sessionsAreHashed && isTelling(ownSession) && !(again && isHash(ownSession)))
      session = ownSession;
    const once = event(source);
    return removed ? withoutEverywhere(once, removed) : once;
  };

  /** What was dropped in one place is dropped from the texts of the others too. */
  const withoutEverywhere = (once: Keyed, found: ReadonlyMap<string, string>): Keyed => {
    const safe = without(once, found) as Keyed;
    if (safe !== once)
      for (const [index, key] of Object.keys(once).entries()) {
        field = Object.keys(safe)[index]!;
        if (safe[field] !== once[key]) note([...found.values()][0]!);
      }
    return safe;
  };

  return {
    protect,
    storedForms: (name, given) => {
      const stored = (protect({ [name]: given }).source as Keyed)[name];
      if (typeof stored !== 'string') return [given];
      return isHash(given) && stored !== given ? [stored, given] : [stored];
    },
  };
};

const columnOf = (policy: Policy, name: InputName): Column => {
  const { kind } = fields[name];
  const decision = decisionOf(name, policy.ofField(name));
  return {
    decision: removes(decision) ? decision : undefined,
    isJson: kind === 'json',
    plain: plain[name],
    identity: identities[name],
    recurs: recurring.has(name),
  };
};

const warningsOf = (noted: ReadonlyMap<string, ReadonlySet<string>>): Warning[] =>
  [...noted].flatMap(([inPlace, names]) =>
    [...names].map((field) => ({
      field,
      message: `held what is not stored; ${inPlace} stands in its place`,
    })),
  );

/** Whether it stands in no text by chance, as `undefined` may. */
const isTelling = (value: unknown): value is string =>
  typeof value === 'string' && (value.length >= 16 || (value.length >= 8 && /\d/.test(value)));

/** What the server reads in an id stays legible. */
const headOf = (value: string): string => /^[A-Z]+-\d{3}-/.exec(value)?.[0] ?? '';

export type Change = readonly [key: string, name: string, value: unknown];

/** The object with some values changed, in its order; a key that is renamed gets a name that no other has. */
export const changed = (object: Keyed, changes: readonly Change[]): Keyed => {
  if (changes.every(([key, name]) => key === name && key !== '__proto__')) {
    const copy: Record<string, unknown> = { ...object };
    for (const [key, , value] of changes) copy[key] = value;
    return copy;
  }
  const byKey = new Map(changes.map((change) => [change[0], change]));
  const taken = new Set(Object.keys(object));
  const nameApart = createNaming((name) => taken.has(name));
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      const change = byKey.get(key);
      if (!change || change[1] === key) return [key, change ? change[2] : value];
      const name = nameApart(change[1]);
      taken.add(name);
      return [name, change[2]];
    }),
  );
};

const marks = new RegExp(`(${MARK})`);
/** Whether something in it was dropped, so that it may have been the same text or another. */
export const isMarked = (text: string): boolean => marks.test(text);

/** Of more, which no event that can be stored holds by chance, only whole words are sought: each one takes a look at everything. */
const MOST_SOUGHT = 100;
const betweenWords = /([\s"'`<>,;:&=?/(){}[\]|\\]+)/;

const without = (source: unknown, removed: ReadonlyMap<string, string>): unknown => {
  const clean = (text: string): string => {
    if (removed.size > MOST_SOUGHT)
      return text
        .split(betweenWords)
        .map((word) => removed.get(word) ?? word)
        .join('');
    let result = text;
    for (const [found, mark] of removed)
      if (result.includes(found))
        result = result
          .split(marks)
          .map((part, index) => (index % 2 === 0 ? part.replaceAll(found, () => mark) : part))
          .join('');
    return result;
  };
  const look = (value: unknown): unknown => {
    if (typeof value === 'string') return clean(value);
    if (typeof value !== 'object' || value === null || value instanceof WrittenNumber) return value;
    if (Array.isArray(value)) {
      const made = value.map(look);
      return made.some((item, index) => item !== value[index]) ? made : value;
    }
    const changes = Object.entries(value)
      .map(([key, item]): Change => [key, clean(key), look(item)])
      .filter(([key, name, made]) => key !== name || made !== (value as Keyed)[key]);
    return changes.length > 0 ? changed(value as Keyed, changes) : value;
  };
  return look(source);
};
