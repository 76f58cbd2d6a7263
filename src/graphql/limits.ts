// How much one document may ask for. What is over a limit is refused before anything runs; a document that the lean lane
// knows has passed.

import {
  type ASTVisitor,
  GraphQLError,
  type ParseOptions,
  type SelectionSetNode,
  type ValidationContext,
  specifiedRules,
} from 'graphql';

/** 2,000 tokens can overflow the parser's stack; the longest document is as long as the largest frame of a socket. */
export const parseLimits = {
  maxTokens: 1_000,
  maxSourceLength: 64 * 1024,
} as const satisfies ParseOptions;

// Counted with fragments expanded. The introspection query of GraphiQL is 15 deep and has 230 fields. 150 questions in
// one document took 0.8 s on an empty log.
const limits = {
  width: { most: 20, of: 'fields at its root' },
  depth: { most: 20, of: 'levels' },
  fields: { most: 500, of: 'fields' },
} as const;

type Size = { readonly [L in keyof typeof limits]: number };
const NOTHING: Size = { width: 0, depth: 0, fields: 0 };

export const sizeRule = (context: ValidationContext): ASTVisitor => {
  const fragments = new Map<string, Size>();

  const sizeOfFragment = (name: string): Size => {
    const known = fragments.get(name);
    if (known) return known;
    fragments.set(name, NOTHING); // one that contains itself is an error of its own
    const size = sizeOf(context.getFragment(name)?.selectionSet);
    fragments.set(name, size);
    return size;
  };

  const sizeOf = (set: SelectionSetNode | undefined): Size => {
    let { width, depth, fields } = NOTHING;
    for (const selection of set?.selections ?? []) {
      const isField = selection.kind === 'Field';
      const inner =
        selection.kind === 'FragmentSpread'
          ? sizeOfFragment(selection.name.value)
          : sizeOf(selection.selectionSet);
      width += isField ? 1 : inner.width;
      depth = Math.max(depth, inner.depth + (isField ? 1 : 0));
      fields += inner.fields + (isField ? 1 : 0);
    }
    return { width, depth, fields };
  };

  return {
    OperationDefinition: (operation) => {
      const size = sizeOf(operation.selectionSet);
      for (const [name, { most, of }] of Object.entries(limits))
        if (size[name as keyof Size] > most)
          context.reportError(
            new GraphQLError(
              `The operation has ${size[name as keyof Size]} ${of}; at most ${most} are answered at a time.`,
              { nodes: operation },
            ),
          );
      return false;
    },
  };
};

export const rules = [...specifiedRules, sizeRule];
