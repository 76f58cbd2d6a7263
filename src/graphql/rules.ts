// Who may be answered what, decided beside each type and field and proven when the schema is put together, so that it costs
// nothing later: a root field names the scope it needs (`authScopes`), a type names the scopes of those who may be answered
// with it (`readers`), and no field may lead anybody to a type that is not for them. What has no rule is for nobody: the schema
// is then not made. An argument is for whoever may use its field; an administrator may everything.

import type { SchemaTypes } from '@pothos/core';
import { type GraphQLField, type GraphQLObjectType, type GraphQLSchema, getNamedType, isObjectType } from 'graphql'; // oxfmt-ignore
import type { Scope } from '../access/viewer.ts';

declare global {
  namespace PothosSchemaTypes {
    // oxlint-disable-next-line no-unused-vars -- the parameters are those of the interface it adds to
    interface ObjectTypeOptions<Types extends SchemaTypes = SchemaTypes, Shape = unknown> {
      /** The scopes of those who may be answered with it, any of them. */
      readers: readonly Scope[];
    }
  }
}

/** The scope that each root field needs. */
export type Rules = ReadonlyMap<string, Scope>;

type Options = {
  readonly authScopes?: { readonly may?: Scope };
  readonly readers?: readonly Scope[];
};
type Ruled = GraphQLField<unknown, unknown> | GraphQLObjectType;
const optionsOf = ({ extensions }: Ruled): Options =>
  (extensions as { pothosOptions?: Options }).pothosOptions ?? {};

/** The rules of the root fields, such as `Query.events`. Throws where something has no rule, or leads where another forbids. */
export const rulesOf = (schema: GraphQLSchema): Rules => {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const rules = new Map<string, Scope>();
  for (const root of roots)
    for (const field of Object.values(root?.getFields() ?? {})) {
      const name = `${root!.name}.${field.name}`;
      const scope = optionsOf(field).authScopes?.may;
      if (!scope)
        throw new Error(`${name} is for nobody: name the scope it needs in \`authScopes\`.`);
      rules.set(name, scope);
      if (scope !== 'admin') assertLeads(name, field, scope, new Set());
    }
  return rules;
};

const assertLeads = (
  path: string,
  field: GraphQLField<unknown, unknown>,
  scope: Scope,
  seen: Set<GraphQLObjectType>,
): void => {
  const type = getNamedType(field.type);
  if (!isObjectType(type) || seen.has(type)) return;
  seen.add(type);
  const { readers = [] } = optionsOf(type);
  if (!readers.includes(scope))
    throw new Error(`${path} leads who has ${scope} to ${type.name}, which is for ${readers.join(', ') || 'nobody'}.`); // oxfmt-ignore
  for (const inner of Object.values(type.getFields()))
    assertLeads(`${path}.${inner.name}`, inner, scope, seen);
};
