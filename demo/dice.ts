// Chance, in the few shapes that the scenario needs.

export const between = (least: number, most: number): number =>
  least + Math.random() * (most - least);

export const whole = (least: number, most: number): number => Math.floor(between(least, most + 1));

export const chance = (share: number): boolean => Math.random() < share;

export const oneOf = <T>(items: readonly T[]): T =>
  items[Math.floor(Math.random() * items.length)]!;

/** One of the items, each as often as its weight says. */
export const drawn = <T>(items: readonly T[], weightOf: (item: T) => number): T => {
  let left = Math.random() * items.reduce((sum, item) => sum + weightOf(item), 0);
  return items.find((item) => (left -= weightOf(item)) < 0) ?? items.at(-1)!;
};

/** A duration as measured durations are: half of them within 30 % of the median, one in a hundred three times as long. */
export const around = (median: number): number => {
  const normal =
    Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return median * Math.exp(0.45 * normal);
};

/** The time to the next of events that happen independently, so many `perSecond`; in milliseconds. */
export const untilNext = (perSecond: number): number =>
  (-Math.log(1 - Math.random()) / perSecond) * 1000;
