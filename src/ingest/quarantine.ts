// Where refused events wait to be mended: the original as it was sent, with the reason, for as long as the shortest
// retention. Mending is logging it again with some fields replaced.

import type { Sql } from '../database/connection.ts';
import { inTime, unheard } from '../database/failures.ts';
import type { Rejection } from '../events/complete.ts';
import { cut, cutValues } from '../events/cut.ts';
import { severities, severityNames } from '../events/vocabulary.ts';

export type Quarantined = {
  readonly id: number;
  readonly receivedAt: string;
  readonly keyName: string;
  readonly code: Rejection['code'];
  readonly reason: string;
  /** The event as it was sent, under its API names, its largest values cut where it was too large; text where it was cut as a
   * whole or was no JSON. */
  readonly source: unknown;
  /** Of the id under which it is logged again; nobody can guess it. */
  readonly tail: string;
};

export type Quarantine = {
  readonly keep: (
    keyName: string,
    refused: readonly { readonly source: unknown; readonly rejection: Rejection }[],
  ) => Promise<void>;
  /** The latest first. */
  readonly list: (limit: number, before?: number) => Promise<Quarantined[]>;
  readonly find: (id: number) => Promise<Quarantined | undefined>;
  readonly release: (id: number) => Promise<void>;
  /** Drops what has waited too long, and says how many. */
  readonly purge: () => Promise<number>;
};

/** More of an original is not kept: its largest values are cut, and where that is too much still, all of it. */
const MAX_BYTES = 64 * 1024;
const KEPT_DAYS = Math.min(...severityNames.map((name) => severities[name].retentionDays));

/** Callers of which something was refused wait no longer for it to be kept. */
const PATIENCE_MS = 2_000;

/** `assertRoom` throws where the disk has none. */
export const createQuarantine = (sql: Sql, assertRoom = (): void => {}): Quarantine => {
  const columns = sql`id, received_at AS "receivedAt", key_name AS "keyName", code, reason, source, tail`;
  type Row = Omit<Quarantined, 'source'> & { readonly source: string };
  const read = ({ source, tail, ...row }: Row): Quarantined => ({
    ...row,
    source: JSON.parse(source),
    tail: inLetters(tail),
  });
  // One statement at a time keeps all that waits, and fails for all of them.
  let waiting: (readonly string[])[] = [];
  let last: Promise<unknown> = Promise.resolve();
  let next: Promise<void> | undefined;
  let hangs = false;
  const keepWaiting = async (): Promise<void> => {
    const rows = waiting;
    waiting = [];
    next = undefined;
    const late = setTimeout(() => void (hangs = true), PATIENCE_MS);
    try {
      await sql.unsafe(
        `INSERT INTO quarantine (key_name, code, reason, source)
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])`,
        [0, 1, 2, 3].map((column) => rows.map((row) => row[column]!)),
        { prepare: true },
      );
    } finally {
      clearTimeout(late);
      hangs = false;
    }
  };
  return {
    keep: async (keyName, refused) => {
      assertRoom();
      if (hangs) throw unheard();
      for (const { source, rejection } of refused)
        waiting.push([keyName, rejection.code, rejection.reason, textOf(source)]);
      last = next ??= last.catch(() => {}).then(keepWaiting);
      await inTime(next, PATIENCE_MS);
    },
    list: async (limit, before) =>
      (
        await sql<Row[]>`
        SELECT ${columns} FROM quarantine ${before === undefined ? sql`` : sql`WHERE id < ${before}`} ORDER BY id DESC LIMIT ${limit}`
      ).map(read),
    find: async (id) =>
      (await sql<Row[]>`SELECT ${columns} FROM quarantine WHERE id = ${id}`).map(read)[0],
    release: async (id) => void (await sql`DELETE FROM quarantine WHERE id = ${id}`),
    purge: async () =>
      (
        await sql`DELETE FROM quarantine WHERE received_at < clock_timestamp() - make_interval(days => ${KEPT_DAYS})`
      ).count,
  };
};

/** Digits in a row may be taken for a telephone number, and an id that holds one is hashed. */
const inLetters = (hex: string): string => hex.replaceAll(/\d/g, (digit) => 'ghijklmnop'[+digit]!);

/** JSON escapes what PostgreSQL's text cannot hold. */
const textOf = (source: unknown): string => {
  const text = JSON.stringify(source);
  if (Buffer.byteLength(text) <= MAX_BYTES) return text;
  return JSON.stringify(cutValues(JSON.parse(text), MAX_BYTES) ?? cut(text, MAX_BYTES));
};
