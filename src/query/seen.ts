// What a viewer may see of what is asked: the one place where its narrowing is added, for pages, counts, reports and
// subscriptions alike.

import type { Viewer } from '../access/viewer.ts';
import type { EventFilter } from './filter.ts';

export const seenBy = (
  viewer: Viewer | null,
  filter: EventFilter | null | undefined,
): EventFilter => (viewer?.narrowing ? { and: [filter ?? {}, viewer.narrowing] } : (filter ?? {}));
