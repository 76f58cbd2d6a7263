// The stories of a school day: who plays them, how often, and their scenes in order. A story with a person in it is
// one session, from the login to the logout.

import type { Cast } from './cast.ts';
import { access } from './scenes/access.ts';
import { learning } from './scenes/learning.ts';
import { running } from './scenes/running.ts';
import type { Scene } from './scenes/scene.ts';
import type { Role } from './school.ts';

const sceneTable = { ...access, ...learning, ...running };
export const scenes: Readonly<Record<SceneName, Scene>> = sceneTable;
export type SceneName = keyof typeof sceneTable;

/** A scene, or a part of the story that is repeated, left to chance, or played only where something holds. */
export type Part = SceneName | Passage;
export type Passage = {
  readonly parts: readonly Part[];
  readonly times?: readonly [number, number];
  readonly share?: number;
  readonly when?: (cast: Cast) => boolean;
  readonly otherwise?: readonly Part[];
};

export type Story = {
  readonly name: string;
  readonly actor: Role | 'intruder' | 'system';
  readonly often: number;
  /** Also while the school is closed: from home, by a machine, by a stranger. */
  readonly always?: true;
  readonly parts: readonly Part[];
};

const each = (least: number, most: number, ...parts: Part[]): Part => ({ parts, times: [least, most] }); // oxfmt-ignore
const maybe = (share: number, ...parts: Part[]): Part => ({ parts, share });
const either = (share: number, rare: readonly Part[], common: readonly Part[]): Part => ({ parts: rare, share, otherwise: common }); // oxfmt-ignore
const when = (holds: (cast: Cast) => boolean, ...parts: Part[]): Part => ({ parts, when: holds });

const unsure: Part = when(({ confidence }) => confidence < 60, 'PRED-009');
const request: Part = {
  parts: ['API_REQUEST', when(({ request: { ms } }) => ms > 1000, 'SYS-007')],
};
const predict: Part = {
  parts: ['PRED-010', 'PRED-001', either(0.04, ['PRED-003'], ['PRED-002', unsure])],
};

// oxfmt-ignore
const storyTable: readonly Story[] = [
  { name: 'presensi kelas', actor: 'GURU', often: 10, parts: ['ANLY-001', each(8, 20, 'DATA-006'), maybe(0.3, 'DATA-007')] },
  { name: 'nilai ulangan', actor: 'GURU', often: 12, always: true, parts: [request, each(5, 14, 'DATA-004'), maybe(0.12, 'DATA-010'), maybe(0.4, each(1, 3, 'DATA-005'))] },
  { name: 'koreksi nilai', actor: 'GURU', often: 5, always: true, parts: [request, each(1, 3, 'DATA-005')] },
  { name: 'prediksi siswa', actor: 'GURU', often: 10, parts: [each(2, 6, predict), maybe(0.3, 'PRED-007')] },
  { name: 'laporan kelas', actor: 'GURU', often: 5, parts: ['ANLY-001', 'ANLY-006', 'ANLY-003', 'ANLY-002', maybe(0.4, 'ANLY-005')] },
  { name: 'ganti kata sandi', actor: 'GURU', often: 1, parts: ['AUTH-004'] },
  { name: 'pintu yang salah', actor: 'GURU', often: 1.5, parts: [request, each(1, 2, 'AUTH-009')] },

  { name: 'siswa baru', actor: 'ADMIN', often: 3, parts: [each(1, 4, 'DATA-001', 'DATA-008'), maybe(0.4, 'ADMIN-001')] },
  { name: 'pembaruan data', actor: 'ADMIN', often: 4, parts: [each(2, 5, 'DATA-002'), maybe(0.1, 'DATA-003')] },
  { name: 'impor dan ekspor', actor: 'ADMIN', often: 1, parts: ['DATA-011', maybe(0.3, 'DATA-010'), 'DATA-012', maybe(0.1, 'SEC-009')] },
  { name: 'prediksi massal', actor: 'ADMIN', often: 1, parts: ['PRED-004', either(0.12, ['PRED-006'], ['PRED-005', 'PRED-008'])] },
  { name: 'model baru', actor: 'ADMIN', often: 0.6, parts: ['MODEL-001', either(0.12, ['MODEL-003'], ['MODEL-002', 'MODEL-005', 'MODEL-009', maybe(0.4, 'MODEL-006')])] },
  { name: 'urusan akun', actor: 'ADMIN', often: 1, parts: ['ADMIN-002', maybe(0.2, 'ADMIN-004'), maybe(0.2, 'ADMIN-005')] },

  { name: 'tinjauan pagi', actor: 'KEPALA_SEKOLAH', often: 3, parts: ['ANLY-001', each(1, 3, 'ANLY-003'), 'ANLY-008', maybe(0.6, 'ANLY-002')] },
  { name: 'melihat nilai', actor: 'SISWA', often: 24, always: true, parts: [each(2, 6, request)] },

  { name: 'pemantauan', actor: 'system', often: 4, always: true, parts: [each(1, 2, 'ANLY-010'), maybe(0.15, 'SYS-005'), maybe(0.1, 'SYS-006')] },
  { name: 'cadangan', actor: 'system', often: 0.4, always: true, parts: [either(0.08, ['SYS-010'], ['SYS-009'])] },
  { name: 'tebak kata sandi', actor: 'intruder', often: 0.7, always: true, parts: [each(8, 18, 'GUESS'), 'SEC-002', 'AUTH-005'] },
  { name: 'pengintaian', actor: 'intruder', often: 0.6, always: true, parts: [each(2, 6, 'SEC-005'), maybe(0.5, 'SEC-003')] },
];

const arrival: readonly Part[] = [
  maybe(0.07, each(1, 2, 'AUTH-002')),
  'AUTH-001',
  maybe(0.3, 'AUTH-006'),
];
const departure: Part = either(0.15, ['AUTH-010'], ['AUTH-003']);

const withSession = (story: Story): Story =>
  story.actor === 'system' || story.actor === 'intruder'
    ? story
    : { ...story, parts: [...arrival, ...story.parts, departure] };

export const stories: readonly Story[] = storyTable.map(withSession);
