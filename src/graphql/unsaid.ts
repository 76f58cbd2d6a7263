// A question as the log repeats it: without what it asks for in a condition on JSON where that is never stored, be it written
// in the document, a variable, or within one.

import {
  type ConstValueNode,
  type ObjectFieldNode,
  type ValueNode,
  Kind,
  parse,
  print,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { markOf } from '../events/privacy.ts';
import type { Protection } from '../events/protect.ts';
import { type Keyed, isKeyed } from '../events/text.ts';
import { type Operator, operators } from '../query/json.ts';
import { isSecret } from '../query/secrets.ts';
import type { Asked } from './told.ts';

const MARK = markOf('secret');
const MARK_NODE: ConstValueNode = { kind: Kind.STRING, value: MARK };

type Hides = (path: unknown, operator: Operator, value: unknown) => boolean;

/** The question without secrets; the same text and variables where there are none. */
export const withoutSecrets = (
  { query, variables }: Asked,
  { protect }: Pick<Protection, 'protect'>,
): Asked => {
  const hides: Hides = (path, operator, value) => {
    if (typeof path !== 'string') return operator !== 'exists';
    try {
      return isSecret({ path, operator, value }, protect);
    } catch {
      return true; // no path at all
    }
  };
  const given = isKeyed(variables) ? variables : {};
  const { document, hidden } = query?.includes('path')
    ? cleanDocument(query, given, hides)
    : { document: query, hidden: [] };
  if (Object.keys(given).length === 0) return { query: document, variables };
  const marks = Object.fromEntries(hidden.filter((name) => name in given).map((name) => [name, MARK])); // oxfmt-ignore
  return { query: document, variables: cleanVariables({ ...given, ...marks }, hides) };
};

type Cleaned = { readonly document: string; readonly hidden: readonly string[] };

const cleanDocument = (query: string, variables: Keyed, hides: Hides): Cleaned => {
  const document = parse(query);
  const hidden = new Set<string>();
  const defaults: Record<string, unknown> = {};
  visit(document, {
    VariableDefinition: ({ variable, defaultValue }) => {
      if (defaultValue) defaults[variable.name.value] = valueFromASTUntyped(defaultValue);
    },
  });
  const valueOf = (node: ValueNode): unknown =>
    valueFromASTUntyped(node, { ...defaults, ...variables });
  const mark = (field: ObjectFieldNode): ObjectFieldNode => {
    visit(field, { Variable: ({ name }) => void hidden.add(name.value) });
    return { ...field, value: MARK_NODE };
  };
  const marked = visit(document, {
    ObjectValue: (node) => {
      const path = node.fields.find(({ name }) => name.value === 'path');
      if (!path) return undefined;
      const fields = node.fields.map((field) =>
        isOperator(field.name.value) &&
        hides(valueOf(path.value), field.name.value, valueOf(field.value))
          ? mark(field)
          : field,
      );
      if (fields.every((field, index) => field === node.fields[index])) return undefined;
      return { ...node, fields };
    },
  });
  if (marked === document) return { document: query, hidden: [] };
  const clean = visit(marked, {
    VariableDefinition: (node) =>
      node.defaultValue && hidden.has(node.variable.name.value)
        ? { ...node, defaultValue: MARK_NODE }
        : undefined,
  });
  return { document: print(clean), hidden: [...hidden] };
};

/** As JSON; what cannot be that is told as it is, which is not at all. */
const cleanVariables = (variables: unknown, hides: Hides): unknown => {
  const clean = function (this: unknown, key: string, value: unknown): unknown {
    const path = isOperator(key) && isKeyed(this) ? this['path'] : undefined;
    return path !== undefined && hides(path, key as Operator, value) ? MARK : value;
  };
  try {
    return JSON.parse(JSON.stringify(variables, clean));
  } catch {
    return variables; // thousands of levels deep
  }
};

const isOperator = (name: string): name is Operator => operators.includes(name as Operator);
