// Who asks the same while it is being asked shares one answer with the others who do, as when all dashboards ask at once. It is
// never the answer that is under way already: that may have looked before what they know of was stored. So each sees whatever
// was acknowledged before they asked.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Viewer } from '../access/viewer.ts';

/** Nobody waits longer for the answer before their own. */
const PATIENCE_MS = 100;

type Asked<T> = { readonly underWay: Promise<unknown>; next?: Promise<T> };

/** Answers a question, given to the letter, for a viewer; `ask` is not called where the answer is shared. Those with the same
 * viewer object have the same rights. */
export type Sharing<T> = (viewer: Viewer, question: string, ask: () => Promise<T>) => Promise<T>;

export const createSharing = <T>(): Sharing<T> => {
  const byViewer = new WeakMap<Viewer, Map<string, Asked<T>>>();

  return (viewer, question, ask) => {
    const questions = byViewer.get(viewer) ?? new Map<string, Asked<T>>();
    byViewer.set(viewer, questions);
    const begin = (): Promise<T> => {
      const answer = ask();
      const forget = (): void => {
        if (!asked.next && questions.get(question) === asked) questions.delete(question);
      };
      const asked: Asked<T> = { underWay: answer.then(forget, forget) };
      questions.set(question, asked);
      return answer;
    };
    const asked = questions.get(question);
    if (!asked) return begin();
    asked.next ??= Promise.race([
      asked.underWay,
      sleep(PATIENCE_MS, undefined, { ref: false }),
    ]).then(begin);
    return asked.next;
  };
};
