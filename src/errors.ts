// The ways a call can fail that callers act upon. Every refusal has one of these codes, on every door, and a message that
// says what to do next; anything else is a fault of ours and is reported without detail.

export const errorCodes = {
  UNAUTHENTICATED: {
    status: 401,
    about: 'No credential, or one that is unknown, revoked or expired.',
  },
  FORBIDDEN: {
    status: 403,
    about: 'The credential is good but may not do this; the message says why.',
  },
  BAD_USER_INPUT: {
    status: 400,
    about:
      'The request is malformed or breaks a stated limit. Over HTTP 404, 405, 406, 413 or 415 where that says it better.',
  },
  CONFLICT: { status: 409, about: 'The eventId is taken by an event with other content.' },
  OVERLOADED: {
    status: 503,
    about: 'More was sent or asked than can be done now; try again after `retryAfterMs`.',
  },
  CURSOR_EXPIRED: { status: 410, about: 'What came after the cursor is no longer kept.' },
  CURSOR_INVALID: { status: 400, about: 'The cursor is not one of this log.' },
  TOO_EXPENSIVE: {
    status: 400,
    about: 'The question asks for too much at a time; the message says what to narrow.',
  },
  TIMEOUT: {
    status: 504,
    about:
      'The question took longer than `JEJAK_QUESTION_TIMEOUT_MS` and was stopped; the message says what to narrow.',
  },
  UNAVAILABLE: {
    status: 503,
    about:
      'The database cannot be reached, or has no room or time for it, now; try again with the same eventId.',
  },
} as const satisfies Record<string, { status: number; about: string }>;

export type ErrorCode = keyof typeof errorCodes;

type Options = {
  readonly cause?: unknown;
  /** Of the answer over HTTP, where it is not that of the code. */
  readonly status?: number;
  /** After how many milliseconds it may be tried again; published beside the code. */
  readonly retryAfterMs?: number;
};

/** A refusal with a stable code. */
export class JejakError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: Options = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'JejakError';
    this.code = code;
    this.status = options.status ?? errorCodes[code].status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export const isUnavailable = (error: unknown): error is JejakError =>
  error instanceof JejakError && error.code === 'UNAVAILABLE';

/** For who has left: nobody hears it. */
export const cutOff = (): JejakError =>
  new JejakError('BAD_USER_INPUT', 'The request was cut off.');
