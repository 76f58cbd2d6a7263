// How much one document may ask for. What is over a limit is refused when it is parsed, before validation, whose work
// may grow with the square of it. A document that the lean lane knows has passed.

import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type OperationDefinitionNode,
  type ParseOptions,
  type SelectionSetNode,
  type Source,
  getOperationAST,
  getVariableValues,
  parse,
} from 'graphql';

// The introspection query of GraphiQL is 15 deep and has 230 fields. 150 questions in one document took 0.8 s on an empty log;
// 45 fragments that overlap took validation 0.1 s.
export type DocumentLimits = {
  /** 2,000 can overflow the parser's stack. */
  readonly tokens: number;
  /** The longest document is as long as the largest frame of a socket. */
  readonly characters: number;
  /** Fields at the root, levels, and fields in all, counted with fragments expanded. */
  readonly width: number;
  readonly depth: number;
  readonly fields: number;
};

/** Of mistakes in the variables so many are told. Each repeats the whole value, and to look for all took time with its square. */
export const coercion = { maxCoercionErrors: 5 } as const;

/** What is wrong with the variables of an operation; undefined where nothing is. */
export const mistakesIn = ({
  schema,
  document,
  operationName,
  variableValues,
  hideSuggestions,
}: ExecutionArgs): readonly GraphQLError[] | undefined => {
  const { variableDefinitions = [] } = getOperationAST(document, operationName) ?? {};
  const most = { maxErrors: coercion.maxCoercionErrors, hideSuggestions: hideSuggestions ?? false };
  return getVariableValues(schema, variableDefinitions, variableValues ?? {}, most).errors;
};

const words = {
  width: 'fields at its root',
  depth: 'levels',
  fields: 'fields',
} as const satisfies Partial<Record<keyof DocumentLimits, string>>;

export type Parse = (source: string | Source, options?: ParseOptions) => DocumentNode;

/** Parses documents. What it returns throws a GraphQLError where one cannot be parsed or is over a limit. */
export const createParse =
  (limits: DocumentLimits): Parse =>
  (source, options) => {
    const parsing = { maxLexicalTokens: limits.tokens, maxSourceLength: limits.characters };
    const document = parse(source, { ...options, ...parsing });
    const sizeOf = sizesIn(document);
    for (const operation of document.definitions)
      if (operation.kind === 'OperationDefinition')
        refuseLarge(operation, sizeOf(operation), limits);
    return document;
  };

const refuseLarge = (
  operation: OperationDefinitionNode,
  size: Size,
  limits: DocumentLimits,
): void => {
  for (const name of Object.keys(words) as (keyof Size)[]) {
    const [has, most] = [size[name], limits[name]];
    if (has > most)
      throw new GraphQLError(
        `The operation has ${has} ${words[name]}; at most ${most} are answered at a time.`,
        { nodes: operation },
      );
  }
};

type Size = { readonly [L in keyof typeof words]: number };
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
