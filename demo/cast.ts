// What the events of one story have in common: who acts, from where, upon whom. It changes as the story goes on: each
// repetition is about another student.

import { randomBytes } from 'node:crypto';
import { around, between, chance, drawn, oneOf, whole } from './dice.ts';
import {
  type Device,
  type Person,
  type Role,
  type Student,
  addressOf,
  classes,
  deviceOf,
  intruderAddress,
  intruders,
  people,
  students,
} from './school.ts';

/** A request of the API: what it asks for, how long it usually takes and how often it breaks. */
type Endpoint = {
  readonly path: string;
  readonly often: number;
  readonly ms: number;
  readonly breaks: number;
};

// oxfmt-ignore
const endpoints: readonly Endpoint[] = [
  { path: '/api/siswa/{id}', often: 20, ms: 45, breaks: 0.004 },
  { path: '/api/nilai/{id}', often: 30, ms: 70, breaks: 0.02 },
  { path: '/api/presensi/{id}', often: 20, ms: 60, breaks: 0.01 },
  { path: '/api/jadwal', often: 12, ms: 30, breaks: 0 },
  { path: '/api/pengumuman', often: 10, ms: 25, breaks: 0 },
  { path: '/api/rapor/{id}', often: 7, ms: 780, breaks: 0.08 },
  { path: '/api/prediksi/riwayat', often: 5, ms: 210, breaks: 0.04 },
];

export type Cast = {
  /** When the scene at hand takes place, and how long it took; milliseconds. */
  at: number;
  tookMs: number;
  readonly begun: number;
  readonly person: Person | undefined;
  readonly device: Device | undefined;
  readonly agent: string | undefined;
  readonly address: string | undefined;
  readonly sessionId: string | undefined;
  readonly className: string;
  readonly subject: string;
  /** The account that an intruder is after. */
  readonly target: Person;
  readonly model: string;
  readonly newModel: string;
  readonly accuracy: number;
  readonly size: number;
  student: Student;
  score: number;
  oldScore: number;
  confidence: number;
  request: { readonly path: string; readonly ms: number; readonly breaks: boolean };
  /** How often the scene at hand has been repeated, from 1. */
  turn: number;
};

/** Of the day, as EduPro numbers its models: v2025.06.19.001. */
const modelOf = (at: number): string =>
  `v${new Date(at).toISOString().slice(0, 10).replaceAll('-', '.')}.001`;

const WEEK_MS = 7 * 86_400_000;

/** Those who act in a story that begins at `at`: a person of the role, an intruder, or for `system` nobody. */
export const castFor = (actor: Role | 'intruder' | 'system', at: number): Cast => {
  const person = personOf(actor);
  const device = person && deviceOf(person);
  const intruder = actor === 'intruder';
  const className = oneOf(classes);
  return {
    at,
    tookMs: 0,
    begun: at,
    person,
    device,
    agent: intruder ? oneOf(intruders) : device?.agent,
    address: intruder ? intruderAddress() : device && addressOf(device),
    sessionId: person && `sess_${randomBytes(9).toString('hex')}`,
    className,
    subject: person?.subject ?? 'Matematika',
    target: oneOf(people.filter(({ role }) => role === 'ADMIN' || role === 'KEPALA_SEKOLAH')),
    model: modelOf(at - WEEK_MS),
    newModel: modelOf(at),
    accuracy: rounded(between(82, 91)),
    size: whole(120, 320),
    student: oneOf(listOf(className)),
    ...turnOf(),
    turn: 1,
  };
};

/** The next student on the class list, and what there is to say of that one. */
export const nextTurn = (cast: Cast): void => {
  Object.assign(cast, turnOf());
  const list = listOf(cast.className);
  cast.student = list[(list.indexOf(cast.student) + 1) % list.length]!;
  cast.turn++;
};

const listOf = (className: string): readonly Student[] =>
  students.filter((student) => student.className === className);

const personOf = (actor: string): Person | undefined => {
  const candidates = people.filter(({ role }) => role === actor);
  return candidates.length === 0 ? undefined : oneOf(candidates);
};

const SLOW_MS = 2_600;

const turnOf = () => {
  const score = whole(62, 98);
  const endpoint = drawn(endpoints, ({ often }) => often);
  const ms = chance(0.02) ? SLOW_MS : endpoint.ms;
  return {
    score,
    oldScore: score - whole(2, 14),
    confidence: chance(0.1) ? rounded(between(48, 60)) : rounded(between(71, 96)),
    request: {
      path: endpoint.path,
      ms: Math.round(around(ms)),
      breaks: chance(endpoint.breaks),
    },
  };
};

export const rounded = (value: number): number => Math.round(value * 10) / 10;
