// A scene is what one event tells: which request it was, how long that takes, how long people take before it, and the
// part of the event that depends on the cast.

import type { EventInput } from '../../src/events/fields.ts';
import type { Cast } from '../cast.ts';

export type Scene = {
  readonly route?: `${'GET' | 'POST' | 'PUT' | 'DELETE'} /${string}`;
  /** The median of its processing time. */
  readonly ms?: number;
  /** The least and the most seconds that pass before it. */
  readonly pause: readonly [number, number];
  readonly tell: (cast: Cast) => EventInput;
};

export const aboutStudent = ({ student }: Cast) => ({
  resourceType: 'STUDENT',
  resourceId: student.id,
  resourceName: student.name,
});

export const aboutModel = (version: string) => ({
  resourceType: 'ML_MODEL',
  resourceId: version,
  resourceName: 'Pohon keputusan C4.5',
});

export const nameOf = ({ person }: Cast): string => person?.name ?? 'Sistem';

export const TERM = { semester: 'GANJIL', academic_year: '2025/2026' } as const;
