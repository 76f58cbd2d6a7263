// What a query selects below a field, so that only that is read.

import type { FieldNode, GraphQLResolveInfo, SelectionNode } from 'graphql';

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
