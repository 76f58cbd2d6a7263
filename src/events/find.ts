// What can be told to be personal or secret in free text: by its form, such as a number of 16 digits, or by the label before
// it, such as `password=`. Which rule it falls under decides what becomes of it.

import { isIPv6 } from 'node:net';
import { isEventName } from './catalog.ts';
import type { Decision, Policy, RuleName } from './privacy.ts';

export type Wants = (decision: Decision) => boolean;
/** What stands in the place of something that was found. */
export type Replace = (found: string, decision: Decision) => string;

type Form = {
  readonly rule: RuleName;
  readonly form: RegExp;
  readonly holds?: (found: string) => boolean;
};

/** A number from here on may be one of somebody, of a telephone or a card, and is looked at as text is. */
export const LARGE = 1e9;

const digitsOf = (text: string): string => text.replaceAll(/\D/g, '');

/** The check digit of payment cards. */
const isLuhn = (found: string): boolean => {
  const digits = Array.from(digitsOf(found), Number).toReversed();
  const sum = digits.reduce((total, digit, index) => {
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
};

// Of the provinces that there are. What could be microseconds since 1970 must have a date of birth in it.
const province = /^(?:1[1-9]|2[01]|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-7])/;
const microseconds = /^1[5-9]/;
const bornInIt = /^\d{6}(?:[04][1-9]|[1256]\d|[37][01])(?:0[1-9]|1[0-2])/;
const isNik = (found: string): boolean => {
  const digits = digitsOf(found);
  return province.test(digits) && (!microseconds.test(digits) || bornInIt.test(digits));
};

// Of eight groups of two digits it is the address of a device; without a digit, or shorter, a name in C++ or a part of a list.
const twos = /^(?:[\da-f]{2}:){7}[\da-f]{2}$/i;
const isLikely = /^::.*\d|^(?=.{7}).*(?:\d|[a-f]:[a-f])/i;
const isIpv6 = (found: string): boolean =>
  isIPv6(found) && isLikely.test(found) && !twos.test(found);

// The strictest first: what was replaced is not found again. A part of a longer number is none of these.
// oxfmt-ignore
const forms: readonly Form[] = [
  { rule: 'secret', form: /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g },
  // A JWT. What it may begin in is looked at once, as a whole: each "eyJ" in it would be followed to its end.
  { rule: 'secret', form: /(?<![\w-])(?=[\w-]{9,}\.[\w-]{4})[\w-]*?\beyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?/g },
  { rule: 'secret', form: /(?<=\bBearer\s{1,3})(?=\S*\d)[\w.~+/=-]{8,}/gi },
  { rule: 'secret', form: /(?<=\bBasic\s{1,3})[A-Za-z\d+/]{8,}={1,2}/g },
  { rule: 'secret', form: /\b(?:jejak_[\w-]{20,}|gh[pousr]_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AKIA[A-Z\d]{16}|AIza[\w-]{30,}|[spr]k[-_](?:live|test|proj|ant)[-_][\w-]{10,})/g },
  { rule: 'secret', form: /(?<=:\/\/[^\s/@:]{0,100}:)[^\s/@]+(?=@)/g }, // of a URL
  { rule: 'secret', form: /(?<=\b(?:pin|otp|cvv|cvc)\s)\d{3,8}\b/gi },
  { rule: 'card', form: /(?<!\d|\d\.)(?:[3-6]|2[2-7])(?:[ -]?\d){11,18}(?!\d)/g, holds: isLuhn },
  { rule: 'nik', form: /(?<!\d|\d\.)[1-9](?:\d{15}|\d{5}[ .-]\d{6}[ .-]\d{4}|\d{3}(?:[ .-]\d{4}){3}|\d(?:[ .-]\d\d){2}[ .-]\d{6}[ .-]\d{4})(?!\d)/g, holds: isNik },
  { rule: 'session', form: /\bsess_\w{6,}/g },
  { rule: 'email', form: /(?<![^\s<>"'(),:;=&?/[\]{}|\\])[^\s@<>"'(),:;=&?/[\]{}|\\]{1,64}(?:@|%40)[\p{L}\d-]{1,63}(?:\.[\p{L}\d-]{1,63})+/gu },
  { rule: 'phone', form: /(?<![\d.])(?:\+?62|0)[ .-]?8[1-9](?:[ .-]?\d){6,11}(?!\d)|(?<!\w)\+\d(?:[ -]?\d){8,14}(?!\d)/g },
  { rule: 'name', form: /(?<=\b(?:[sS]isw[ai]|[mM]urid|[gG]uru|[wW]ali|[aA]yah|[iI]bu|[bB]apak|[pP]ak|Bpk\.?|Bu|[nN]ama|[sS]tudent|[tT]eacher)\s)\p{Lu}[\p{L}'.-]*(?:\s\p{Lu}[\p{L}'.-]*){0,3}/gu },
  { rule: 'address', form: /(?<=^|[^\w:.]|[g-z_]\w{0,20}:)(?:[\da-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[\da-f]{1,4}|(?<=::))(?!:?\w)/gi, holds: isIpv6 },
  { rule: 'address', form: /(?<![\w./])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)/g },
];

// What each form and label has in it. Most texts have none of this and are looked at no further: in an event of 600 characters
// that takes 1 µs, where trying every form takes 15. What only masking looks for is left to the wide one.
const inShort = /[:=@"'%<：＝]|[nNpPvVcC] \d/;
const inLong = /[:=@"'%<：＝]|\d(?:[ .-]?\d){11}|eyJ|earer |BEARER |asic |BEGIN |jejak_|sess_|gh[pousr]_|glpat-|xox|AKIA|AIza|[spr]k[-_]|\s(?:--\w|(?:is|adalah|yaitu) )|(?:[pP]in|PIN|[oO]tp|OTP|[cC]v[vc]|CV[VC]) \d/; // oxfmt-ignore
const SHORT = 12; // characters: less than any number or token has
const inAny = /\d(?:[ .-]?\d){7}|\d\.\d{1,3}\.\d|[sS]isw[ai] |[mM]urid |[gG]uru |[wW]ali |[aA]yah |[iI]bu |[bB]apak |[pP]ak |Bpk|Bu |[nN]ama |[sS]tudent |[tT]eacher /; // oxfmt-ignore

/** Whether anything may be found; `wide` also asks for telephone numbers, addresses and names behind a title. */
export const isSuspect = (text: string, wide: boolean): boolean =>
  (text.length < SHORT ? inShort : inLong).test(text) ||
  text.startsWith('--') ||
  (wide && inAny.test(text));

// A label may be written with letters of full width, or with those of JSON: "p\u0061ssword".
const escape = String.raw`\\{1,9}u[\dA-Fa-f]{4}`;
const first = String.raw`(?:[A-Za-z_\uff21-\uff3a\uff3f\uff41-\uff5a]|${escape})`;
const further = String.raw`(?:[\w.\uff10-\uff19\uff21-\uff3a\uff3f\uff41-\uff5a]|${escape})`;
const closing = String.raw`(?:\\*["']?|%22)(?:\]|%5[Dd])?(?:(?:\[|%5[Bb])\w{0,20}(?:\]|%5[Dd])){0,3}`;
const equal = String.raw`\s{0,3}(?:[:=]>?|->|[：＝]|%(?:25){0,3}3[ADad])\s{0,3}`;
const label = new RegExp(
  String.raw`(?<!(?<!%[\dA-Fa-f])[\w.])(${first}${further}{0,60})(?:${closing}${equal}|\s(?:is|adalah|yaitu)\s|\s(?=\\*["']))`,
  'g',
);

const anyMark = /<[A-Za-z]|--[A-Za-z]|\[\s{0,3}\\*["']|name=/;
// Labels with a mark before them, which are words of a key as they stand, and the value where it is not like those above.
const line = String.raw`(?:\r?\n|(?:\\{1,9}r)?\\{1,9}n)`;
/** A part of a form. Its end is looked for where it is wanted: at each, it was sought to the end of the text again and again. */
const formPart = new RegExp(String.raw`name=\\*["']?([\w.[\]-]{1,60})\\*["']?(?:;[^\r\n\\]{0,100})?${line}(?:[\w-]{1,40}:[^\r\n\\]{0,200}${line}){0,5}${line}`, 'g'); // oxfmt-ignore
// oxfmt-ignore
const marked: readonly RegExp[] = [
  /(?<![\w-])--([A-Za-z](?:[\w-]{0,60}\w)?)\s{1,3}(?=[^\s-])/g, // of a command
  /\[\s{0,3}\\*["']([\w.-]{1,60})\\*["']\s{0,3},\s{0,3}(?=\\*["'](?:[^"'\\]|\\+[^"'\\])*\\*["']\s{0,3}\]|(?<value>[\d.]{1,60})\s{0,3}\])/g, // of a pair
  // An element, up to its end or, where that is missing, the next space.
  /<(?:[\w.-]{1,40}:)?([A-Za-z_][\w.-]{0,60})(?:\s[^<>]{0,500})?(?<!\/)>(?=(?<value>[^<]*(?:<(?!\\*\/(?:[\w.-]{1,40}:)?\1\b)[^<]*){0,20}(?=<\\*\/(?:[\w.-]{1,40}:)?\1\b)|[^\s<]+))/g,
  formPart,
];
const formEnd = new RegExp(`${line}--|$`, 'g');

const hyphened = /(?:[\w.]{1,30}-){1,3}$/;
const wordsBefore = /(?:[A-Za-z]{1,30} ){1,2}$/;
const quoted = /\\*?(\\{0,15})(["'])((?:(?!\1\2)[^])*)/y; // more backslashes than in JSON within JSON within JSON are no escape
const bracketed = /[[{][^\]}]*[\]}]?/y;
/** One word, after a scheme such as Bearer, and the rest of a list of cookies. */
const word =
  /(?:(?:Bearer|Basic|Digest|Token)\s+)?[^\s&"'<>\\]+(?:(?<=;)\s*[^\s;=]+=[^\s&"'<>]+)*/iy;
const phrase = /[^\s&"'<>,;|(){}[\]\\][^\n&"'<>,;|(){}[\]\\]*/y;

/** Where the value begins and ends that a label is followed by. */
const valueAt = (
  text: string,
  at: number,
  of: RegExp,
  { action }: Decision,
): [number, number] | undefined => {
  if (of === formPart) {
    formEnd.lastIndex = at;
    return [at, formEnd.exec(text)!.index];
  }
  const take = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at;
    return form.exec(text);
  };
  const inQuotes = take(quoted);
  if (inQuotes) {
    const end = quoted.lastIndex;
    return [end - inQuotes[3]!.length, end];
  }
  const found = take(bracketed) ?? take(action === 'mask' ? phrase : word);
  return found ? [at, at + found[0].length] : undefined;
};

/** A label without the escapes of JSON. */
const readable = (name: string): string =>
  name.includes('\\')
    ? name.replaceAll(/\\+u(.{4})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    : name;

const ofLabel = (text: string, { index, 1: written = '' }: RegExpExecArray, policy: Policy) => {
  const name = readable(written);
  const joint = text[index - 1];
  const before = joint === '-' || joint === ' ' ? text.slice(Math.max(0, index - 60), index) : '';
  return joint === '-'
    ? policy.ofKey((hyphened.exec(before)?.[0] ?? '') + name, [])
    : (policy.ofKey(name, []) ?? policy.ofLabel((wordsBefore.exec(before)?.[0] ?? '') + name));
};

const byLabel = (
  text: string,
  form: RegExp,
  policy: Policy,
  wants: Wants,
  replace: Replace,
): string => {
  let done = 0;
  let result = '';
  form.lastIndex = 0;
  for (let match = form.exec(text); match; match = form.exec(text)) {
    const decision = form === label ? ofLabel(text, match, policy) : policy.ofKey(match[1]!, []);
    const at = form.lastIndex;
    form.lastIndex = match.index + match[1]!.length; // what follows may be a label, too: user[password]=
    if (!decision || !wants(decision)) continue;
    const own = match.groups?.['value'];
    const value =
      own === undefined ? valueAt(text, at, form, decision) : ([at, at + own.length] as const);
    if (!value || value[0] === value[1]) continue;
    result += text.slice(done, value[0]) + replace(text.slice(...value), decision);
    done = form.lastIndex = value[1];
  }
  return done === 0 ? text : result + text.slice(done);
};

/** The text with everything that is wanted replaced; the same text where nothing was found. */
export const replaceFound = (
  text: string,
  policy: Policy,
  wants: Wants,
  replace: Replace,
): string => {
  if (isEventName(text)) return text;
  let result = byLabel(text, label, policy, wants, replace);
  if (anyMark.test(result))
    for (const form of marked) result = byLabel(result, form, policy, wants, replace);
  for (const { rule, form, holds } of forms) {
    const decision = policy.ofRule(rule);
    if (wants(decision))
      result = result.replaceAll(form, (found: string) =>
        holds && !holds(found) ? found : replace(found, decision),
      );
  }
  return result;
};
