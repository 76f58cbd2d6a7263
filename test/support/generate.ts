// Believable events of a school's day, the same for the same seed: requests, logins, scores and predictions in bulk, attacks
// and deployments rarely, people with Indonesian names, and nobody at all behind a good part of it.

import { type Definition, catalog } from '../../src/events/catalog.ts';
import type { EventInput } from '../../src/events/fields.ts';
import type { Severity, Status } from '../../src/events/vocabulary.ts';

export type Generation = {
  readonly seed: number;
  readonly count: number;
  /** No event is later than this, and none earlier than `spanMs` before it; they come in the order of time. */
  readonly now: Date;
  readonly spanMs: number;
};

/** Yields the events one by one, so that a benchmark may ask for millions. */
export function* generateEvents({ seed, count, now, spanMs }: Generation): Generator<EventInput> {
  const random = createRandom(seed);
  const step = spanMs / count;
  for (let index = 0; index < count; index++) {
    const timestamp = now.getTime() - spanMs + (index + random.number()) * step;
    yield { ...eventOf(random), timestamp: instantOf(timestamp, random) };
  }
}

/** The events in lists of `size`, as a call to the log carries them. */
export function* inCalls<T>(events: Iterable<T>, size: number): Generator<T[]> {
  let call: T[] = [];
  for (const event of events) {
    call.push(event);
    if (call.length < size) continue;
    yield call;
    call = [];
  }
  if (call.length > 0) yield call;
}

export type Random = ReturnType<typeof createRandom>;

/** Mulberry32: chance that can be repeated. */
export const createRandom = (seed: number) => {
  let state = seed;
  const number = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number): number => Math.floor(number() * bound);
  return {
    number,
    below,
    pick: <T>(items: readonly T[]): T => items[below(items.length)]!,
    chance: (share: number): boolean => number() < share,
  };
};

// The first is by far the most frequent, the last by far the least, as it is with people, routes and severities.
const favour = <T>(random: Random, items: readonly T[]): T =>
  items[Math.floor(random.number() ** 2 * items.length)]!;

const given = ['Ahmad', 'Siti', 'Budi', 'Dewi', 'Rizki', 'Putri', 'Agus', 'Nur', 'Wayan', 'Ketut'];
const family = ['Santoso', 'Rahmawati', 'Siregar', 'Hidayat', 'Wulandari', 'Nasution', 'Saputra'];
const roles = ['GURU', 'SISWA', 'WALI_KELAS', 'KEPALA_SEKOLAH', 'ADMIN'] as const;

const people = given.flatMap((first, place) =>
  family.map((last, row) => ({
    userId: place * family.length + row + 1,
    username: `${first}.${last}`.toLowerCase(),
    userRole: roles[(place + row) % roles.length]!,
  })),
);
const students = people.map(({ userId, username }) => ({
  resourceType: 'STUDENT',
  resourceId: `STD-2025-${String(userId).padStart(3, '0')}`,
  resourceName: username.replace(/(^|\.)[a-z]/g, (head) => head.replace('.', ' ').toUpperCase()),
}));

const routes = [
  'GET /api/siswa',
  'POST /api/auth/login',
  'GET /api/siswa/{id}',
  'GET /api/dashboard',
  'POST /api/prediksi/individual',
  'PUT /api/nilai/{id}',
  'POST /api/presensi',
  'GET /api/prediksi/riwayat',
  'POST /api/prediksi/batch',
  'DELETE /api/siswa/{id}',
  'GET /api/laporan/ekspor',
  'POST /api/prediksi/train',
].map((route) => {
  const [httpMethod = '', endpoint = ''] = route.split(' ');
  return { httpMethod, endpoint };
});

const agents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64)',
  'Mozilla/5.0 (Android 14)',
  'curl/8.5',
];
const weights = { DEBUG: 8, INFO: 8, WARNING: 4, ERROR: 3, CRITICAL: 1 } as const;
const tickets = [...catalog.values()].flatMap((definition) =>
  Array.from({ length: weights[definition.severity] }, () => definition),
);

const eventOf = (random: Random): EventInput => {
  const kind = random.number();
  const event =
    kind < 0.35
      ? request(random)
      : kind < 0.42
        ? userAction(random)
        : catalogued(random, kind < 0.52 ? catalog.get('PRED-002')! : random.pick(tickets));
  return { ...actor(random), ...origin(random), ...event };
};

const actor = (random: Random): EventInput => (random.chance(0.25) ? {} : favour(random, people));

const origin = (random: Random): EventInput =>
  random.chance(0.2)
    ? {}
    : {
        ipAddress: random.chance(0.1)
          ? `2001:db8::${(random.below(0xffff) + 1).toString(16)}`
          : `10.${random.below(4)}.${random.below(256)}.${random.below(256)}`,
        userAgent: random.pick(agents),
        sessionId: `sess_${random.below(2000).toString(36)}`,
      };

/** Nothing, 0, or mostly short with a long tail. */
const duration = (random: Random): EventInput =>
  random.chance(0.2)
    ? {}
    : {
        processingTimeMs: random.chance(0.05) ? 0 : Math.round(20 / (1 - random.number() * 0.999)),
      };

const outcomes: readonly (readonly [number, Status, Severity])[] = [
  [200, 'SUCCESS', 'DEBUG'],
  [404, 'FAILED', 'INFO'],
  [403, 'DENIED', 'WARNING'],
  [500, 'ERROR', 'ERROR'],
];

/** What the middleware sends: of no code. */
const request = (random: Random): EventInput => {
  const { httpMethod, endpoint } = favour(random, routes);
  const [status_code, status, severity] = outcomes[Math.floor(random.number() ** 4 * 4)]!;
  return {
    category: 'SYSTEM',
    type: 'API_REQUEST',
    name: 'API Request',
    action: httpMethod,
    status,
    severity,
    httpMethod,
    endpoint,
    ...duration(random),
    ...(status === 'ERROR' ? { errorCode: 'E500', errorMessage: 'koneksi terputus' } : {}),
    metadata: { status_code },
    tags: ['api', 'request', httpMethod.toLowerCase()],
  };
};

/** What the browser's logger sends: of no code either. */
const userAction = (random: Random): EventInput => {
  const action = random.pick(['VIEW', 'CREATE', 'UPDATE', 'SEARCH']);
  return {
    category: 'DATA',
    type: 'USER_ACTION',
    name: `${action} STUDENT`,
    action,
    status: 'SUCCESS',
    ...favour(random, students),
    metadata: { halaman: '/siswa', urutan: random.below(50) },
    tags: ['user_action', action.toLowerCase()],
  };
};

const catalogued = (random: Random, definition: Definition): EventInput => ({
  code: definition.code,
  ...(random.chance(0.5) ? favour(random, students) : {}),
  ...(random.chance(0.6) ? favour(random, routes) : {}),
  ...(random.chance(0.05) ? { status: random.pick(['FAILED', 'ERROR', 'BLOCKED']) } : {}),
  ...duration(random),
  ...(definition.code === 'PRED-002' ? { responseData: prediction(random) } : {}),
  ...(random.chance(0.3)
    ? { description: `${definition.name}: kelas ${random.below(12) + 1}` }
    : {}),
  metadata: Object.fromEntries(definition.data.map((key) => [key, random.below(1000)])),
  tags: [definition.category.toLowerCase(), definition.action.toLowerCase()],
});

/** Mostly with a confidence in percent; some have none, or one that is text yet a number. */
const prediction = (random: Random): Record<string, unknown> => {
  const result = { prediction: random.pick(['TINGGI', 'SEDANG', 'RENDAH']) };
  const confidence = Math.round((50 + random.number() * 50) * 100) / 100;
  const kind = random.number();
  if (kind < 0.05) return result;
  if (kind < 0.07) return { ...result, confidence: null };
  return { ...result, confidence: kind < 0.1 ? ` ${confidence}e0` : confidence };
};

/** To the millisecond as JavaScript sends it, or to the microsecond as Python does. */
const instantOf = (ms: number, random: Random): string => {
  const text = new Date(ms).toISOString();
  return random.chance(0.5)
    ? text
    : `${text.slice(0, -1)}${String(random.below(999) + 1).padStart(3, '0')}Z`;
};
