// A writer that may be killed: it enters events before it sends them and answers when it has them, and when it is started
// again, what was not answered is sent again with the same ids.

import { once } from 'node:events';
import { type Kind, createAnomalies } from '../anomalies.ts';
import { createClient } from '../client.ts';
import type { MarkedEvent } from '../event.ts';
import { type History, instant } from '../history.ts';
import { openJournal } from '../journal.ts';
import { createWriter, startLoad } from '../writers.ts';

export type WriterSettings = {
  readonly journal: string;
  readonly url: string;
  readonly lane: number;
  readonly seed: number;
  readonly singles: number;
  readonly pauseMs: number;
};

export type Written =
  | { readonly at: number; readonly sent: readonly MarkedEvent[] }
  | { readonly at: number; readonly sequence: number; readonly position: number }
  | { readonly kind: Kind; readonly text: string };

const {
  journal: path,
  url,
  lane,
  seed,
  singles,
  pauseMs,
} = JSON.parse(process.argv[2]!) as WriterSettings;
const { entries, enter } = openJournal<Written>(path);
const sent = entries.flatMap((entry) => ('sent' in entry ? entry.sent : []));
const answered = new Set(
  entries.map((entry) => ('position' in entry ? entry.sequence : undefined)),
);

const history: Pick<History, 'openLane' | 'sent' | 'acknowledged'> = {
  openLane: () => lane,
  sent: () => {}, // `insist` has entered it, with what it takes to send it again
  acknowledged: ({ sequence }, position) => {
    enter({ at: instant(), sequence, position });
    return true;
  },
};
const anomalies = createAnomalies();
const client = createClient(history, {
  ...anomalies,
  note: (kind, text) => {
    if (kind !== 'slow') enter({ kind, text }); // what may be late is known only to who does the faults
  },
});
const door = { name: `the door of writer ${lane}`, url: () => url };
const { next, insist } = createWriter(seed + sent.length, history, client, sent.length);

const ending = once(process, 'SIGTERM');
await insist(
  sent.filter(({ eventId, metadata }) => eventId && !answered.has(metadata.sequence)),
  [door],
);
const load = startLoad(
  [
    {
      next,
      insist: (events, servers) => {
        enter({ at: instant(), sent: events });
        return insist(events, servers);
      },
    },
  ],
  [door],
  { seed: seed + sent.length, singles, pauseMs, hold: () => false },
);
await ending;
await load.stop();
client[Symbol.dispose]();
