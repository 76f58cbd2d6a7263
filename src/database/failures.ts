// What a failed statement means: the data are at fault, the moment is, or we are.

import { JejakError } from '../errors.ts';

export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** The values can never be stored as they are: SQLSTATE classes 22 (data) and 23 (constraints), and 54 (limits). */
export const isDataError = (error: unknown): boolean => /^(22|23|54)...$/.test(codeOf(error));

/** No partition takes the row. */
export const isMissingPartition = (error: unknown): boolean =>
  codeOf(error) === '23514' && (error as { routine?: string }).routine === 'ExecFindPartition';

/** A partition would overlap another. */
export const isOverlap = (error: unknown): boolean => codeOf(error) === '42P17';

/** A batch with this key was committed already. */
export const isCommittedKey = (error: unknown): boolean =>
  codeOf(error) === '23505' &&
  (error as { constraint_name?: string }).constraint_name === 'batches_key_key';

/** Another transaction held what was needed for too long, or waited for us. */
export const isLockedOut = (error: unknown): boolean => /^(55P03|40P01)$/.test(codeOf(error));

// oxfmt-ignore
const transient = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '57014', // query_canceled: by hand, or after the time that its pool gives it
  '57P01', '57P02', '57P03', // shutting down, crashed, starting up
  '53200', // out_of_memory, mostly that of locks
  '53300', // too_many_connections
  '25006', // read_only_sql_transaction: it is another's standby now
  'CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT',
  'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ENOENT', 'ETIMEDOUT',
  'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', // the name or the way is gone with it
]);

/** What a failure means to a caller: its own refusal, or UNAVAILABLE where the database was lost; undefined for a fault. */
export const refusalOf = (error: unknown): JejakError | undefined => {
  if (error instanceof JejakError) return error;
  if (codeOf(error) === DISK_FULL) return full(error);
  if (codeOf(error) === OUT_OF_MEMORY) return outOfMemory(error);
  if (isTimeout(error)) return timeout(error);
  return isTransient(error) ? unavailable(error) : undefined;
};

/** A statement was stopped after the time that its pool gives it, and not by hand. */
const isTimeout = (error: unknown): boolean =>
  codeOf(error) === '57014' && !(error as Error).message.includes('user request');

const timeout = (cause: unknown): JejakError =>
  new JejakError(
    'TIMEOUT',
    'The question took too long and was stopped; narrow it: a shorter `range`, a category or severity, a `code`, a `userId` or `resourceId`. Without `totalCount` a page may be quick.',
    { cause },
  );

export const unavailable = (cause?: unknown): JejakError =>
  new JejakError(
    'UNAVAILABLE',
    'The database cannot be reached now; try again. With the same `eventId` an event is never stored twice.',
    { cause, retryAfterMs: 1_000 },
  );

/** What is done, or UNAVAILABLE where nothing is heard of it for so long, as behind a lock or on a connection that carries
 * nothing. It may be done yet. */
export const inTime = async <T>(work: Promise<T>, ms = UNHEARD_MS): Promise<T> => {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(unheard()), ms);
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
};

const UNHEARD_MS = 10_000;

/** That nothing was heard of it, for a reason that may be its own. */
export const unheard = (): JejakError =>
  new JejakError(
    'UNAVAILABLE',
    'The database was not done with this in time, as where another transaction holds what it needs; try again. With the same `eventId` an event is never stored twice.',
    { retryAfterMs: 1_000 },
  );

const DISK_FULL = '53100';
const OUT_OF_MEMORY = '53200';

const outOfMemory = (cause: unknown): JejakError =>
  new JejakError(
    'UNAVAILABLE',
    'PostgreSQL had no memory left for this; try again. Where its log says "out of shared memory", raise `max_locks_per_transaction`.',
    { cause, retryAfterMs: 1_000 },
  );

export const full = (cause?: unknown): JejakError =>
  new JejakError(
    'UNAVAILABLE',
    'The disk of the log is full; what it holds can be read, and nothing more is stored before there is room. Try again later, with the same `eventId`.',
    { cause, retryAfterMs: 5_000 },
  );

/** Worth another try: the connection was lost, the server is away for a moment, or another transaction was in the way. */
export const isTransient = (error: unknown): boolean =>
  transient.has(codeOf(error)) || codeOf(error).startsWith('08');
