// What of an event is shown to who may not see what is personal. Nothing is taken out: a reader still sees that there was a
// name or a score, and that two names differ, but not which they were.

import ipaddr from 'ipaddr.js';
import { isPair, labelsIn, told, toldBeside } from './beside.ts';
import { isEventName } from './catalog.ts';
import { isServerId } from './complete.ts';
import { type Event, type FieldName, type InputName, fields, inputNames } from './fields.ts';
import { LARGE, isSuspect, replaceFound } from './find.ts';
import {
  type Decision,
  MARK,
  type Policy,
  decisionOf,
  isHash,
  isThing,
  strictest,
} from './privacy.ts';
import { type Change, changed } from './protect.ts';
import { type Keyed, cutText } from './text.ts';

/** A text is masked as a text, a number as null. */
export type Shown<T> = T extends number ? T | null : T;

export type Mask = {
  /** A field of an event, masked. It looks at the other fields too: what is masked there is masked in texts. */
  readonly field: <N extends FieldName>(event: Event, name: N) => Event[N];
  /** All of an event, masked. */
  readonly event: (event: Event) => Event;
  /** A value of a column alone, as a report has it. */
  readonly value: <T extends string | number | null>(name: InputName, value: T) => Shown<T>;
  /** A text of ours that may repeat what somebody sent; of a long one the beginning. */
  readonly text: (text: string) => string;
  /** The columns that who may not see what is personal may not ask about: the answer would tell what is masked. */
  readonly isHidden: (name: FieldName) => boolean;
  /** The same for a path into JSON, the column the first. */
  readonly isHiddenPath: (path: readonly string[]) => boolean;
};

/** The columns that say what is masked in the texts and the JSON of an event. */
export const telling = ['username', 'resourceType', 'resourceName', 'ipAddress', 'requestData', 'responseData', 'metadata'] as const satisfies readonly FieldName[]; // oxfmt-ignore

const HIDDEN = '***';
const ENDS_FROM = 4; // characters
const SHORTEST_NAME = 3;
const MOST_REPEATED = 1_000; // characters

/** The first and the last character, whatever the length. */
const endsOf = (text: string): string => {
  const characters = Array.from(text);
  return characters.length < ENDS_FROM ? HIDDEN : characters[0]! + HIDDEN + characters.at(-1)!;
};
/** The first three groups, of an IPv6 address as it is written out: `::` stands for any number of them. */
const networkOf = (address: string): string => {
  const bytes = /^(?:\d{1,3}\.){3}/.exec(address)?.[0];
  if (bytes !== undefined) return bytes + HIDDEN;
  if (!ipaddr.IPv6.isValid(address)) return HIDDEN;
  const groups = ipaddr.IPv6.parse(address).toNormalizedString().split(':');
  return `${groups.slice(0, 3).join(':')}:${HIDDEN}`;
};
const mark = new RegExp(`^${MARK}$`);
const isMark = (text: string): boolean => isHash(text) || mark.test(text);

const masked = (text: string, { rule, ends }: Pick<Decision, 'rule' | 'ends'>): string => {
  if (isMark(text) || text === '') return text;
  if (rule === 'address' || rule === 'ip_address') return networkOf(text);
  const [name, domain] = text.split('@');
  if (domain !== undefined && ends) return `${endsOf(name!)}@${domain}`;
  return ends ? endsOf(text) : HIDDEN;
};

const isMasked = ({ action }: Pick<Decision, 'action'>): boolean => action !== 'keep';

export const createMask = (policy: Policy): Mask => {
  const text = (value: string): string =>
    isSuspect(value, true) ? replaceFound(value, policy, isMasked, masked) : value;

  /** Texts without what is masked elsewhere in the event. */
  const textWithout = (parts: readonly string[]) => {
    const hide = hiding(parts);
    return (value: string) => text(isEventName(value) ? value : hide(value));
  };

  /** How texts within JSON are shown, and what was masked by its key. */
  type Way = { readonly show: (text: string) => string; readonly found: Set<string> };
  const leaf = (value: unknown, decision: Decision | undefined, { show, found }: Way): unknown => {
    const shown = String(value);
    if (decision && isMasked(decision)) {
      if (typeof value !== 'boolean' && decision.ends && shown.length >= SHORTEST_NAME)
        found.add(shown);
      return typeof value === 'string' ? masked(value, decision) : HIDDEN;
    }
    if (typeof value === 'string') return show(value);
    if (typeof value !== 'number' || Math.abs(value) < LARGE) return value;
    const made = text(shown);
    return made === shown ? value : made;
  };
  const json = (
    value: unknown,
    decision: Decision | undefined,
    parents: readonly string[],
    way: Way,
  ): unknown => {
    if (value === null) return null;
    if (typeof value !== 'object') return leaf(value, decision, way);
    if (Array.isArray(value)) {
      const labelOf = labelsIn(value, parents);
      const meant = (label: string | undefined) =>
        label === undefined ? decision : strictest(decision, policy.ofKey(label, parents));
      return value.map((item: unknown, index) =>
        isPair(item)
          ? [leaf(item[0], decision, way), json(item[1], meant(item[0]), parents, way)]
          : json(item, meant(labelOf?.(index)), parents, way),
      );
    }
    const inherited = decision?.scalar ? undefined : decision;
    const changes = Object.entries(value).map(([key, item]): Change => {
      const own = strictest(inherited, policy.ofKey(key, parents));
      const meant = strictest(own, toldBeside(value as Keyed, key, policy));
      return [key, way.show(key), json(item, meant, [...parents, key], way)];
    });
    return changed(value as Keyed, changes);
  };

  /** The JSON of an event, masked, and how its texts are shown. */
  type Whole = {
    readonly json: Partial<Record<FieldName, unknown>>;
    readonly show: Way['show'];
  };
  const known = new WeakMap<Event, Whole>();
  const wholeOf = (event: Event): Whole => {
    const before = known.get(event);
    if (before) return before;
    const found = new Set<string>();
    const jsonShown = (show: Way['show']): Whole['json'] =>
      Object.fromEntries(
        inputNames
          .filter((name) => fields[name].kind === 'json' && event[name] !== undefined)
          .map((name) => [name, json(event[name], undefined, [name], { show, found })]),
      );
    jsonShown((value) => value); // for what is found, which may stand before the place that tells it
    for (const name of ['username', 'resourceName', 'ipAddress'] as const) {
      const value = event[name];
      if (value && value.length >= SHORTEST_NAME && hides(event, name)) found.add(value);
    }
    const parts = [...found].filter((part) => !isMark(part));
    const show = textWithout(parts);
    const whole = { json: jsonShown(show), show };
    known.set(event, whole);
    return whole;
  };

  const hides = (event: Event, name: InputName): boolean =>
    policy.ofField(name) !== 'keep' && !(name === 'resourceName' && isThing(event.resourceType));
  const hiddenAs = (name: InputName, value: string): string =>
    masked(value, decisionOf(name, policy.ofField(name)));

  const field = (event: Event, name: FieldName): unknown => {
    const value = event[name];
    if (value === null || value === undefined) return value;
    const { kind, by } = fields[name];
    if (by === 'server') return value;
    if (kind === 'json') return wholeOf(event).json[name];
    if (hides(event, name as InputName)) {
      const hide = (shown: string): string => hiddenAs(name as InputName, shown);
      if (Array.isArray(value)) return value.map(hide);
      return typeof value === 'string' ? hide(value) : null;
    }
    // By these an event is counted and followed, in statistics too, where nothing is known of the rest of it.
    if (name === 'eventId' || name === 'resourceId')
      return isServerId(value as string) ? value : text(value as string);
    if (kind !== 'text' && kind !== 'tags') return value;
    const { show } = wholeOf(event);
    return typeof value === 'string' ? show(value) : (value as readonly string[]).map(show);
  };

  const hiddenFields = new Set<FieldName>(
    inputNames.filter(
      (name) =>
        policy.ofField(name) === 'mask' ||
        fields[name].kind === 'json' ||
        name === 'description' ||
        name === 'errorMessage',
    ),
  );
  return {
    field: field as Mask['field'],
    event: (event) =>
      Object.fromEntries(
        Object.keys(event).map((name) => [name, field(event, name as FieldName)]),
      ) as unknown as Event,
    value: (name, value) => {
      const isKept = policy.ofField(name) === 'keep';
      if (typeof value !== 'string') return (isKept ? value : null) as Shown<typeof value>;
      return (isKept ? text(value) : hiddenAs(name, value)) as Shown<typeof value>;
    },
    text: (value) => text(cutText(value, MOST_REPEATED)),
    isHidden: (name) => hiddenFields.has(name),
    isHiddenPath: (path) =>
      path.some((key, index) => {
        if (index === 0) return false;
        // What a value is may stand beside it, or before it in a list.
        if (told.has(key) || /^-?\d+$/.test(key)) return true;
        const decision = policy.ofKey(key, path.slice(0, index));
        return decision !== undefined && isMasked(decision);
      }),
  };
};

/** Letters and digits, as they are or, beyond ASCII, as an address has them; between words there may be other escapes. */
const word = /((?:[\p{L}\p{N}\p{M}]|%[c-f][\da-f](?:%[89ab][\da-f]){1,3})+)|%[\da-f]{2}/giu;
const read = (written: string): string => {
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
};
const wordOf = (written: string): string =>
  (written.includes('%') ? read(written) : written).normalize('NFC').toLowerCase();

/** What may stand between the words of a name, in a file or an address, is all the same. */
const gapOf = (between: string): string =>
  between === ' '
    ? '~'
    : between.replaceAll('%20', ' ').replaceAll(/(?<![\s_+.-])[\s_+.-]{1,3}(?![\s_+.-])/g, '~');

/** What is longer is sought in parts, so that to look at a text takes no more than so many steps a word. */
const MOST_WORDS = 16;

const FEW = 10;
/** What may be a letter in another form. */
const unlike = /[^\t\n\r -$&-~]/;

type Word = { readonly start: number; readonly end: number; readonly text: string };
const wordsIn = (text: string): Word[] => {
  const words: Word[] = [];
  for (const { index, 0: found, 1: written } of text.matchAll(word))
    if (written !== undefined)
      words.push({ start: index, end: index + found.length, text: wordOf(written) });
  return words;
};
/** A word that comes after another, with what is between them. */
const after = (text: string, one: Word, other: Word): string =>
  `${gapOf(text.slice(one.end, other.start))} ${other.text}`;

type Sought = { readonly next: Map<string, Sought>; ends: boolean };

/** How a text is shown without some others, where they are no part of a longer word. */
const hiding = (found: readonly string[]): ((text: string) => string) => {
  const root: Sought = { next: new Map(), ends: false };
  for (const part of found) {
    const words = wordsIn(part);
    if (words.length === 1 && words[0]!.end - words[0]!.start < SHORTEST_NAME) continue;
    let at = root;
    for (const [place, each] of words.entries()) {
      const isFirst = place % MOST_WORDS === 0;
      if (isFirst) [at.ends, at] = [at !== root, root];
      const step = isFirst ? each.text : after(part, words[place - 1]!, each);
      const next = at.next.get(step) ?? { next: new Map(), ends: false };
      at.next.set(step, next);
      at = next;
    }
    at.ends = at !== root;
  }
  const firsts = [...root.next.keys()];
  if (firsts.length === 0) return (text) => text;
  const hide = (text: string): string => (isAddress(text) ? networkOf(text) : endsOf(text));
  /** Most texts have none of a few words in them, which is seen sooner than their words are. */
  const hasNone = (text: string): boolean => {
    if (firsts.length > FEW || unlike.test(text)) return false;
    const lower = text.toLowerCase();
    return !firsts.some((first) => lower.includes(first));
  };
  return (text) => {
    if (hasNone(text)) return text;
    const words = wordsIn(text);
    const step = (from: Sought, place: number): Sought | undefined =>
      from.next.size > 0 && place < words.length
        ? from.next.get(after(text, words[place - 1]!, words[place]!))
        : undefined;
    let result = '';
    let done = 0;
    for (let first = 0; first < words.length; first++) {
      let last = -1;
      let at = root.next.get(words[first]!.text);
      for (let place = first; at; at = step(at, ++place)) if (at.ends) last = place;
      if (last < 0) continue;
      const [{ start }, { end }] = [words[first]!, words[last]!];
      result += text.slice(done, start) + hide(text.slice(start, end));
      done = end;
      first = last;
    }
    return done === 0 ? text : result + text.slice(done);
  };
};
const isAddress = (text: string): boolean => /^[\da-f:.]+$/i.test(text) && /[.:]/.test(text);
