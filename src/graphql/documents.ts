// Documents that were found valid, each parsed and validated once, whoever sends it and by whichever door.

import { type DocumentNode, type GraphQLError, validate } from 'graphql';
import { parseWithin } from './limits.ts';
import { schema } from './schema.ts';

export type Documents = {
  readonly known: (source: string) => DocumentNode | undefined;
  /** Notes that a document is valid. */
  readonly learn: (document: DocumentNode) => void;
  /** The document, or what is wrong with it. */
  readonly read: (source: string) => DocumentNode | readonly GraphQLError[];
};

const MAX_KNOWN = 500;
const MAX_CHARACTERS = 8_000;

export const createDocuments = (): Documents => {
  const known = new Map<string, DocumentNode>();

  const learn = (document: DocumentNode): void => {
    const source = document.loc?.source.body;
    if (source === undefined || source.length > MAX_CHARACTERS || known.has(source)) return;
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value!);
    known.set(source, document);
  };

  return {
    known: (source) => known.get(source),
    learn,
    read: (source) => {
      const document = known.get(source);
      if (document) return document;
      try {
        const parsed = parseWithin(source);
        const mistakes = validate(schema, parsed);
        if (mistakes.length > 0) return mistakes;
        learn(parsed);
        return parsed;
      } catch (error) {
        return [error as GraphQLError];
      }
    },
  };
};

export const isDocument = (read: DocumentNode | readonly GraphQLError[]): read is DocumentNode =>
  'kind' in read;
