// Who asks the same while it is being asked shares one answer with the others who do, as when all dashboards ask at once. It is
// never the answer that is under way already: that may have looked before what they know of was stored. So each sees whatever
// was acknowledged before they asked.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Viewer } from '../access/viewer.ts';
import type { IsGone } from '../database/turns.ts';

/** Nobody waits longer for the answer before their own. */
const PATIENCE_MS = 100;

type Asked<T> = {
  readonly underWay: Promise<unknown>;
  next?: { readonly answer: Promise<T>; readonly sharers: IsGone[] };
};

/** Answers a question, given to the letter, for a viewer; `ask` is not called where the answer is shared, and the caller is gone
 * once all who share it are. Those with the same viewer object have the same rights. */
export type Sharing<T> = (
  viewer: Viewer,
  question: string,
  ask: (isGone: IsGone) => Promise<T>,
  isGone: IsGone,
) => Promise<T>;

export const createSharing = <T>(): Sharing<T> => {
  const byViewer = new WeakMap<Viewer, Map<string, Asked<T>>>();

  return (viewer, question, ask, isGone) => {
    const questions = byViewer.get(viewer) ?? new Map<string, Asked<T>>();
    byViewer.set(viewer, questions);
    const begin = (areGone: IsGone): Promise<T> => {
      const answer = ask(areGone);
      const forget = (): void => {
        if (!asked.next && questions.get(question) === asked) questions.delete(question);
      };
      const asked: Asked<T> = { underWay: answer.then(forget, forget) };
      questions.set(question, asked);
      return answer;
    };
    const asked = questions.get(question);
    if (!asked) return begin(isGone);
    asked.next ??= startNext(asked.underWay, begin);
    asked.next.sharers.push(isGone);
    return asked.next.answer;
  };
};

const startNext = <T>(
  underWay: Promise<unknown>,
  begin: (areGone: IsGone) => Promise<T>,
): { answer: Promise<T>; sharers: IsGone[] } => {
  const sharers: IsGone[] = [];
  const answer = Promise.race([underWay, sleep(PATIENCE_MS, undefined, { ref: false })]).then(() =>
    begin(() => sharers.every((isGone) => isGone())),
  );
  return { answer, sharers };
};
