// Who may be answered what, decided beside each type and field and proven when the schema is put together, so that it costs
// next to nothing later: a root field names the scope it needs (`scope`), which is looked at before it is resolved; a type names
// the scopes of those who may be answered with it (`readers`), and no field may lead anybody to a type that is not for them.
// What has no rule is for nobody: the schema is then not made. An argument is for whoever may use its field; an administrator
// may everything.

import type { FieldNullability, InputFieldMap, SchemaTypes, TypeParam } from '@pothos/core';
import { type GraphQLField, type GraphQLFieldResolver, type GraphQLObjectType, type GraphQLSchema, getNamedType, isObjectType } from 'graphql'; // oxfmt-ignore
import { type Scope, type Viewer, lacking, may } from '../access/viewer.ts';

type Rule = {
  /** The scope that a viewer needs to ask for it. */
  scope: Scope;
};

/* oxlint-disable no-unused-vars -- the parameters are those of the interfaces that are added to */
declare global {
  namespace PothosSchemaTypes {
    interface ObjectTypeOptions<Types extends SchemaTypes = SchemaTypes, Shape = unknown> {
      /** The scopes of those who may be answered with it, any of them. */
      readers: readonly Scope[];
    }
    interface QueryFieldOptions<Types extends SchemaTypes, Type extends TypeParam<Types>, Nullable extends FieldNullability<Type>, Args extends InputFieldMap, ResolveReturnShape> extends Rule {} // oxfmt-ignore
    interface MutationFieldOptions<Types extends SchemaTypes, Type extends TypeParam<Types>, Nullable extends FieldNullability<Type>, Args extends InputFieldMap, ResolveReturnShape> extends Rule {} // oxfmt-ignore
    interface SubscriptionFieldOptions<Types extends SchemaTypes, Type extends TypeParam<Types>, Nullable extends FieldNullability<Type>, Args extends InputFieldMap, ResolveShape, ResolveReturnShape> extends Rule {} // oxfmt-ignore
  }
}
/* oxlint-enable no-unused-vars */

/** The scope that each root field needs. */
export type Rules = ReadonlyMap<string, Scope>;

type Options = {
  readonly scope?: Scope;
  readonly readers?: readonly Scope[];
};
type Field = GraphQLField<unknown, { readonly viewer: Viewer | null }>;
type Ruled = Field | GraphQLObjectType;
const optionsOf = ({ extensions }: Ruled): Options =>
  (extensions as { pothosOptions?: Options }).pothosOptions ?? {};

/** The rules of the root fields, such as `Query.events`. Throws where something has no rule, or leads where another forbids. */
export const rulesOf = (schema: GraphQLSchema): Rules => {
  const rules = new Map<string, Scope>();
  for (const [name, field] of rootFields(schema)) {
    const scope = optionsOf(field).scope;
    if (!scope) throw new Error(`${name} is for nobody: name the scope it needs in \`scope\`.`);
    rules.set(name, scope);
    if (scope !== 'admin') assertLeads(name, field, scope, new Set());
  }
  return rules;
};

const assertLeads = (
  path: string,
  field: Field,
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

/** From here on whoever lacks the scope of a root field is refused before anything is done. */
export const enforce = (schema: GraphQLSchema, rules: Rules): void => {
  for (const [name, field] of rootFields(schema)) {
    const scope = rules.get(name)!;
    const refusing =
      (act: Resolve): Resolve =>
      (root, args, context, info) => {
        if (!may(context.viewer, scope)) throw lacking(context.viewer, scope);
        return act(root, args, context, info);
      };
    // What is delivered later is for whom the subscription was opened.
    if (field.subscribe) field.subscribe = refusing(field.subscribe);
    else field.resolve = refusing(field.resolve!);
  }
};

type Resolve = GraphQLFieldResolver<unknown, { readonly viewer: Viewer | null }>;

function* rootFields(schema: GraphQLSchema): Generator<readonly [name: string, field: Field]> {
  for (const root of [
    schema.getQueryType(),
    schema.getMutationType(),
    schema.getSubscriptionType(),
  ])
    for (const field of Object.values(root?.getFields() ?? {}))
      yield [`${root!.name}.${field.name}`, field];
}
