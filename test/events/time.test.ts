import { describe, expect, test } from 'vitest';
import {
  compareInstants,
  instantFromPostgres,
  microsOf,
  parseInstant,
  subtractDuration,
} from '../../src/events/time.ts';

const textOf = (source: string): string | undefined => parseInstant(source)?.text;

describe('reading an instant', () => {
  test('P4: any offset is the same instant in UTC', () => {
    for (const source of [
      '2025-06-19T07:30:52.123Z',
      '2025-06-19T07:30:52.123z',
      '2025-06-19t07:30:52.123Z',
      '2025-06-19 07:30:52.123+00:00',
      '2025-06-19T07:30:52,123-00:00',
      '2025-06-19T14:30:52.123+07:00',
      '2025-06-19T14:30:52.123+0700',
      '2025-06-19T14:30:52.123+07',
      '2025-06-18T22:30:52.123-09:00',
      '2025-06-19T22:30:52.123+15:00',
    ])
      expect([source, parseInstant(source)]).toEqual([
        source,
        { text: '2025-06-19T07:30:52.123Z', zoned: true, cut: false },
      ]);
  });

  test('P4: a time without an offset is UTC and says so', () => {
    expect(parseInstant('2025-06-19 07:30:52')).toEqual({
      text: '2025-06-19T07:30:52.000Z',
      zoned: false,
      cut: false,
    });
  });

  test('P4: a time without seconds is that of the minute', () => {
    for (const source of ['2025-06-19T14:30+07:00', '2025-06-19 07:30Z', '2025-06-19T07:30'])
      expect([source, textOf(source)]).toEqual([source, '2025-06-19T07:30:00.000Z']);
  });

  test('microseconds are kept, printed only where they are not zero, and what is beyond them is cut', () => {
    expect(textOf('2025-06-19T07:30:52Z')).toBe('2025-06-19T07:30:52.000Z');
    expect(textOf('2025-06-19T07:30:52.1Z')).toBe('2025-06-19T07:30:52.100Z');
    expect(textOf('2025-06-19T07:30:52.123000Z')).toBe('2025-06-19T07:30:52.123Z');
    expect(textOf('2025-06-19T07:30:52.123450Z')).toBe('2025-06-19T07:30:52.123450Z');
    expect(parseInstant('2025-06-19T07:30:52.123456000Z')!.cut).toBe(false);
    expect(parseInstant('2025-06-19T07:30:52.999999999Z')).toEqual({
      text: '2025-06-19T07:30:52.999999Z',
      zoned: true,
      cut: true,
    });
  });

  test('an instant that was printed is read back as itself', () => {
    for (const text of [
      '2025-06-19T07:30:52.000Z',
      '2025-06-19T07:30:52.000001Z',
      '0001-01-01T00:00:00.000Z',
      '9999-12-31T23:59:59.999999Z',
      '2024-02-29T00:00:00.000Z',
    ])
      expect(textOf(text)).toBe(text);
  });

  test('V3: what is no date and time is none', () => {
    for (const source of [
      '',
      'now',
      'infinity',
      '-infinity',
      'today',
      'epoch',
      '2025-06-19',
      '07:30:52',
      '2025-06-19T07Z',
      '2025-06-19T07:30.5Z',
      '2025-06-19T07:60Z',
      '2025-06-19T24:00:00Z',
      '2025-06-19T23:60:00Z',
      '2025-06-19T23:59:60Z',
      '2025-02-29T00:00:00Z',
      '2025-02-30T00:00:00Z',
      '2025-04-31T00:00:00Z',
      '2025-13-01T00:00:00Z',
      '2025-00-01T00:00:00Z',
      '2025-01-00T00:00:00Z',
      '0000-01-01T00:00:00Z',
      '10000-01-01T00:00:00Z',
      '2025-06-19T07:30:52.Z',
      '2025-06-19T07:30:52.1234567890123Z',
      '2025-06-19T07:30:52+7',
      '2025-06-19T07:30:52+16:00',
      '2025-06-19T07:30:52+07:60',
      '2025-06-19T07:30:52 WIB',
      ' 2025-06-19T07:30:52Z',
      '2025-06-19T07:30:52Z\n',
      '٢٠٢٥-06-19T07:30:52Z',
      '0001-01-01T00:00:00+01:00',
      '9999-12-31T23:59:59-01:00',
    ])
      expect([source, parseInstant(source)]).toEqual([source, undefined]);
  });
});

test('PostgreSQL’s text of a timestamptz in UTC is the same instant in ISO 8601', () => {
  for (const [postgres, iso] of [
    ['2025-06-19 07:30:52+00', '2025-06-19T07:30:52.000Z'],
    ['2025-06-19 07:30:52.1+00', '2025-06-19T07:30:52.100Z'],
    ['2025-06-19 07:30:52.12+00', '2025-06-19T07:30:52.120Z'],
    ['2025-06-19 07:30:52.123+00', '2025-06-19T07:30:52.123Z'],
    ['2025-06-19 07:30:52.1234+00', '2025-06-19T07:30:52.123400Z'],
    ['2025-06-19 07:30:52.000001+00', '2025-06-19T07:30:52.000001Z'],
    ['0001-01-01 00:00:00+00', '0001-01-01T00:00:00.000Z'],
  ] as const)
    expect(instantFromPostgres(postgres)).toBe(iso);
});

test('two instants a microsecond apart are told apart, from 1970 to 2255', () => {
  expect(microsOf('1970-01-01T00:00:00.000001Z')).toBe(1);
  expect(microsOf('1970-01-01T00:00:00.001Z')).toBe(1000);
  expect(microsOf('1969-12-31T23:59:59.999999Z')).toBe(-1);
  expect(microsOf('2255-01-01T00:00:00.000001Z') - microsOf('2255-01-01T00:00:00.000Z')).toBe(1);
  expect(compareInstants('2025-06-19T07:30:52.123Z', '2025-06-19T07:30:52.123001Z')).toBeLessThan(
    0,
  );
  expect(compareInstants('2025-06-19T07:30:52.123001Z', '2025-06-19T07:30:52.123001Z')).toBe(0);
});

describe('a duration before an instant', () => {
  const before = (from: string, duration: string): string | undefined =>
    subtractDuration(new Date(from), duration)?.toISOString();

  test('counts years and months by the calendar, the rest by the clock', () => {
    const from = '2025-06-19T07:30:52.123Z';
    for (const [duration, expected] of [
      ['PT24H', '2025-06-18T07:30:52.123Z'],
      ['P1D', '2025-06-18T07:30:52.123Z'],
      ['P7D', '2025-06-12T07:30:52.123Z'],
      ['P1W', '2025-06-12T07:30:52.123Z'],
      ['P1M', '2025-05-19T07:30:52.123Z'],
      ['P1Y', '2024-06-19T07:30:52.123Z'],
      ['P1Y2M3DT4H5M6.007S', '2024-04-16T03:25:46.116Z'],
      ['PT0S', from],
      ['P30D', '2025-05-20T07:30:52.123Z'],
    ] as const)
      expect([duration, before(from, duration)]).toEqual([duration, expected]);
  });

  test('ends on the last day of a month that is too short', () => {
    expect(before('2025-03-31T00:00:00.000Z', 'P1M')).toBe('2025-02-28T00:00:00.000Z');
    expect(before('2024-03-31T00:00:00.000Z', 'P1M')).toBe('2024-02-29T00:00:00.000Z');
    expect(before('2024-02-29T00:00:00.000Z', 'P1Y')).toBe('2023-02-28T00:00:00.000Z');
    expect(before('2025-03-31T00:00:00.000Z', 'P1M1D')).toBe('2025-02-27T00:00:00.000Z');
    expect(before('2025-01-31T00:00:00.000Z', 'P14M')).toBe('2023-11-30T00:00:00.000Z');
  });

  test('is nothing where the text is no duration, or the result no year of ours', () => {
    for (const duration of [
      '',
      'P',
      'PT',
      'P1',
      '1D',
      'P1H',
      'PT1D',
      '-P1D',
      'P-1D',
      'P1.5D',
      'p1d',
      'P1D ',
      'PT1.2345S',
      'P1DT',
      'P3000Y',
      'P99999999999999999999D',
    ])
      expect([duration, before('2025-06-19T07:30:52.123Z', duration)]).toEqual([
        duration,
        undefined,
      ]);
  });
});
