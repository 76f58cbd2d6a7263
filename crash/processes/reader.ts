// A reader that may be killed: it enters each payload with its cursor in one write, and when it is started again goes on
// after the last cursor that it entered.

import { WebSocket } from 'ws';
import { follow } from '../../clients/javascript/follow.js';
import type { Met } from '../event.ts';
import { openJournal } from '../journal.ts';
import { ADMIN_KEY } from '../server.ts';
import { type SubscriptionName, subscriptions } from '../subscriptions.ts';

/** What it remembers when it is started again. The last two are the negative control. */
const memories = {
  all: (read: readonly Read[]) => read.at(-1)?.cursor ?? 'earliest',
  some: (read: readonly Read[]) => read.at(-5)?.cursor ?? 'earliest',
  none: (read: readonly Read[]) => (read.length === 0 ? 'earliest' : undefined),
};

export type ReaderSettings = {
  readonly journal: string;
  readonly url: string;
  readonly subscription: SubscriptionName;
  readonly memory: keyof typeof memories;
};
/** What came at once, and where the reader then stood. */
export type Read = { readonly cursor: string; readonly events: readonly Met[] };

const settings = JSON.parse(process.argv[2]!) as ReaderSettings;
const { entries, enter } = openJournal<Read>(settings.journal);
const following = follow<Partial<Read> & { cursor: string; event?: Met }>({
  url: settings.url,
  authorization: `Bearer ${ADMIN_KEY}`,
  query: `subscription($after: String) { ${subscriptions[settings.subscription]} }`,
  after: memories[settings.memory](entries),
  webSocketImpl: WebSocket,
});
for await (const { cursor, events, event } of following)
  enter({ cursor, events: events ?? [event!] });
