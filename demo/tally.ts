// What was logged since it was last asked, as one short line.

import { definitionOf } from '../src/events/catalog.ts';
import type { EventInput } from '../src/events/fields.ts';

const SHOWN = 4;
const WIB = { timeZone: 'Asia/Jakarta', hour12: false } as const;

export type Tally = { readonly add: (event: EventInput) => void; readonly line: () => string };

export const createTally = (): Tally => {
  let all = 0;
  let counts = new Map<string, number>();
  let critical = new Set<string>();
  return {
    add: ({ code, name }) => {
      const definition = code ? definitionOf(code) : undefined;
      const label = definition?.name ?? name ?? 'unnamed';
      counts.set(label, (counts.get(label) ?? 0) + 1);
      if (definition?.severity === 'CRITICAL') critical.add(definition.name);
    },
    line: () => {
      const most = [...counts].toSorted((a, b) => b[1] - a[1]);
      const since = most.reduce((sum, [, count]) => sum + count, 0);
      all += since;
      const shown = most.slice(0, SHOWN).map(([label, count]) => `${count} ${label}`);
      const alarm = critical.size > 0 ? `  !! ${[...critical].join(', ')}` : '';
      const time = new Date().toLocaleTimeString('en-GB', WIB);
      counts = new Map();
      critical = new Set();
      return `${time} WIB  +${since} (${all} in all): ${shown.join(', ')}${since === 0 ? 'nothing' : ''}${alarm}`;
    },
  };
};
