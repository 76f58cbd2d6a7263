// Frames of a subscription, read cheaply: sockets with the same filter get the same bytes in the same order, so that
// what followed a frame on one socket is tried first on the next; whatever differs is read anew. Numbers are found by searching the text. One frame in a thousand is parsed, to see that it is what it seems.

export type Frame = {
  readonly bytes: Buffer;
  /** Those that its events carry. */
  readonly numbers: readonly number[];
  readonly sum: number;
  /** The last one in it. */
  readonly cursor: string;
  /** What came after it on the socket that was first. */
  next?: Frame;
};

const NUMBER = '"processingTimeMs":';
const CURSOR = '"cursor":"';
const FIELDS = 8;
const SAMPLE = 1_000;

/** Reads a frame, given the one before it on the same socket. */
export const createFrames = (): ((bytes: Buffer, previous?: Frame) => Frame) => {
  let latest: Frame | undefined;
  let count = 0;
  const parse = (bytes: Buffer): Frame => {
    const text = bytes.toString('latin1');
    const numbers = numbersIn(text);
    if (count++ % SAMPLE === 0) inspect(bytes, numbers.length);
    const sum = numbers.reduce((total, number) => total + number, 0);
    return { bytes, numbers, sum, cursor: cursorIn(text) };
  };
  return (bytes, previous) => {
    const known = [previous?.next, latest].find((frame) => frame?.bytes.equals(bytes));
    latest = known ?? parse(bytes);
    if (previous && previous !== latest) previous.next = latest;
    return latest;
  };
};

const numbersIn = (text: string): number[] => {
  const numbers: number[] = [];
  for (let at = text.indexOf(NUMBER); at >= 0; at = text.indexOf(NUMBER, at + NUMBER.length))
    numbers.push(Number.parseInt(text.slice(at + NUMBER.length, at + NUMBER.length + 16), 10));
  return numbers;
};

const cursorIn = (text: string): string => {
  const from = text.lastIndexOf(CURSOR) + CURSOR.length;
  return text.slice(from, text.indexOf('"', from));
};

type Payload = {
  readonly errors?: unknown;
  readonly data: null | {
    readonly eventLogged?: { readonly event: object };
    readonly eventStream?: { readonly events: readonly object[] };
  };
};

const inspect = (bytes: Buffer, expected: number): void => {
  const text = bytes.toString();
  const { type, payload } = JSON.parse(text) as { type: string; payload: Payload };
  const { eventLogged, eventStream } = payload.data ?? {};
  const events = eventLogged ? [eventLogged.event] : (eventStream?.events ?? []);
  const complete = events.every((event) => Object.keys(event).length === FIELDS);
  if (type !== 'next' || payload.errors || events.length !== expected || !complete)
    throw new Error(`A frame is not as expected: ${text.slice(0, 600)}`);
};
