// What becomes of one event before the database sees it. Names begin with the row of the specification's traps that they hold.

import { describe, expect, test } from 'vitest';
import { catalog } from '../../src/events/catalog.ts';
import {
  type Draft,
  type Prepared,
  type Rejection,
  complete,
  isRejection,
  isServerId,
} from '../../src/events/complete.ts';
import { MAX_JSON_BYTES, fieldNames, fields, inputNames } from '../../src/events/fields.ts';
import { severities, severityNames, statusNames } from '../../src/events/vocabulary.ts';

const now = new Date('2025-06-19T07:30:52.123Z');
const at = (ms: number): string => new Date(now.getTime() + ms).toISOString();
const DAY_MS = 86_400_000;

const prepared = (source: unknown): Prepared => {
  const result = complete(source, now);
  if (isRejection(result)) throw new Error(`Rejected: ${result.reason}`);
  return result;
};
const refused = (source: unknown): Rejection => {
  const result = complete(source, now);
  if (!isRejection(result)) throw new Error('Not rejected');
  return result;
};
/** A login that says this besides its code. */
const login = (said: Record<string, unknown> = {}): Prepared =>
  prepared({ code: 'AUTH-001', ...said });
const draftOf = (said: Record<string, unknown>): Draft => login(said).draft;
const warned = (of: Prepared): string[] => of.warnings.map(({ field }) => field);
const originalOf = (of: Prepared): unknown =>
  (of.draft.metadata as { _original?: unknown } | null)?._original;

describe('completing from the catalog', () => {
  test('P2: a code alone is a complete event, for each of the 84', () => {
    for (const definition of catalog.values()) {
      const { draft, warnings, named } = prepared({ code: definition.code });
      expect(warnings).toEqual([]);
      expect(named).toBe(false);
      expect(draft).toMatchObject({
        code: definition.code,
        category: definition.category,
        type: definition.type,
        name: definition.name,
        severity: definition.severity,
        action: definition.action,
        status: definition.status,
        timestamp: now.toISOString(),
        metadata: null,
        tags: null,
        username: null,
      });
    }
  });

  test('P2, V1: without a code, action and status have stated defaults, each with a warning', () => {
    const expected = {
      DEBUG: 'SUCCESS',
      INFO: 'SUCCESS',
      WARNING: 'ALERT',
      ERROR: 'ERROR',
      CRITICAL: 'ALERT',
    };
    for (const severity of severityNames) {
      const of = prepared({ category: 'SECURITY', type: 'OURS', name: 'Ours', severity });
      expect(of.draft).toMatchObject({ code: null, action: 'RECORD', status: expected[severity] });
      expect(warned(of).toSorted()).toEqual(['action', 'status']);
    }
  });

  test('P3: absent, null and undefined are the same, and no value of a draft is undefined', () => {
    const absent = login();
    for (const nothing of [null, undefined]) {
      const of = prepared({
        ...Object.fromEntries(inputNames.map((name) => [name, nothing])),
        code: 'AUTH-001',
      });
      expect({ ...of.draft, eventId: '' }).toStrictEqual({ ...absent.draft, eventId: '' });
      expect(of.warnings).toEqual([]);
    }
    expect(Object.keys(absent.draft)).toEqual(fieldNames);
  });

  test('I2: a prefix is read as its category, with a warning', () => {
    for (const [prefix, category] of [
      ['SYS', 'SYSTEM'],
      ['sec', 'SECURITY'],
      [' anly ', 'ANALYTICS'],
    ] as const) {
      const of = prepared({ category: prefix, type: 'OURS', name: 'Ours' });
      expect(of.draft.category).toBe(category);
      expect(of.warnings[0]).toEqual({ field: 'category', message: `is read as ${category}` });
      expect(originalOf(of)).toEqual({ event_category: prefix });
    }
  });

  test('I3: a missing code is recovered from a canonical id, or from category and exact name', () => {
    const codeOf = (source: unknown) => prepared(source).draft.code;
    expect(codeOf({ eventId: 'SEC-002-20250619-143052-006' })).toBe('SEC-002');
    const named = { category: 'AUTH', type: 'USER_LOGIN', name: 'User Login Failed' };
    expect(codeOf(named)).toBe('AUTH-002');
    expect(codeOf({ ...named, name: 'user login failed' })).toBeNull();
    expect(codeOf({ ...named, category: 'SYSTEM' })).toBeNull();
    // An id whose head contradicts the category says nothing.
    expect(codeOf({ ...named, name: 'x', eventId: 'SEC-002-20250619-143052-006' })).toBeNull();
    expect(codeOf({ ...named, name: 'x', eventId: 'AUTH-20250619-143052-1a2b3c4d' })).toBeNull();
  });

  test('I3: a code wins over a category that is not its own, and the category sent is kept', () => {
    const of = login({ category: 'DATA' });
    expect(of.draft).toMatchObject({ code: 'AUTH-001', category: 'AUTH' });
    expect(warned(of)).toEqual(['category']);
    expect(originalOf(of)).toEqual({ event_category: 'DATA' });
  });

  test('I3: a type other than the code’s is kept, with a warning', () => {
    const of = login({ type: 'OURS' });
    expect(of.draft.type).toBe('OURS');
    expect(warned(of)).toEqual(['type']);
  });

  test('I4: a code that is not in the catalog never costs the event', () => {
    const of = prepared({ code: 'AUTH-099', category: 'AUTH', type: 'OURS', name: 'Ours' });
    expect(of.draft.code).toBeNull();
    expect(originalOf(of)).toEqual({ code: 'AUTH-099' });
    expect(login({ code: ' auth-001 ' }).draft.code).toBe('AUTH-001');
    expect(refused({ code: 'AUTH-099' }).code).toBe('MISSING_VALUE');
  });

  test('I5: severity defaults to the catalog’s; a lower one is accepted with a warning, a higher one without', () => {
    expect(prepared({ code: 'SEC-002' }).draft.severity).toBe('CRITICAL');
    expect(prepared({ category: 'AUTH', type: 'T', name: 'N' }).draft.severity).toBe('INFO');
    const lower = prepared({ code: 'SEC-002', severity: 'INFO' });
    expect(lower.draft.severity).toBe('INFO');
    expect(warned(lower)).toEqual(['severity']);
    expect(login({ severity: 'CRITICAL' }).warnings).toEqual([]);
  });

  test('I7: a required value that nothing supplies is named', () => {
    const whole = { category: 'AUTH', type: 'T', name: 'N' };
    for (const field of ['category', 'type', 'name'] as const)
      for (const missing of [undefined, null, '', {}, []]) {
        const { code, reason } = refused({ ...whole, [field]: missing });
        expect(code).toBe('MISSING_VALUE');
        expect(reason).toContain(`\`${field}\``);
      }
    expect(refused({ ...whole, category: 'UNK' }).reason).toContain('`category`');
  });

  test('I7: empty text where the catalog knows better is as good as none', () => {
    expect(draftOf({ type: '', name: '', action: '', category: '', status: '' })).toMatchObject({
      category: 'AUTH',
      type: 'USER_LOGIN',
      name: 'User Login Success',
      action: 'LOGIN',
      status: 'SUCCESS',
    });
  });

  test('I7: what is no JSON object is refused with what to send', () => {
    for (const source of [
      null,
      undefined,
      0,
      1,
      true,
      '',
      'x',
      [],
      [{ code: 'AUTH-001' }],
      () => 1,
    ])
      expect(refused(source)).toMatchObject({
        code: 'MISSING_VALUE',
        reason: expect.stringContaining('JSON object'),
      });
  });

  test('I8: typical data are never required and never refused', () => {
    expect(login({ metadata: { login_attempts: 1 } }).warnings).toEqual([]);
    expect(prepared({ code: 'PRED-002', responseData: { confidence_score: 1 } }).warnings).toEqual(
      [],
    );
  });
});

describe('identity', () => {
  test('I1: the server’s ids keep the readable head, carry 80 random bits and fit the column', () => {
    const { eventId } = login().draft;
    expect(eventId).toMatch(/^AUTH-001-20250619-073052-[0-9a-z]{16}$/);
    expect(prepared({ category: 'ANALYTICS', type: 'T', name: 'N' }).draft.eventId).toMatch(
      /^ANALYTICS-20250619-073052-[0-9a-z]{16}$/,
    );
    const ids = Array.from({ length: 5000 }, () => login().draft.eventId);
    expect(new Set(ids).size).toBe(5000);
    for (const { code } of catalog.values()) {
      const id = prepared({ code }).draft.eventId;
      expect(isServerId(id)).toBe(true);
      expect(id.length).toBeLessThanOrEqual(50);
    }
    expect(isServerId(prepared({ category: 'SYSTEM', type: 'T', name: 'N' }).draft.eventId)).toBe(
      true,
    );
    // Each of the 32 digits, in each of the 16 places.
    for (let place = 0; place < 16; place++)
      expect(new Set(ids.map((id) => id.at(place - 16))).size).toBe(32);
  });

  test('I1: the id’s date is that of the event, in UTC', () => {
    const { eventId } = draftOf({ timestamp: '2025-06-19T00:30:00.000+07:00' });
    expect(eventId).toMatch(/^AUTH-001-20250618-173000-/);
  });

  test('I1: both legacy forms are accepted as they are, and are not the server’s', () => {
    for (const eventId of ['AUTH-001-20250619-143052-001', 'AUTH-20250619-143052-1a2b3c4d']) {
      const of = login({ eventId });
      expect(of).toMatchObject({ named: true, warnings: [], draft: { eventId } });
      expect(isServerId(eventId)).toBe(false);
    }
  });

  test('I1: only the exact form of the server’s ids is taken for one', () => {
    const id = 'AUTH-001-20250619-073052-0123456789abcdef';
    expect(isServerId(id)).toBe(true);
    for (const other of [
      '',
      ` ${id}`,
      `${id}\n`,
      `${id}0`,
      id.slice(0, -1),
      id.toLowerCase(),
      id.replace('f', 'i'),
      id.replace('f', 'l'),
      id.replace('f', 'o'),
      id.replace('f', 'u'),
      id.replace('f', 'F'),
      id.replace('001-', '01-'),
      id.replaceAll('-', '_'),
    ])
      expect([other, isServerId(other)]).toEqual([other, false]);
  });

  test('I6, V7: an id of 50 characters is kept, one of 51 refused, never cut', () => {
    for (const character of ['x', 'é', '😀']) {
      expect(draftOf({ eventId: character.repeat(50) }).eventId).toBe(character.repeat(50));
      expect(refused({ code: 'AUTH-001', eventId: character.repeat(51) }).code).toBe('INVALID_ID');
    }
  });

  test('I6, P15: an id that cannot be stored as it was sent is refused', () => {
    for (const eventId of [
      '',
      'a\0b',
      'a\nb',
      'a\u0085b',
      'a\ud800',
      '\udc00a',
      {},
      [],
      true,
      ['a'],
    ])
      expect(refused({ code: 'AUTH-001', eventId })).toMatchObject({
        code: 'INVALID_ID',
        reason: expect.stringContaining('`eventId`'),
      });
  });

  test('I6: a number is an id, with a warning', () => {
    const of = login({ eventId: 4711 });
    expect(of).toMatchObject({ named: true, draft: { eventId: '4711' } });
    expect(warned(of)).toEqual(['eventId']);
  });
});

describe('closed vocabularies', () => {
  test('V1: every status is accepted, in any case with a warning; any other is set aside', () => {
    for (const status of statusNames) {
      expect(login({ status })).toMatchObject({ warnings: [], draft: { status } });
      expect(login({ status: ` ${status.toLowerCase()} ` }).draft.status).toBe(status);
    }
    for (const status of ['OK', 'toString', '__proto__', '', 200, true, {}]) {
      const of = login({ status });
      expect(of.draft.status).toBe('SUCCESS');
      expect(warned(of)).toEqual(['status']);
      expect(originalOf(of)).toEqual({ status });
    }
  });

  test('V2: an unknown severity never reaches the log, and never costs the event', () => {
    for (const severity of ['FATAL!!', 'WARN', '', 5, [], 'constructor']) {
      const of = prepared({ code: 'SEC-002', severity });
      expect(of.draft.severity).toBe('CRITICAL');
      expect(warned(of)).toEqual(['severity']);
      expect(originalOf(of)).toEqual({ severity });
    }
    expect(draftOf({ severity: null }).severity).toBe('INFO');
    expect(login({ severity: 'critical' }).draft.severity).toBe('CRITICAL');
  });
});

describe('time', () => {
  test('V3: exactly 5 minutes ahead is kept, a microsecond more is replaced and the original kept', () => {
    const limit = at(300_000);
    expect(login({ timestamp: limit })).toMatchObject({
      warnings: [],
      draft: { timestamp: limit },
    });
    for (const ahead of [
      limit.replace('123Z', '123001Z'),
      at(300_001),
      at(7 * 3_600_000),
      '9999-12-31T23:59:59.999Z',
    ]) {
      const of = login({ timestamp: ahead });
      expect(of.draft.timestamp).toBe(now.toISOString());
      expect(warned(of)).toEqual(['timestamp']);
      expect(originalOf(of)).toEqual({ timestamp: ahead });
    }
  });

  test('V3: the boundary of each severity’s retention is exact to the microsecond', () => {
    for (const severity of severityNames) {
      const { retentionDays } = severities[severity];
      const oldest = at(-retentionDays * DAY_MS);
      expect(login({ severity, timestamp: oldest }).draft.timestamp).toBe(oldest);
      const older = oldest.replace('.123Z', '.122999Z');
      expect(refused({ code: 'AUTH-001', severity, timestamp: older })).toMatchObject({
        code: 'EXPIRED',
        reason: expect.stringContaining(`${retentionDays} days that ${severity}`),
      });
    }
    expect(refused({ code: 'AUTH-001', timestamp: '0001-01-01T00:00:00.000Z' }).code).toBe(
      'EXPIRED',
    );
  });

  test('V3: retention is that of the severity that is stored, not of the one that was sent', () => {
    const timestamp = at(-100 * DAY_MS);
    expect(prepared({ code: 'SEC-002', severity: 'nonsense', timestamp }).draft.severity).toBe(
      'CRITICAL',
    );
    expect(refused({ code: 'SEC-002', severity: 'INFO', timestamp }).code).toBe('EXPIRED');
  });

  test('P4: a time without a zone is read as UTC, with a warning', () => {
    const of = login({ timestamp: '2025-06-19T07:29:00.123456' });
    expect(of.draft.timestamp).toBe('2025-06-19T07:29:00.123456Z');
    expect(warned(of)).toEqual(['timestamp']);
    expect(of.warnings[0]!.message).toContain('UTC');
  });

  test('P4, V3: the naive clock of a host in WIB is set right, and what it said is kept as it said it', () => {
    const of = login({ timestamp: '2025-06-19T14:30:52.123456' });
    expect(of.draft.timestamp).toBe(now.toISOString());
    expect(originalOf(of)).toEqual({ timestamp: '2025-06-19T14:30:52.123456' });
  });

  test('P4: any offset is the same instant in UTC, without a warning', () => {
    for (const timestamp of [
      '2025-06-19T14:30:52.123+07:00',
      '2025-06-19 07:30:52.123z',
      ' 2025-06-19T14:30:52.123+0700 ',
    ])
      expect(login({ timestamp })).toMatchObject({
        warnings: [],
        draft: { timestamp: now.toISOString() },
      });
  });

  test('V3: a time that is none is taken as left out and kept', () => {
    for (const timestamp of [
      'now',
      'infinity',
      'yesterday',
      '',
      '2025-02-30T00:00:00Z',
      '2025-06-19',
      1750318252123,
      {},
    ]) {
      const of = login({ timestamp });
      expect(of.draft.timestamp).toBe(now.toISOString());
      expect(warned(of)).toEqual(['timestamp']);
      expect(originalOf(of)).toEqual({ timestamp });
    }
  });

  test('V3: digits beyond the microsecond are cut with a warning', () => {
    const of = login({ timestamp: '2025-06-19T07:30:52.123456789Z' });
    expect(of.draft.timestamp).toBe('2025-06-19T07:30:52.123456Z');
    expect(warned(of)).toEqual(['timestamp']);
    expect(login({ timestamp: '2025-06-19T07:30:52.123456000Z' }).warnings).toEqual([]);
  });
});

describe('values', () => {
  test('P1, P8: an address that cannot be one is left empty, its text kept', () => {
    for (const ipAddress of [
      '192.168.1.999',
      'testclient',
      '10.0.0.1, 172.16.0.1',
      '10.0.0.1:443',
      '10.0.0.0/8',
      '192.168.010.1',
      '1',
      'fe80::1%eth0',
      '[::1]',
      '',
      3232235876,
      {},
    ]) {
      const of = login({ ipAddress });
      expect(of.draft.ipAddress).toBeNull();
      expect(warned(of)).toEqual(['ipAddress']);
      expect(originalOf(of)).toEqual({ ip_address: ipAddress });
    }
  });

  test('P8: an address is kept as PostgreSQL prints it', () => {
    for (const [sent, stored] of [
      ['192.168.1.100', '192.168.1.100'],
      [' 10.0.0.1 ', '10.0.0.1'],
      ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
      ['::FFFF:192.168.1.1', '::ffff:192.168.1.1'],
      ['::ffff:c0a8:101', '::ffff:192.168.1.1'],
      ['::1', '::1'],
      ['::', '::'],
      ['::0102:0304', '::1.2.3.4'],
      ['1:0:0:2::', '1:0:0:2::'],
    ])
      expect(login({ ipAddress: sent })).toMatchObject({
        warnings: [],
        draft: { ipAddress: stored },
      });
  });

  test('P7, V7: text of the column’s length is kept, longer text is cut with a mark and a warning', () => {
    for (const name of inputNames) {
      const { kind, max, column } = { max: 0, ...fields[name] };
      if (kind !== 'text') continue;
      for (const character of ['x', 'é', '😀', '"', '\\']) {
        const whole = character.repeat(max);
        const kept = login({ [name]: whole });
        expect(kept.draft[name]).toBe(whole);
        expect(warned(kept).filter((field) => field !== 'type')).toEqual([]);
        const cut = login({ [name]: `${whole}${character}` });
        expect(cut.draft[name]).toBe(`${character.repeat(max - 1)}…`);
        expect(warned(cut)).toContain(name);
        expect(Array.from((originalOf(cut) as Record<string, string>)[column]!)).toHaveLength(
          Math.min(max + 1, 2000),
        );
      }
    }
  });

  test('V7: text of any size is cut, and only the head of it is kept beside', () => {
    const of = login({ userAgent: 'x'.repeat(1_000_000) });
    expect(of.draft.userAgent).toHaveLength(1000);
    expect(JSON.stringify(of.draft.metadata).length).toBeLessThan(2100);
  });

  test('V7: numbers and booleans are stored as text no longer than the column', () => {
    expect(draftOf({ username: 15 }).username).toBe('15');
    expect(draftOf({ resourceId: true }).resourceId).toBe('true');
    expect(draftOf({ httpMethod: 123456789012 }).httpMethod).toBe('123456789…');
    expect(Array.from(draftOf({ errorCode: -1.234567890123456e-300 }).errorCode!)).toHaveLength(20);
    for (const username of [{}, [], ['a'], { a: 1 }]) {
      const of = login({ username });
      expect(of.draft.username).toBeNull();
      expect(originalOf(of)).toEqual({ username });
    }
  });

  test('P1: integers at the edges of 32 bits are kept; beyond them, or no number, are set aside', () => {
    for (const userId of [0, -1, 2147483647, -2147483648])
      expect(login({ userId })).toMatchObject({ warnings: [], draft: { userId } });
    for (const [field, column, sent, stored] of [
      ['userId', 'user_id', '15', 15],
      ['userId', 'user_id', ' -7 ', -7],
      ['userId', 'user_id', '2147483647', 2147483647],
      ['processingTimeMs', 'processing_time_ms', 15.4, 15],
      ['processingTimeMs', 'processing_time_ms', 15.5, 16],
      ['processingTimeMs', 'processing_time_ms', '15.9', 16],
      ['processingTimeMs', 'processing_time_ms', 2147483647.4, 2147483647],
    ] as const) {
      const of = login({ [field]: sent });
      expect(of.draft[field]).toBe(stored);
      expect(of.warnings).toEqual([{ field, message: `is read as ${stored}` }]);
      expect(originalOf(of)).toEqual({ [column]: sent });
    }
    for (const userId of [
      2147483648,
      -2147483649,
      1e308,
      '9999999999',
      'abc',
      '12abc',
      '',
      ' ',
      true,
      {},
      [15],
      'NaN',
    ]) {
      const of = login({ userId });
      expect(of.draft.userId).toBeNull();
      expect(warned(of)).toEqual(['userId']);
    }
    for (const userId of [Number.NaN, Infinity, -Infinity])
      expect(login({ userId })).toMatchObject({
        draft: { userId: null, metadata: { _original: { user_id: String(userId) } } },
      });
  });

  test('P1: no action takes less than no time: a negative one is set aside', () => {
    for (const processingTimeMs of [-1, '-15', -2147483648])
      expect(login({ processingTimeMs })).toMatchObject({
        warnings: [{ field: 'processingTimeMs' }],
        draft: {
          processingTimeMs: null,
          metadata: { _original: { processing_time_ms: processingTimeMs } },
        },
      });
  });

  test('metadata that is no object is stored as it is, and where something is set aside as a value beside that', () => {
    for (const metadata of ['text', 7, ['a'], false]) {
      expect(login({ metadata })).toMatchObject({ warnings: [], draft: { metadata } });
      const of = login({ metadata, userId: 'abc' });
      expect(of.draft.metadata).toEqual({ value: metadata, _original: { user_id: 'abc' } });
      expect(warned(of)).toEqual(['userId', 'metadata']);
    }
    expect(warned(login({ metadata: null, userId: 'abc' }))).toEqual(['userId']);
  });

  test('V9: 0 ms is stored as sent', () => {
    expect(login({ processingTimeMs: 0 })).toMatchObject({
      warnings: [],
      draft: { processingTimeMs: 0 },
    });
  });

  test('V7: 50 tags of 100 characters are kept; more or longer are cut, with one warning', () => {
    const tags = Array.from(
      { length: 50 },
      (_, index) => '😀'.repeat(98) + String(index).padStart(2, '0'),
    );
    expect(login({ tags })).toMatchObject({ warnings: [], draft: { tags } });
    const more = login({ tags: [...tags, 'x'] });
    expect(more.draft.tags).toEqual(tags);
    const cut = 'texts, cut where longer than 100 characters';
    expect(more.warnings).toEqual([{ field: 'tags', message: `is read as 50 of 51 ${cut}` }]);
    const longer = login({ tags: ['x'.repeat(101), 'y'] });
    expect(longer.draft.tags).toEqual([`${'x'.repeat(99)}…`, 'y']);
    expect(longer.warnings).toEqual([{ field: 'tags', message: `is read as 2 of 2 ${cut}` }]);
    expect(login({ tags: [] })).toMatchObject({ warnings: [], draft: { tags: [] } });
    expect(draftOf({ tags: 'login' }).tags).toEqual(['login']);
    expect(draftOf({ tags: [1, true, null] }).tags).toEqual(['1', 'true', 'null']);
    for (const bad of [{}, 5, [{}], [['a']]]) {
      const of = login({ tags: bad });
      expect(of.draft.tags).toBeNull();
      expect(originalOf(of)).toEqual({ tags: bad });
    }
  });

  test('P15: NUL and lone surrogates become U+FFFD, in text, tags, JSON values and keys', () => {
    for (const bad of ['\0', '\ud800', '\udfff']) {
      const of = login({
        username: `a${bad}b`,
        tags: [`t${bad}`],
        requestData: { [`k${bad}`]: [`v${bad}`, { deep: bad }] },
        responseData: bad,
      });
      expect(of.draft).toMatchObject({
        username: 'a\uFFFDb',
        tags: ['t\uFFFD'],
        requestData: { 'k\uFFFD': ['v\uFFFD', { deep: '\uFFFD' }] },
        responseData: '\uFFFD',
      });
      expect(warned(of).toSorted()).toEqual(['requestData', 'responseData', 'tags', 'username']);
    }
    const whole = { username: 'a😀b', metadata: { '😀': '\u0001\u001f\uFFFE' } };
    expect(login(whole)).toMatchObject({ warnings: [], draft: whole });
  });

  test('V7: numbers that PostgreSQL would unfold to hundreds of digits become text', () => {
    const of = login({
      metadata: { a: 1e308, b: 1e-308, c: -1e65, d: 1e64, e: 0, f: 87.5, g: Infinity },
    });
    expect(of.draft.metadata).toEqual({
      a: '1e+308',
      b: '1e-308',
      c: '-1e+65',
      d: 1e64,
      e: 0,
      f: 87.5,
      g: 'Infinity',
    });
    expect(warned(of)).toEqual(['metadata']);
  });

  test('V7: exactly 32 KB of JSON is kept, a byte more is refused with the limit named', () => {
    const sized = (bytes: number) => 'x'.repeat(bytes - 2);
    const third = Math.floor(MAX_JSON_BYTES / 3);
    const split = {
      requestData: sized(third),
      responseData: sized(third),
      metadata: sized(MAX_JSON_BYTES - 2 * third),
    };
    expect(login({ metadata: sized(MAX_JSON_BYTES) }).warnings).toEqual([]);
    expect(login(split).warnings).toEqual([]);
    for (const over of [
      { metadata: sized(MAX_JSON_BYTES + 1) },
      { ...split, metadata: `${split.metadata}x` },
      { metadata: 'é'.repeat(MAX_JSON_BYTES / 2) },
      { metadata: Array.from({ length: 100_000 }, () => 1) },
    ])
      expect(refused({ code: 'AUTH-001', ...over })).toMatchObject({
        code: 'TOO_LARGE',
        reason: expect.stringContaining(String(MAX_JSON_BYTES)),
      });
  });

  test('V7: a repair never makes an event too large', () => {
    const of = login({ metadata: 'x'.repeat(MAX_JSON_BYTES - 2), ipAddress: 'x'.repeat(5000) });
    expect(of.draft.ipAddress).toBeNull();
    expect(originalOf(of)).toEqual({ ip_address: `${'x'.repeat(1999)}…` });
  });

  test('V7: 32 levels of JSON are kept, 33 refused with the limit named, any depth without harm', () => {
    const nested = (levels: number, open: string, close: string): unknown =>
      JSON.parse(open.repeat(levels) + '1' + close.repeat(levels));
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      expect(login({ metadata: nested(32, open, close) }).warnings).toEqual([]);
      for (const levels of [33, 5_000])
        expect(refused({ code: 'AUTH-001', requestData: nested(levels, open, close) })).toEqual({
          code: 'TOO_LARGE',
          reason: '`requestData` is nested more than 32 levels deep.',
          warnings: [],
        });
    }
  });

  test('P1: metadata that is no object makes room for what had to be set aside', () => {
    for (const metadata of ['text', 5, false, [1, 2]])
      expect(draftOf({ metadata, ipAddress: '?' }).metadata).toEqual({
        value: metadata,
        _original: { ip_address: '?' },
      });
    expect(draftOf({ metadata: { a: 1 }, ipAddress: '?' }).metadata).toEqual({
      a: 1,
      _original: { ip_address: '?' },
    });
    expect(draftOf({ metadata: false }).metadata).toBe(false);
  });
});

describe('fields nobody knows', () => {
  test('P1, P3: are kept in metadata._original, with a warning each; null ones are nothing', () => {
    const of = login({ remark: 'x', id: 7, createdAt: 'then', reason: { a: [1] }, nothing: null });
    expect(originalOf(of)).toEqual({ remark: 'x', id: 7, created_at: 'then', reason: { a: [1] } });
    expect(warned(of).toSorted()).toEqual(['createdAt', 'id', 'reason', 'remark']);
  });

  test('P1: may have the names of what every object has', () => {
    const of = prepared(
      JSON.parse(
        '{"code":"AUTH-001","__proto__":{"x":1},"constructor":"c","toString":"t","hasOwnProperty":1}',
      ),
    );
    expect(JSON.parse(JSON.stringify(originalOf(of)))).toEqual(
      JSON.parse('{"__proto__":{"x":1},"constructor":"c","toString":"t","hasOwnProperty":1}'),
    );
    expect(warned(of).toSorted()).toEqual([
      '__proto__',
      'constructor',
      'hasOwnProperty',
      'toString',
    ]);
    expect(
      JSON.stringify(login({ metadata: JSON.parse('{"__proto__":{"a":1}}') }).draft.metadata),
    ).toBe('{"__proto__":{"a":1}}');
  });

  test('P15: have their names and values mended', () => {
    const of = login({ 'a\0b': 'c\0d', '\ud800': { '\0': '\udfff' } });
    expect(originalOf(of)).toEqual({ 'a\uFFFDb': 'c\uFFFDd', '\uFFFD': { '\uFFFD': '\uFFFD' } });
    expect(warned(of).toSorted()).toEqual(['a\uFFFDb', '\uFFFD'].toSorted());
  });

  test('V7: have long names and huge or deep values cut', () => {
    const deep = JSON.parse('['.repeat(10_000) + ']'.repeat(10_000));
    const of = login({ ['k'.repeat(100_000)]: 1, huge: 'v'.repeat(100_000), deep });
    const kept = originalOf(of) as Record<string, unknown>;
    expect(
      Object.keys(kept)
        .map((key) => key.length)
        .toSorted((a, b) => a - b),
    ).toEqual([4, 4, 100]);
    expect(kept['huge']).toHaveLength(2000);
    expect(JSON.stringify(kept).length).toBeLessThan(3000);
  });

  test('S4: have no text made of them in which no key says what is masked', () => {
    const siswa = { nilai: { fisika: 99 }, isi: 'budi@sekolah.id '.repeat(300) };
    const of = login({ siswa, daftar: [{ nilai: 99 }, 'x'.repeat(3_000)] });
    expect(originalOf(of)).toEqual({
      siswa: { nilai: { fisika: 99 }, isi: expect.stringMatching(/^(budi@sekolah\.id ?)+…$/) },
      daftar: '3017 bytes…',
    });
  });

  test('V7: over 32 KB of them are refused with the limit named', () => {
    const many = Object.fromEntries(
      Array.from({ length: 50_000 }, (_, index) => [`k${index}`, 'v']),
    );
    expect(refused({ code: 'AUTH-001', ...many })).toMatchObject({
      code: 'TOO_LARGE',
      reason: expect.stringContaining(String(MAX_JSON_BYTES)),
    });
  });
});

test('I7: whatever a field is, an event is completed or refused, and what is completed can be stored', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const nasty: unknown[] = [
    null, undefined, true, false, 0, -0, 1, -1, 0.5, 1e308, 5e-324, Number.NaN, Infinity, 2 ** 53, 10n, Symbol('s'), () => 1,
    '', ' ', '\0', '\ud800', 'x'.repeat(5000), '😀'.repeat(5000), 'NULL', '{}', '"', '\\', `'; DROP TABLE events; --`, '=1+1', '<script>',
    '__proto__', 'constructor', '2025-06-19T07:30:52.123Z', '2025-06-19T07:30:52', 'now', '::1', '1.2.3.4', '-1', '1e999',
    {}, [], [[]], [null], [undefined], [Symbol('t')], ['\0'], { a: undefined }, { '\0': 1 }, JSON.parse('{"__proto__":1}'), Object.create(null),
    new Date(), new Map(), circle, Object.freeze({ a: '\0' }),  { a: 1n },
  ]; // oxfmt-ignore
  const bases = [{ code: 'AUTH-001' }, { category: 'AUTH', type: 'T', name: 'N' }];
  const results = [...inputNames, 'id', 'unknown', '__proto__', 'reason'].flatMap((field) =>
    nasty.flatMap((value) =>
      bases.map((base) =>
        complete(Object.fromEntries([...Object.entries(base), [field, value]]), now),
      ),
    ),
  );
  const drafts = results.flatMap((result) => (isRejection(result) ? [] : [result.draft]));
  expect(drafts.length).toBeGreaterThan(results.length / 2);
  for (const draft of drafts) expect(whatCannotBeStored(draft)).toEqual([]);
  for (const { reason } of results.filter(isRejection)) expect(reason).not.toBe('');
});

/** The names of the values in a draft that PostgreSQL would refuse or change. */
const whatCannotBeStored = (draft: Draft): string[] =>
  inputNames.filter((name) => {
    const value = draft[name];
    if (value === null) return false;
    const json = JSON.stringify(value) as string | undefined;
    if (json === undefined || /\\u0000|\\ud[89a-f]/i.test(json)) return true;
    const { kind, max } = { max: Infinity, ...fields[name] };
    return kind !== 'json' && typeof value === 'string' && Array.from(value).length > max;
  });

test('the source is never changed', () => {
  const source = Object.freeze({
    code: 'auth-001',
    userId: '5',
    metadata: Object.freeze({ a: '\0' }),
    tags: Object.freeze(['\0']),
    extra: 1,
  });
  const before = JSON.stringify(source);
  prepared(source);
  expect(JSON.stringify(source)).toBe(before);
});

test.each([1.5, 15.4, '15.9', 2147483647.4])(
  'P1: a user id of %s is nobody’s, and not the next one’s',
  (userId) => {
    const event = login({ userId });
    expect(event.draft.userId).toBeNull();
    expect(warned(event)).toEqual(['userId']);
    expect(originalOf(event)).toEqual({ user_id: userId });
    expect(draftOf({ processingTimeMs: 1.5 }).processingTimeMs).toBe(2);
  },
);

test('I7: of an unknown code with nothing else it is said that it is unknown', () => {
  expect(refused({ code: 'AUTH-999' }).reason).toContain('`code` is not in the catalog');
  expect(refused({ name: 'Nobody knows' }).reason).not.toContain('catalog');
});
