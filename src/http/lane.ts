// The lean lane: plain JSON posts of a document that was validated before are executed here, at about twice the rate of
// the full stack, with the same answers; a test sends the same requests down both. Whatever is not plain, new to us, or
// cannot be executed at all is left to yoga. Documents are compiled once.

import { type ASTNode, type DocumentNode, type ExecutionResult, type GraphQLError, type OperationDefinitionNode, getOperationAST, visit } from 'graphql'; // oxfmt-ignore
import { isTold } from '../access/viewer.ts';
import type { Pulse } from '../database/pulse.ts';
import type { Context } from '../graphql/builder.ts';
import { type Compiled, compile } from '../graphql/compile.ts';
import type { Documents } from '../graphql/documents.ts';
import { schema } from '../graphql/schema.ts';
import { tellingReads } from '../graphql/told.ts';
import { published } from './public-error.ts';
import { createSharing } from './sharing.ts';

export type Answer = {
  readonly status: number;
  readonly mediaType: string;
  readonly text: string;
  /** Why there is nothing else in it. */
  readonly error?: unknown;
};

/** The answer to a body, as it was sent and as it was read, or undefined where it is not for this lane; nothing has been executed
 * then. */
export type Lane = (
  sent: string,
  body: unknown,
  accept: string | undefined,
  context: Context,
) => Promise<Answer | undefined>;

type LaneParts = {
  readonly known: Documents['known'];
  readonly assertMayAsk: Documents['assertMayAsk'];
  readonly mask: (error: unknown) => GraphQLError;
  readonly guard: Pulse['guard'];
};

export const createLane = ({ known, assertMayAsk, mask, guard }: LaneParts): Lane => {
  const compiled = new WeakMap<DocumentNode, Compiled | undefined>();
  const sharing = createSharing<Omit<Answer, 'mediaType'> | undefined>();

  return async (sent, body, accept, context) => {
    const mediaType = mediaTypeOf(accept);
    const request = mediaType === undefined ? undefined : readRequest(body);
    const document = request && known(request.query);
    if (!mediaType || !document || !context.viewer) return undefined;
    const operation = getOperationAST(document, request.operationName as string | null);
    if (!operation || overridesDefault(operation, request.variables)) return undefined;
    if (!compiled.has(document))
      compiled.set(document, isPlain(document) ? compile(schema, document) : undefined);
    const query = compiled.get(document);
    if (!query) return undefined;
    const ask = async (asking: Context) => {
      try {
        assertMayAsk(document, context.viewer);
        const result = await tellingReads(asking, request, (telling) =>
          guard(() => query(undefined, telling, request.variables)),
        );
        // Without `data` the variables were refused before anything ran.
        return 'data' in result ? render(result, mask) : undefined;
      } catch (error) {
        return { error, ...render({ errors: [error] }, mask) };
      }
    };
    const { viewer, isGone } = context;
    const isShared = !isTold(viewer) && operation.operation === 'query';
    const answer = await (isShared
      ? sharing(viewer, sent, (areGone) => ask({ ...context, isGone: areGone }), isGone)
      : ask(context));
    return answer && { mediaType, ...answer };
  };
};

/** One query or mutation, whose variables are whole values: graphql-jit 0.8.9 leaves out one that is inside a JSON literal. */
const isPlain = (document: DocumentNode): boolean => {
  const operations = document.definitions.filter((each) => each.kind === 'OperationDefinition');
  let inside = false;
  const look = { enter: (node: ASTNode) => void visit(node, { Variable: () => void (inside = true) }) }; // oxfmt-ignore
  visit(document, { ObjectValue: look, ListValue: look });
  return operations.length === 1 && operations[0]!.operation !== 'subscription' && !inside;
};

/** With a default a variable may stand where null may not, and graphql-jit 0.8.9 hands the null on. */
const overridesDefault = (
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Request['variables'],
): boolean =>
  variableDefinitions.some(
    ({ variable, defaultValue }) => defaultValue && variables[variable.name.value] === null,
  );

type Request = {
  readonly query: string;
  readonly variables: Record<string, unknown>;
  readonly operationName: unknown;
};

const usual: ReadonlySet<string> = new Set(['query', 'variables', 'operationName']);

const readRequest = (body: unknown): Request | undefined => {
  if (typeof body !== 'object' || body === null) return undefined;
  if (!Object.keys(body).every((key) => usual.has(key))) return undefined;
  const { query, variables, operationName = null } = body as Record<string, unknown>;
  if (typeof query !== 'string') return undefined;
  if (variables === undefined || variables === null) return { query, variables: {}, operationName };
  return typeof variables === 'object' && !Array.isArray(variables)
    ? { query, variables: variables as Record<string, unknown>, operationName }
    : undefined;
};

const mediaTypes = ['application/graphql-response+json', 'application/json'];

/** The first of ours that the client names, as yoga chooses; undefined where it names none. */
const mediaTypeOf = (accept = '*/*'): string | undefined => {
  if (accept === '*/*') return 'application/json';
  if (mediaTypes.includes(accept)) return accept;
  return accept
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .find((part) => mediaTypes.includes(part));
};

/** A compiled document says where an error is without the nodes from which it follows. */
const locationsOf = (error: unknown) => (error as Partial<GraphQLError>).locations;

type Result = {
  readonly data?: ExecutionResult['data'];
  readonly errors?: readonly unknown[] | undefined;
};

/** The whole answer as text, with the status that its errors ask for. */
export const render = (
  result: Result,
  mask: (error: unknown) => GraphQLError,
): Pick<Answer, 'status' | 'text'> => {
  if (!result.errors) return { status: 200, text: JSON.stringify(result) };
  let status = 200;
  const errors = result.errors.map((error) => {
    const { status: asked, told } = published(mask(error));
    const { message, locations = locationsOf(error), path, extensions } = told;
    status = Math.max(status, asked);
    return { message, locations, path, extensions };
  });
  return { status, text: JSON.stringify({ data: result.data, errors }) };
};
