// Every text that a question or a change takes, as no database could store it: whatever becomes of it, no fault is ours.

import { type GraphQLArgument, type GraphQLInputType, type GraphQLOutputType, getNamedType, isEnumType, isInputObjectType, isLeafType, isListType, isNonNullType, isObjectType } from 'graphql'; // oxfmt-ignore
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { type TestServer, createTestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
  await server.rest({ code: 'AUTH-001' });
  await server.rest([null, 'text', [1], 7, {}]); // into the quarantine
});
afterAll(() => server[Symbol.asyncDispose]());

const texts = ['\\u0000', 'a\\u0000b', '\\ud800', ''];
const numbers: Readonly<Record<string, string>> = { Int: '1', Float: '1.5', Boolean: 'true' };

/** A value that has the text in all that must be said, and at the top in each that is text alone. */
const valueOf = (type: GraphQLInputType, text: string, isTop = true): string => {
  if (isNonNullType(type)) return valueOf(type.ofType, text, isTop);
  if (isListType(type)) return `[${valueOf(type.ofType, text, isTop)}]`;
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (!isInputObjectType(type)) return numbers[type.name] ?? `"${text}"`;
  const said = Object.values(type.getFields()).filter((field) => isNonNullType(field.type) || (isTop && isLeafType(getNamedType(field.type)))); // oxfmt-ignore
  return `{${said.map((field) => `${field.name}: ${valueOf(field.type, text, false)}`).join()}}`;
};

const selectionOf = (type: GraphQLOutputType, level = 0): string => {
  const named = getNamedType(type);
  if (!isObjectType(named)) return '';
  const plain = Object.values(named.getFields()).filter(({ args, type: of }) => args.length === 0 && (level < 2 || isLeafType(getNamedType(of)))); // oxfmt-ignore
  return `{ __typename ${plain.map((field) => `${field.name} ${selectionOf(field.type, level + 1)}`).join(' ')} }`;
};

const documentsOf = (operation: 'query' | 'mutation', text: string): string[] => {
  const root = operation === 'query' ? schema.getQueryType()! : schema.getMutationType()!;
  return Object.values(root.getFields()).flatMap(({ name, args, type }) => {
    const needed = args.filter((arg) => isNonNullType(arg.type));
    const optional = args.filter((arg) => !needed.includes(arg));
    return [needed, ...optional.map((arg) => [...needed, arg])].map((said: GraphQLArgument[]) => {
      const given = said.map((arg) => `${arg.name}: ${valueOf(arg.type, text)}`).join(', ');
      return `${operation} { ${name}${given && `(${given})`} ${selectionOf(type)} }`;
    });
  });
};

test.each(texts)('with the text "%s" every answer has what was asked, or a code', async (text) => {
  let answered = 0;
  for (const document of [...documentsOf('query', text), ...documentsOf('mutation', text)])
    for (const _time of ['by yoga', 'by the lane']) {
      const { errors = [] } = await server.graphql(document);
      const faults = errors.filter(({ extensions }) => ['INTERNAL_SERVER_ERROR', 'UNAVAILABLE'].includes(extensions.code)); // oxfmt-ignore
      expect({ document, faults }).toEqual({ document, faults: [] });
      if (errors.length === 0) answered++;
    }
  expect(answered).toBeGreaterThan(10);
});
