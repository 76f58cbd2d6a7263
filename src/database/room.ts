// Whether the disk of the embedded database has room for more. A PostgreSQL that cannot extend its write-ahead log panics
// and cannot recover before there is room again, and then nothing can be read either: on a full tmpfs 164 of 165 questions
// had no answer. So logging is refused while there is still enough for checkpoints and vacuum, and reading goes on.

import { statfs } from 'node:fs/promises';
import { full } from './failures.ts';

/** Sixteen segments of the write-ahead log; at the fastest that was measured, over a second of logging. */
const RESERVE_BYTES = 256 * 1024 * 1024;
/** Our own records, without which nobody reads what is personal and no key is revoked, are few: they may go on for longer. */
const LAST_BYTES = 64 * 1024 * 1024;
const LOOK_MS = 250;

export type Room = Disposable & {
  /** Throws UNAVAILABLE where too little is left, of our own records or of others. */
  readonly assert: (own?: boolean) => void;
};

export const watchRoom = (directory: string): Room => {
  let left = Infinity;
  const look = async (): Promise<void> => {
    const { bavail, bsize } = await statfs(directory);
    left = bavail * bsize;
  };
  const looking = setInterval(() => void look().catch(() => {}), LOOK_MS);
  return {
    assert: (own = false) => {
      if (left < (own ? LAST_BYTES : RESERVE_BYTES)) throw full();
    },
    [Symbol.dispose]: () => clearInterval(looking),
  };
};
