// The process of those who watch and of who writes. It is not what limits the figures: a frame cost it 16 to 19 µs, most of
// it in reading from the kernel, where the servers spent 48 to 200.

import { answering } from './messages.ts';
import type { Watch, Writing } from './watch.ts';
import { type Crowd, createCrowd } from './watcher/crowd.ts';
import { replay } from './watcher/replay.ts';

let crowd: Crowd | undefined;

answering(
  {
    open: (watch: Watch) => {
      crowd = createCrowd(watch);
      return crowd.open();
    },
    write: (order: Writing) => crowd!.write(order),
    finish: () => crowd!.finish(),
    resumed: () => crowd!.resumed(),
    replay,
  },
  async () => crowd?.[Symbol.dispose](),
);
