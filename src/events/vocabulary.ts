// The closed vocabularies of the specification: categories, severities and statuses. Each is a table, a line per
// item; the GraphQL enums and the REST values are computed from these, and the database's checks say the same.

/** The eight categories, with the prefix their codes carry and their names in both languages. */
// oxfmt-ignore
export const categories = {
  AUTH: { prefix: 'AUTH', en: 'Authentication', id: 'Autentikasi' },
  DATA: { prefix: 'DATA', en: 'Data management', id: 'Pengelolaan data' },
  PRED: { prefix: 'PRED', en: 'Prediction', id: 'Prediksi' },
  MODEL: { prefix: 'MODEL', en: 'Model management', id: 'Pengelolaan model' },
  SYSTEM: { prefix: 'SYS', en: 'System', id: 'Sistem' },
  SECURITY: { prefix: 'SEC', en: 'Security', id: 'Keamanan' },
  ANALYTICS: { prefix: 'ANLY', en: 'Analytics', id: 'Analitik' },
  ADMIN: { prefix: 'ADMIN', en: 'Administration', id: 'Administrasi' },
} as const;
export type Category = keyof typeof categories;

/**
 * The five severities, least first: the order of the lines is the order of severity. `retentionDays` is how long an
 * event is kept; `partitionDays` is how wide its partitions are then (expired partitions are dropped whole, so narrower
 * ones free space sooner, and wider ones keep planning cheap).
 */
// oxfmt-ignore
export const severities = {
  DEBUG: { retentionDays: 7, partitionDays: 2, response: 'None', en: 'Detail for finding faults', id: 'Rincian untuk pelacakan kesalahan' },
  INFO: { retentionDays: 30, partitionDays: 10, response: 'None', en: 'Normal operation', id: 'Operasi normal' },
  WARNING: { retentionDays: 90, partitionDays: 30, response: 'Monitor', en: 'Worth keeping an eye on', id: 'Perlu dipantau' },
  ERROR: { retentionDays: 180, partitionDays: 60, response: 'Investigate', en: 'Something failed and needs a cause', id: 'Terjadi kegagalan, sebabnya perlu dicari' },
  CRITICAL: { retentionDays: 365, partitionDays: 120, response: 'Immediate Action', en: 'Act now', id: 'Perlu tindakan segera' },
} as const;
export type Severity = keyof typeof severities;

/** What became of the action an event records. The specification leaves the domain open; this closes it. */
// oxfmt-ignore
export const statuses = {
  STARTED: 'The action has begun and its end will be another event.',
  SUCCESS: 'The action did what it was asked to do.',
  FAILED: 'The action did not succeed for a reason the caller can mend, such as a wrong password.',
  ERROR: 'The action broke: a fault of the system, not of the caller.',
  DENIED: 'The actor had no permission.',
  BLOCKED: 'A protection stopped the action.',
  ALERT: 'No action: a condition was observed that somebody should know of.',
} as const;
export type Status = keyof typeof statuses;

/** What counts as a failure: everything that was to succeed and did not. */
export const statusesOfFailure: readonly Status[] = ['FAILED', 'ERROR', 'DENIED', 'BLOCKED'];

export const categoryNames = Object.keys(categories) as [Category, ...Category[]];
export const severityNames = Object.keys(severities) as [Severity, ...Severity[]];
export const statusNames = Object.keys(statuses) as [Status, ...Status[]];

/** How severe, as a number that grows with severity: DEBUG 0 … CRITICAL 4. */
export const rankOf = (severity: Severity): number => severityNames.indexOf(severity);

/** Outside which nothing is wanted; undefined is any. */
export type Bounds = {
  readonly severities?: readonly Severity[] | undefined;
  readonly categories?: readonly Category[] | undefined;
};
