// What the readers subscribe to, a line each; they take them in turn. A payload has `event` or `events`.

import { compared } from './event.ts';

const selection = `${compared.join(' ')} metadata`;

export const subscriptions = {
  eventLogged: `eventLogged(after: $after) { cursor event { ${selection} } }`,
  eventStream: `eventStream(after: $after) { cursor events { ${selection} } replay lagMs }`,
};
export type SubscriptionName = keyof typeof subscriptions;
