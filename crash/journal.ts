// A file in which a process enters what it does, a line of JSON each and each in one write, so that it is there however the
// process ends. What a kill tore off in the middle of a line is cut away by the process that opens the file next.

import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  truncateSync,
} from 'node:fs';

export type Journal<T> = {
  /** What was entered before it was opened. */
  readonly entries: readonly T[];
  readonly enter: (entry: T) => void;
};

const NEWLINE = 0x0a;

export const openJournal = <T>(path: string): Journal<T> => {
  const { lines, bytes } = wholeLines(path);
  if (existsSync(path)) truncateSync(path, bytes);
  return {
    entries: lines.map((line) => JSON.parse(line) as T),
    enter: (entry) => appendFileSync(path, `${JSON.stringify(entry)}\n`),
  };
};

export const readJournal = <T>(path: string): T[] =>
  wholeLines(path).lines.map((line) => JSON.parse(line) as T);

/** What another process entered since it was asked last. */
export const tailJournal = <T>(path: string): (() => T[]) => {
  let from = 0;
  return () => {
    const { lines, bytes } = wholeLines(path, from);
    from += bytes;
    return lines.map((line) => JSON.parse(line) as T);
  };
};

const wholeLines = (path: string, from = 0): { lines: string[]; bytes: number } => {
  const bytes = existsSync(path) ? readFrom(path, from) : Buffer.alloc(0);
  const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
  return { lines: whole.toString().split('\n').slice(0, -1), bytes: whole.length };
};

const readFrom = (path: string, from: number): Buffer => {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - from));
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from));
  } finally {
    closeSync(file);
  }
};
