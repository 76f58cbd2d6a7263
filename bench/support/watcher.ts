// The process of those who watch and of who writes. It is on a core of its own, but not free: a frame that comes alone costs it
// 15 to 18 µs, most of it reading from the kernel, one of a hundred that come together 2 µs; the server spends about as much.
// So rates and latencies of a thousand sockets are partly its own; what the server spends for a frame is not.

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
