// What a query selects below a field, so that only that is read.

import { type ASTNode, type FieldNode, type GraphQLResolveInfo, type SelectionNode, visit } from 'graphql'; // oxfmt-ignore
import { maySeePersonal } from '../access/viewer.ts';
import { type FieldName, fieldNames } from '../events/fields.ts';
import { telling } from '../events/mask.ts';
import type { Context } from './builder.ts';

type Document = Pick<GraphQLResolveInfo, 'fragments'>;

/** The fields right below some fields, those in fragments among them. */
export const fieldsBelow = (nodes: readonly FieldNode[], { fragments }: Document): FieldNode[] => {
  const fieldsIn = (selection: SelectionNode): FieldNode[] => {
    if (selection.kind === 'Field') return [selection];
    const { selectionSet } =
      selection.kind === 'InlineFragment' ? selection : fragments[selection.name.value]!;
    return selectionSet.selections.flatMap(fieldsIn);
  };
  return nodes.flatMap((node) => node.selectionSet?.selections.flatMap(fieldsIn) ?? []);
};

/** The names of all fields below one that is resolved, whatever they are fields of. */
const namesBelow = ({ fieldNodes, fragments }: GraphQLResolveInfo): ReadonlySet<string> => {
  const known = names.get(fieldNodes);
  if (known) return known;
  const found = new Set<string>();
  const seen = new Set<string>();
  const look = (node: ASTNode): void =>
    void visit(node, {
      Field: ({ name }) => void found.add(name.value),
      FragmentSpread: ({ name: { value } }) => {
        if (!seen.has(value)) {
          seen.add(value);
          look(fragments[value]!);
        }
      },
    });
  for (const node of fieldNodes) look(node);
  names.set(fieldNodes, found);
  return found;
};
/** A compiled document has the same nodes each time. */
const names = new WeakMap<readonly FieldNode[], ReadonlySet<string>>();

/** Whether a field of that name is selected anywhere below. */
export const isSelected = (name: string, info: GraphQLResolveInfo): boolean =>
  namesBelow(info).has(name);

const always = ['id', 'code', 'severity', 'timestamp'] as const;
const subject = ['resourceType', 'resourceId'] as const;

/** The columns that the events below a field need: of what is selected, what says how long they are kept and where they stand, by
 * what their texts are masked, and whom their reading is told of. Names that are none of an event's do not matter. */
export const columnsBelow = (
  info: GraphQLResolveInfo,
  { viewer, read }: Pick<Context, 'viewer' | 'read'>,
  others: readonly string[] = [],
): FieldName[] => {
  const masking = maySeePersonal(viewer) ? [] : telling;
  const needed = new Set<string>([...always, ...others, ...masking, ...(read ? subject : [])]);
  const selected = namesBelow(info);
  return fieldNames.filter((name) => needed.has(name) || selected.has(name));
};
