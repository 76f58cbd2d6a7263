// Who is asking, and what they may do.

/** What a viewer may be allowed to do, a line each. */
export const scopes = {
  'events:write': 'Log events.',
  'events:read': 'Read events, reports and the catalog, and subscribe.',
  'events:read_personal': 'See what is personal in the events that may be read.',
  'events:export': 'Take events out in bulk.',
  'alerts:write': 'Decide what raises an alert, and acknowledge alerts.',
  admin: 'Everything, and making and revoking keys.',
} as const;
export type Scope = keyof typeof scopes;
export const scopeNames = Object.keys(scopes) as [Scope, ...Scope[]];

export type Viewer = {
  readonly keyId: number;
  readonly name: string;
  readonly scopes: readonly Scope[];
};

export const may = (viewer: Viewer | null, scope: Scope): boolean =>
  viewer !== null && (viewer.scopes.includes(scope) || viewer.scopes.includes('admin'));
