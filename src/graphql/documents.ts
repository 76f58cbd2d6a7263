// Documents that were found valid, each parsed and validated once, whoever sends it and by whichever door; the ones that the
// operator lists, which may be asked for by their id; and who may ask for what the schema itself is.

import { createHash } from 'node:crypto';
import { type DocumentNode, type GraphQLError, validate, visit } from 'graphql';
import { type Viewer, lacking, may, unidentified } from '../access/viewer.ts';
import { JejakError } from '../errors.ts';
import { type DocumentLimits, type Parse, createParse } from './limits.ts';
import { schema } from './schema.ts';

export type Documents = {
  /** Parses within the limits. */
  readonly parse: Parse;
  readonly known: (source: string) => DocumentNode | undefined;
  /** Notes that a document is valid. Of nobody's nothing is kept: they could have it fill with what nobody asks. */
  readonly learn: (document: DocumentNode, viewer: Viewer | null) => void;
  /** The document, or what is wrong with it. */
  readonly read: (
    source: string,
    viewer: Viewer | null,
  ) => DocumentNode | readonly (GraphQLError | JejakError)[];
  /** The listed document of an id; throws BAD_USER_INPUT where there is none. */
  readonly named: (id: string) => string;
  /** Throws FORBIDDEN where only listed documents are answered and this is none. */
  readonly assertListed: (source: string, viewer: Viewer | null) => void;
  /** Throws FORBIDDEN or UNAUTHENTICATED where a document asks for the schema and the viewer may not. */
  readonly assertMayAsk: (document: DocumentNode, viewer: Viewer | null) => void;
  /** Whether mistakes are answered without what in the schema is spelt alike. */
  readonly hidesSuggestions: (viewer: Viewer | null) => boolean;
};

export type DocumentOptions = {
  /** To whom the schema is shown. */
  readonly introspection: 'everyone' | 'admin';
  /** Documents by an id of the operator's choice. */
  readonly listed: Readonly<Record<string, string>>;
  /** Whether others are answered to administrators only. */
  readonly onlyListed: boolean;
  readonly limits: DocumentLimits;
};

const MAX_KNOWN = 500;
const MAX_CHARACTERS = 8_000;

/** Throws where a listed document is not valid. */
export const createDocuments = ({
  introspection,
  listed,
  onlyListed,
  limits,
}: DocumentOptions): Documents => {
  const parse = createParse(limits);
  const known = new Map<string, DocumentNode>();
  const byId = new Map(Object.entries(listed).flatMap(([id, source]) => [[id, source], [hashOf(source), source]])); // oxfmt-ignore
  const kept = new Map<string, DocumentNode>(); // of those that are listed, which are never forgotten
  for (const [id, source] of Object.entries(listed)) kept.set(source, validated(id, parse(source)));

  const recall = (source: string): DocumentNode | undefined =>
    known.get(source) ?? kept.get(source);
  const learn = (document: DocumentNode, viewer: Viewer | null): void => {
    const source = document.loc?.source.body;
    if (!viewer || source === undefined || source.length > MAX_CHARACTERS || recall(source)) return;
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value!);
    known.set(source, document);
  };
  const mayAsk = (viewer: Viewer | null): boolean =>
    introspection === 'everyone' || may(viewer, 'admin');
  const assertMayAsk = (document: DocumentNode, viewer: Viewer | null): void => {
    if (mayAsk(viewer) || !asksForSchema(document)) return;
    if (viewer) throw lacking(viewer, 'admin');
    throw new JejakError('UNAUTHENTICATED', 'The schema is shown to administrators only.');
  };
  const assertListed = (source: string, viewer: Viewer | null): void => {
    if (!onlyListed || kept.has(source) || may(viewer, 'admin')) return;
    if (!viewer) throw unidentified();
    throw new JejakError('FORBIDDEN', 'Only documents that the operator has listed in JEJAK_DOCUMENTS are answered; ask for this one to be listed, and send it as it is there, or its `documentId`.'); // oxfmt-ignore
  };

  return {
    parse,
    known: recall,
    learn,
    read: (source, viewer) => {
      try {
        assertListed(source, viewer);
        const before = recall(source);
        const document = before ?? parse(source);
        const hideSuggestions = !mayAsk(viewer);
        const mistakes = before ? [] : validate(schema, document, undefined, { hideSuggestions });
        if (mistakes.length > 0) return mistakes;
        learn(document, viewer);
        assertMayAsk(document, viewer);
        return document;
      } catch (error) {
        return [error as GraphQLError | JejakError];
      }
    },
    named: (id) => {
      const source = byId.get(id);
      if (source !== undefined) return source;
      throw new JejakError('BAD_USER_INPUT', `There is no document "${id.slice(0, 100)}"; ${onlyListed ? 'ask the operator to list it' : 'send the text in `query`'}.`); // oxfmt-ignore
    },
    assertListed,
    assertMayAsk,
    hidesSuggestions: (viewer) => !mayAsk(viewer),
  };
};

export const isDocument = (read: ReturnType<Documents['read']>): read is DocumentNode =>
  'kind' in read;

/** As the draft of GraphQL over HTTP names a document: https://github.com/graphql/graphql-over-http, Appendix A. */
const hashOf = (source: string): string =>
  `sha256:${createHash('sha256').update(source).digest('hex')}`;

const validated = (id: string, document: DocumentNode): DocumentNode => {
  const [mistake] = validate(schema, document);
  if (mistake) throw new Error(`The document "${id}" is not valid: ${mistake.message}`);
  return document;
};

const asking = new WeakMap<DocumentNode, boolean>();

const asksForSchema = (document: DocumentNode): boolean => {
  const before = asking.get(document);
  if (before !== undefined) return before;
  let asks = false;
  visit(document, { Field: ({ name }) => void (asks ||= /^__(schema|type)$/.test(name.value)) });
  asking.set(document, asks);
  return asks;
};
