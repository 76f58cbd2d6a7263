// How long a call takes, one after the other.

import { median } from './table.ts';

/** The median of some calls in milliseconds, after others that are not counted, and what the last one gave. */
export const timed = async <T>(
  { uncounted, counted }: { readonly uncounted: number; readonly counted: number },
  call: () => Promise<T>,
): Promise<readonly [ms: number, T]> => {
  const took: number[] = [];
  let last!: T;
  for (let count = -uncounted; count < counted; count++) {
    const begun = performance.now();
    last = await call();
    if (count >= 0) took.push(performance.now() - begun);
  }
  return [median(took), last];
};
