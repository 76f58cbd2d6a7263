// An event that can be recognised anywhere: its metadata say which writer sent it, as which of its events, and what it
// contained then.

import { crc32 } from 'node:zlib';
import type { EventInput, InputName } from '../src/events/fields.ts';

export type Mark = { readonly writer: number; readonly sequence: number; readonly hash: number };
export type MarkedEvent = EventInput & { readonly metadata: Mark };

/** What is compared, wherever the event is met again. */
export const compared = [
  'code',
  'username',
  'resourceId',
  'description',
  'endpoint',
  'processingTimeMs',
  'timestamp',
] as const satisfies readonly InputName[];

export type Met = { readonly [N in (typeof compared)[number]]?: unknown } & {
  readonly metadata?: unknown;
};

export const hashOf = (event: Met): number =>
  crc32(JSON.stringify(compared.map((name) => event[name] ?? null)));

export const mark = (event: EventInput, writer: number, sequence: number): MarkedEvent => ({
  ...event,
  metadata: { writer, sequence, hash: hashOf(event) },
});

/** The mark of an event that was met; undefined for one that is not ours. */
export const markOf = (event: Met): Mark | undefined => {
  const found = event.metadata as Partial<Mark> | null | undefined;
  return typeof found?.writer === 'number' && typeof found.sequence === 'number'
    ? (found as Mark)
    : undefined;
};
