// How much one document may ask for. What is over a limit is refused when it is parsed, before validation, whose work
// may grow with the square of it. A document that the lean lane knows has passed.

import {
  type DocumentNode,
  GraphQLError,
  type OperationDefinitionNode,
  type ParseOptions,
  type SelectionSetNode,
  type Source,
  parse,
} from 'graphql';

// 2,000 tokens can overflow the parser's stack. The longest document is as long as the largest frame of a socket.
const parsing = {
  maxLexicalTokens: 1_000,
  maxSourceLength: 64 * 1024,
} as const satisfies ParseOptions;

// Counted with fragments expanded. The introspection query of GraphiQL is 15 deep and has 230 fields. 150 questions in
// one document took 0.8 s on an empty log; 45 fragments that overlap took validation 0.1 s.
const limits = {
  width: { most: 20, of: 'fields at its root' },
  depth: { most: 20, of: 'levels' },
  fields: { most: 500, of: 'fields' },
} as const;

/** Parses a document. Throws a GraphQLError where it cannot be parsed or is over a limit. */
export const parseWithin = (source: string | Source, options?: ParseOptions): DocumentNode => {
  const document = parse(source, { ...options, ...parsing });
  const sizeOf = sizesIn(document);
  for (const operation of document.definitions)
    if (operation.kind === 'OperationDefinition') refuseLarge(operation, sizeOf(operation));
  return document;
};

const refuseLarge = (operation: OperationDefinitionNode, size: Size): void => {
  for (const [name, { most, of }] of Object.entries(limits)) {
    const has = size[name as keyof Size];
    if (has > most)
      throw new GraphQLError(
        `The operation has ${has} ${of}; at most ${most} are answered at a time.`,
        { nodes: operation },
      );
  }
};

type Size = { readonly [L in keyof typeof limits]: number };
type Selecting = { readonly selectionSet?: SelectionSetNode | undefined };
const NOTHING: Size = { width: 0, depth: 0, fields: 0 };

const sizesIn = ({ definitions }: DocumentNode): ((node: Selecting) => Size) => {
  const fragments = new Map(
    definitions.flatMap((each) =>
      each.kind === 'FragmentDefinition' ? [[each.name.value, each]] : [],
    ),
  );
  const known = new Map<string, Size>();

  const sizeOfFragment = (name: string): Size => {
    const size = known.get(name);
    if (size) return size;
    known.set(name, NOTHING); // one that contains itself is refused by validation
    known.set(name, sizeOf(fragments.get(name) ?? {}));
    return known.get(name)!;
  };

  const sizeOf = ({ selectionSet }: Selecting): Size => {
    let { width, depth, fields } = NOTHING;
    for (const selection of selectionSet?.selections ?? []) {
      const own = selection.kind === 'Field' ? 1 : 0;
      const inner =
        selection.kind === 'FragmentSpread'
          ? sizeOfFragment(selection.name.value)
          : sizeOf(selection);
      width += own || inner.width;
      depth = Math.max(depth, own + inner.depth);
      fields += own + inner.fields;
    }
    return { width, depth, fields };
  };
  return sizeOf;
};
