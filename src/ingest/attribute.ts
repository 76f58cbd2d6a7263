// Who did it, where that is not the caller's to say: with a user token the actor is the token's, and of the page of a browser
// nothing is believed. What was claimed otherwise is kept in `metadata.claimed`.

import { keep } from '../events/complete.ts';
import { type EventInput, fields } from '../events/fields.ts';
import type { Hash } from '../events/privacy.ts';
import { type Keyed, asKeyed, isKeyed } from '../events/text.ts';

export type Attributed = {
  readonly source: unknown;
  /** The fields of which something else was claimed. */
  readonly claimed: readonly string[];
};

/** An event as it was sent, with what is forced in the place of what was claimed. */
export const attribute = (
  sent: unknown,
  { metadata: forcedMetadata, ...forced }: EventInput,
  hash?: Hash,
): Attributed => {
  if (!isKeyed(sent)) return { source: sent, claimed: [] };
  const added = (forcedMetadata ?? {}) as Keyed;
  const metadata = asKeyed(sent['metadata']);
  const claims = { ...differing(sent, forced, hash), ...differing(metadata, added, hash) };
  const source: Record<string, unknown> = { ...sent, ...forced };
  const claimed = Object.keys(claims);
  if (claimed.length > 0) {
    if (metadata['claimed'] !== undefined) claims['claimed'] = metadata['claimed'];
    const columns = Object.entries(claims).map(([name, value]) => [columnOf(name), value]);
    source['metadata'] = { ...metadata, ...added, claimed: Object.fromEntries(columns) };
  } else if (forcedMetadata) source['metadata'] = { ...metadata, ...added };
  return { source, claimed: claimed.map((name) => (isField(name) ? name : 'metadata')) };
};

/** A number is the same written as text. */
const isSame = (said: unknown, so: unknown): boolean =>
  said === so || (typeof said === 'string' && typeof so === 'number' && Number(said) === so);

/** What is said that is not so. */
const differing = (said: Keyed, so: Keyed, hash?: Hash): Record<string, unknown> =>
  Object.fromEntries(
    Object.keys(so)
      .filter((name) => said[name] != null && !isSame(said[name], so[name]))
      .map((name) => [name, keep(said[name], hash)]),
  );

const isField = (name: string): name is keyof typeof fields => Object.hasOwn(fields, name);
const columnOf = (name: string): string => (isField(name) ? fields[name].column : name);
