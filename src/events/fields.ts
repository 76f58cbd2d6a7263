// What an event is made of: each column of the specification once, a line each. The table, the input's validation, who
// sees it, the GraphQL types, the insert list and the REST names are all computed from these lines; a new field is a line here and
// a migration.

/**
 * `kind` decides how a value is validated, stored and published. `by` says who supplies it: the caller may ('caller'), or
 * only the server does ('server'). `max` is the most characters of a text; over it a text is cut with a mark, an id refused.
 * A `required` field is never null in the log (the caller may still leave it out where the catalog or the server knows it).
 */
export type Field = {
  readonly column: string;
  readonly kind: Kind;
  readonly by: 'caller' | 'server';
  readonly max?: number;
  readonly min?: number; // of an integer
  readonly unbounded?: true; // TEXT in the database: `max` is our cap, not the column's
  readonly required?: true;
  /** Who sees it, or what is stored instead; see `actions`. Without it everybody who reads. JSON is protected key by key. */
  readonly privacy?: 'mask' | 'hash';
  readonly about: string;
};
export type Kind =
  | 'position'
  | 'identifier'
  | 'text'
  | 'integer'
  | 'address'
  | 'json'
  | 'tags'
  | 'time'
  | 'code'
  | 'category'
  | 'severity'
  | 'status';

// oxfmt-ignore
export const fields = {
  id: { column: 'id', kind: 'position', by: 'server', required: true, about: 'Number of the row: its batch number × 1024 plus its place in the batch. 64-bit, unique, not an order.' },
  eventId: { column: 'event_id', kind: 'identifier', by: 'caller', max: 50, required: true, about: 'Identity of the event, at most 50 characters. Supplied by the caller it makes the call idempotent; otherwise the server makes one, such as AUTH-001-20250619-143052-….' },
  code: { column: 'code', kind: 'code', by: 'caller', max: 20, about: 'Which of the 84 catalogued events this is, such as AUTH-001. Null for an uncatalogued event.' },
  category: { column: 'event_category', kind: 'category', by: 'caller', max: 20, required: true, about: 'One of the eight categories. Follows from the code where there is one.' },
  type: { column: 'event_type', kind: 'text', by: 'caller', max: 50, required: true, about: 'Family of the event, such as USER_LOGIN. Follows from the code where there is one.' },
  name: { column: 'event_name', kind: 'text', by: 'caller', max: 100, required: true, about: 'Name of the event, such as "User Login Success". Follows from the code where there is one.' },
  description: { column: 'event_description', kind: 'text', by: 'caller', max: 4000, unbounded: true, about: 'What happened, in words, at most 4,000 characters.' },
  userId: { column: 'user_id', kind: 'integer', by: 'caller', about: 'Number of the user who acted.' },
  username: { column: 'username', kind: 'text', by: 'caller', max: 50, privacy: 'mask', about: 'Name of the user who acted, at most 50 characters.' },
  userRole: { column: 'user_role', kind: 'text', by: 'caller', max: 20, about: 'Role the user acted in, such as GURU, at most 20 characters.' },
  ipAddress: { column: 'ip_address', kind: 'address', by: 'caller', privacy: 'mask', about: 'IPv4 or IPv6 address the action came from. One that cannot exist is stored as null, its text kept in metadata.' },
  userAgent: { column: 'user_agent', kind: 'text', by: 'caller', max: 1000, unbounded: true, about: 'User agent of the client, at most 1,000 characters.' },
  sessionId: { column: 'session_id', kind: 'text', by: 'caller', max: 100, privacy: 'hash', about: 'Session the action belongs to. A keyed hash of it is stored, such as h:…, the same for the same session; filters find it by either.' },
  resourceType: { column: 'resource_type', kind: 'text', by: 'caller', max: 50, about: 'Kind of thing acted on, such as STUDENT, at most 50 characters.' },
  resourceId: { column: 'resource_id', kind: 'text', by: 'caller', max: 50, about: 'Identifier of the thing acted on, at most 50 characters.' },
  resourceName: { column: 'resource_name', kind: 'text', by: 'caller', max: 200, privacy: 'mask', about: 'Name of the thing acted on, at most 200 characters.' },
  action: { column: 'action', kind: 'text', by: 'caller', max: 50, required: true, about: 'What was done, such as LOGIN. Defaults to that of the catalog, else to RECORD with a warning.' },
  status: { column: 'status', kind: 'status', by: 'caller', max: 20, required: true, about: 'What became of the action. Defaults to that of the catalog, else by severity: SUCCESS for DEBUG and INFO, ERROR for ERROR, ALERT for the rest, with a warning.' },
  httpMethod: { column: 'http_method', kind: 'text', by: 'caller', max: 10, about: 'HTTP method of the request, at most 10 characters.' },
  endpoint: { column: 'endpoint', kind: 'text', by: 'caller', max: 200, about: 'Route of the request, best as a template such as /api/siswa/{id}, at most 200 characters.' },
  requestData: { column: 'request_data', kind: 'json', by: 'caller', about: 'What was asked, as JSON. With responseData and metadata at most 32 KB.' },
  responseData: { column: 'response_data', kind: 'json', by: 'caller', about: 'What was answered, as JSON. With requestData and metadata at most 32 KB.' },
  errorMessage: { column: 'error_message', kind: 'text', by: 'caller', max: 8000, unbounded: true, about: 'Message of the error, at most 8,000 characters.' },
  errorCode: { column: 'error_code', kind: 'text', by: 'caller', max: 20, about: 'Code of the error, at most 20 characters.' },
  processingTimeMs: { column: 'processing_time_ms', kind: 'integer', by: 'caller', min: 0, about: 'How long the action took, in milliseconds, 0 or more. Leave it out where it does not apply: 0 drags averages down.' },
  timestamp: { column: 'timestamp', kind: 'time', by: 'caller', required: true, about: "When it happened, to the microsecond. Defaults to the server's time; more than 5 minutes ahead of it is replaced by it, older than the retention is rejected." },
  metadata: { column: 'metadata', kind: 'json', by: 'caller', about: 'Anything else worth keeping, as JSON. `_original` in it holds what had to be repaired. With requestData and responseData at most 32 KB.' },
  tags: { column: 'tags', kind: 'tags', by: 'caller', max: 100, about: 'Labels, at most 50 of at most 100 characters.' },
  severity: { column: 'severity', kind: 'severity', by: 'caller', max: 20, required: true, about: 'How severe, which decides how long it is kept. Defaults to that of the catalog, else INFO.' },
  createdAt: { column: 'created_at', kind: 'time', by: 'server', required: true, about: "When the log stored it, by the database's clock." },
  updatedAt: { column: 'updated_at', kind: 'time', by: 'server', required: true, about: "Always equal to createdAt: events do not change. Kept for the specification's sake." },
} as const satisfies Record<string, Field>;

export type FieldName = keyof typeof fields;
export const fieldNames = Object.keys(fields) as FieldName[];

/** The fields a caller may supply, in the order of the table. */
export type InputName = {
  [N in FieldName]: (typeof fields)[N]['by'] extends 'caller' ? N : never;
}[FieldName];
export const inputNames = fieldNames.filter(
  (name): name is InputName => fields[name].by === 'caller',
);

type Values = {
  position: number;
  identifier: string;
  text: string;
  integer: number;
  address: string;
  json: unknown;
  tags: readonly string[];
  time: string;
  code: string;
  category: import('./vocabulary.ts').Category;
  severity: import('./vocabulary.ts').Severity;
  status: import('./vocabulary.ts').Status;
};
type ValueOf<F extends Field> = F extends { required: true }
  ? Values[F['kind']]
  : Values[F['kind']] | null;

/** An event as it is stored and published. Times are ISO 8601 in UTC with milliseconds or microseconds. */
export type Event = { readonly [N in FieldName]: ValueOf<(typeof fields)[N]> };

/** What a caller says of an event, every field optional; what is missing is completed from the catalog. */
export type EventInput = {
  readonly [N in InputName]?: Values[(typeof fields)[N]['kind']] | null | undefined;
};

/** The most events one call may carry, and so the most in a batch, which holds whole calls. */
export const MAX_EVENTS_PER_CALL = 1000;
/** The most bytes of JSON (request, response and metadata together) in one event. */
export const MAX_JSON_BYTES = 32 * 1024;
/** The most levels of nesting in an event's JSON. */
export const MAX_JSON_DEPTH = 32;
/** The most tags on an event. */
export const MAX_TAGS = 50;
