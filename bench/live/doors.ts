// Ways to watch, ours and the rival's, each with the subscription that it is asked for.

import type { Contender } from '../support/contender.ts';
import type { Setting } from '../support/benchmark.ts';
import { install } from '../support/install.ts';
import { type Door, documents, rivalDocument } from '../support/watch.ts';

export const jejak: Contender = {
  name: 'Jejak',
  file: new URL('../servers/jejak.ts', import.meta.url),
  environment: { NODE_ENV: 'production' },
};
const pubsub: Contender = {
  name: 'yoga + createPubSub + graphql-ws',
  file: new URL('../rivals/pubsub.ts', import.meta.url),
  environment: { NODE_ENV: 'production' },
};

export type Way = {
  readonly name: string;
  readonly contender: Contender;
  readonly document: string;
  readonly door?: Door;
};

export const rival: Way = { name: pubsub.name, contender: pubsub, document: rivalDocument };
const wayOf = (door: Door): Way => ({ name: `Jejak, ${door}`, contender: jejak, document: documents[door], door }); // oxfmt-ignore

export const ourWays: readonly Way[] = (Object.keys(documents) as Door[]).map(wayOf);

/** The rival, and ours. */
export const allWays = async ({ say }: Setting): Promise<Way[]> => {
  await install(new URL('../rivals/', import.meta.url), say);
  return [rival, ...ourWays];
};
