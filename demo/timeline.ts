// The school's time: stories begin, some in a bunch as when a bell rings, run side by side, and their events come out in
// order. The same time runs through the last day, quickly, and on into the present.

import { chance, drawn, untilNext, whole } from './dice.ts';
import { type Scheduled, play } from './play.ts';
import { type Story, stories } from './stories.ts';

const HOUR_MS = 3_600_000;
const WIB_MS = 7 * HOUR_MS;

// What share of a day's events falls into each hour in Jakarta, in parts of a hundred: the first lesson begins at 7.
const hours = [0.4, 0.3, 0.5, 0.3, 0.5, 1, 4, 13, 10, 11, 9, 9, 7, 9, 8, 5, 3, 2, 1.5, 2, 1.5, 1, 0.6, 0.4]; // oxfmt-ignore
const allHours = hours.reduce((sum, share) => sum + share, 0);
const [OPENS, CLOSES] = [6, 17];

/** How busy the school is at an instant: events a second, and whether anybody is in. */
export type Rhythm = (at: number) => { readonly pace: number; readonly open: boolean };

/** That of a day which has so many events in all. */
export const rhythmOfDay =
  (eventsPerDay: number): Rhythm =>
  (at) => {
    const hour = new Date(at + WIB_MS).getUTCHours();
    return {
      pace: (eventsPerDay * hours[hour]!) / allHours / 3600,
      open: hour >= OPENS && hour < CLOSES,
    };
  };

const storyFor = (open: boolean): Story =>
  drawn(
    stories.filter(({ always }) => always || open),
    ({ often }) => often,
  );

const SAMPLE = 2_000;
const eventsPerStory = (): number => {
  let events = 0;
  for (let count = 0; count < SAMPLE; count++) for (const _ of play(storyFor(true), 0)) events++;
  return events / SAMPLE;
};

// One arrival in eight is a bunch of three to seven stories.
const BUNCH_SHARE = 1 / 8;
const BUNCH = [3, 7] as const;
const storiesPerArrival = 1 + BUNCH_SHARE * ((BUNCH[0] + BUNCH[1]) / 2 - 1);
const STEP_MS = 5_000;

type Running = { readonly events: Generator<Scheduled, void>; next: Scheduled };

/** The events from `start` on, in the order of their times and without end. */
export function* timeline(start: number, rhythm: Rhythm): Generator<Scheduled, never> {
  const arrivalsPerEvent = 1 / (eventsPerStory() * storiesPerArrival);
  const running: Running[] = [];
  let now = start;

  const begin = (open: boolean): void => {
    const events = play(storyFor(open), now);
    const { value } = events.next();
    if (value) insert(running, { events, next: value });
  };
  for (;;) {
    // The pace changes with time, so an arrival is drawn for a step at most; that it has no memory makes this exact.
    const { pace, open } = rhythm(now);
    const gap = untilNext(pace * arrivalsPerEvent);
    const arrives = gap < STEP_MS;
    now += arrives ? gap : STEP_MS;
    while (running.length > 0 && running[0]!.next.at <= now) {
      const first = running.shift()!;
      yield first.next;
      const { value } = first.events.next();
      if (value) insert(running, { ...first, next: value });
    }
    if (!arrives) continue;
    for (let left = chance(BUNCH_SHARE) ? whole(...BUNCH) : 1; left > 0; left--) begin(open);
  }
}

/** Keeps the soonest first. */
const insert = (running: Running[], story: Running): void => {
  let low = 0;
  let high = running.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (running[middle]!.next.at <= story.next.at) low = middle + 1;
    else high = middle;
  }
  running.splice(low, 0, story);
};
