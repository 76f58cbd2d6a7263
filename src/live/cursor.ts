// A cursor says where in the log a reader stands: format version, position, and the fingerprint of the batch it was read
// from, so that one from a history that a failover replaced is recognised. To callers it is an opaque string.

import { BATCH_SPAN } from '../database/schema.ts';
import { JejakError } from '../errors.ts';

/** After the event at `place` of batch `seq`; events follow each other by (seq, place). */
export type Cursor = { readonly seq: number; readonly place: number; readonly fingerprint: number };

/** Before everything that is kept. */
export const EARLIEST = 'earliest';
const VERSION = 1;
const LENGTH = 15;

/** The part of a batch's key that cursors carry. */
export const fingerprintOf = (key: string): number => Number.parseInt(key.slice(0, 8), 16);

export const formatCursor = ({
  seq,
  place,
  key,
}: {
  seq: number;
  place: number;
  key: string;
}): string => {
  const bytes = Buffer.alloc(LENGTH);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeBigUInt64BE(BigInt(seq), 1);
  bytes.writeUInt16BE(place, 9);
  bytes.writeUInt32BE(fingerprintOf(key), 11);
  return bytes.toString('base64url');
};

/** Reads a cursor; undefined stands before everything. Throws CURSOR_INVALID for what this log never gave out. */
export const parseCursor = (text: string): Cursor | undefined => {
  if (text === EARLIEST) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const formed =
    bytes.length === LENGTH && bytes[0] === VERSION && bytes.toString('base64url') === text;
  const seq = formed ? Number(bytes.readBigUInt64BE(1)) : Infinity;
  if (seq > Number.MAX_SAFE_INTEGER)
    throw new JejakError(
      'CURSOR_INVALID',
      `This is not a cursor of this log; use one that came with an event, or "${EARLIEST}".`,
    );
  return {
    seq,
    place: bytes.readUInt16BE(9),
    fingerprint: bytes.readUInt32BE(11),
  };
};

/** The cursor after everything up to a batch; EARLIEST for an empty log. */
export const cursorAfter = (head: { seq: number; key: string } | undefined): string =>
  head && head.seq > 0 ? formatCursor({ ...head, place: BATCH_SPAN - 1 }) : EARLIEST;
