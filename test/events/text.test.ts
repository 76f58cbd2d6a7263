import { describe, expect, test } from 'vitest';
import { MAX_JSON_DEPTH } from '../../src/events/fields.ts';
import { cutText, mendJson, mendText } from '../../src/events/text.ts';

test('P15: text loses NUL and lone surrogates, and nothing else', () => {
  expect(mendText('a\0b\ud800c\udc00d')).toBe('a\uFFFDb\uFFFDc\uFFFDd');
  expect(mendText('\udc00\ud800')).toBe('\uFFFD\uFFFD');
  for (const text of ['', 'Ahmad Rizki', '😀', '\u0001\n\t', '\uFFFE\uFFFF', 'e\u0301', '\u202e'])
    expect(mendText(text)).toBe(text);
});

describe('cutting text', () => {
  test('V7: counts code points as PostgreSQL does, and marks the cut', () => {
    for (const character of ['x', '😀', 'é']) {
      expect(cutText(character.repeat(9), 10)).toBe(character.repeat(9));
      expect(cutText(character.repeat(10), 10)).toBe(character.repeat(10));
      expect(cutText(character.repeat(11), 10)).toBe(`${character.repeat(9)}…`);
    }
    expect(cutText('ab', 1)).toBe('…');
  });

  test('V7: never leaves half a character, wherever the pairs fall', () => {
    for (let lead = 0; lead < 4; lead++) {
      const text = cutText('x'.repeat(lead) + '😀'.repeat(1000), 10);
      expect(text.isWellFormed()).toBe(true);
      expect(Array.from(text)).toHaveLength(10);
    }
  });
});

describe('mending JSON', () => {
  test('what needs no mending is the same value, not a copy', () => {
    for (const value of [
      { a: [1, 'x', null, { b: true }] },
      [],
      {},
      'x',
      0,
      -1.5,
      null,
      false,
      1e64,
      1e-64,
      JSON.parse('{"__proto__":1}'),
    ])
      expect(mendJson(value)).toEqual({ value, tooDeep: false });
    const same = { a: [1, { b: 'x' }] };
    expect(mendJson(same).value).toBe(same);
  });

  test('P15: keys and values are mended wherever they are; what is beside them stays', () => {
    const beside = { whole: [1] };
    const { value } = mendJson({ 'k\0': ['\ud800', { 'x\udc00': '\0' }], beside });
    expect(value).toEqual({ 'k\uFFFD': ['\uFFFD', { 'x\uFFFD': '\uFFFD' }], beside });
    expect((value as { beside: unknown }).beside).toBe(beside);
  });

  test('P15: a mended object keeps a key named __proto__ as a key', () => {
    const { value } = mendJson(JSON.parse(String.raw`{"__proto__":{"a":"\u0000"}}`));
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":"\uFFFD"}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test('V7: numbers beyond 1e64 either way become text', () => {
    for (const number of [
      1e65,
      -1e65,
      1.1e64,
      1e-65,
      5e-324,
      1.7976931348623157e308,
      Infinity,
      -Infinity,
      Number.NaN,
    ])
      expect(mendJson([number])).toEqual({ value: [String(number)], tooDeep: false });
  });

  test('V7: nesting is followed to the limit and not beyond', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(mendJson(nested(MAX_JSON_DEPTH)).tooDeep).toBe(false);
    expect(mendJson(nested(MAX_JSON_DEPTH + 1)).tooDeep).toBe(true);
    expect(mendJson(nested(100_000)).tooDeep).toBe(true);
  });

  test('what JSON has no word for becomes text', () => {
    for (const value of [10n, Symbol('s'), () => 1]) {
      expect(mendJson(value)).toEqual({ value: String(value), tooDeep: false });
      expect(mendJson({ a: [value] }).value).toEqual({ a: [String(value)] });
    }
  });
});
