// Who is asking, and what they may do.

/** What a key may be allowed to do, a line each. */
export const scopes = {
  write: 'Log events.',
  read: 'Read events, reports and the catalog, and subscribe.',
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
