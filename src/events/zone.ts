// Time zones: by how much their clocks are ahead of UTC, when they are changed, and instants as people there write them.

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
/** Since 1972 the clocks of every zone differ from UTC by a multiple of this. */
const QUARTER_MS = 15 * MINUTE_MS;

export type Zone = {
  /** By how many milliseconds its clocks are ahead of UTC. */
  readonly offsetAt: (at: number) => number;
  /** The first instant after `after` and before `before` at which its clocks are changed. */
  readonly changeWithin: (after: number, before: number) => number | undefined;
};

export const zoneOf = (timeZone: string): Zone => {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const read = (at: number): number => {
    const [, sign, hours = 0, minutes = 0, seconds = 0] =
      /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(at)) ?? [];
    return (sign === '-' ? -1000 : 1000) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)); // oxfmt-ignore
  };
  // To ask takes 2 µs: once a day is enough, but for the days on which the clocks are changed.
  const midnights = new Map<number, number>();
  const atMidnight = (day: number): number => {
    const offset = midnights.get(day) ?? read(day * DAY_MS);
    midnights.set(day, offset);
    return offset;
  };
  const offsetAt = (at: number): number => {
    const day = Math.floor(at / DAY_MS);
    return atMidnight(day) === atMidnight(day + 1) ? atMidnight(day) : read(at);
  };
  return {
    offsetAt,
    changeWithin: (after, before) => {
      if (offsetAt(after) === offsetAt(before - 1)) return undefined;
      const first = Math.floor(after / QUARTER_MS) * QUARTER_MS;
      for (let at = first + QUARTER_MS; at < before; at += QUARTER_MS)
        if (offsetAt(at) !== offsetAt(after)) return at;
      return undefined;
    },
  };
};

/** The canonical text of an instant as ISO 8601 with the offset of the zone, such as 2025-06-19T14:30:52.123456+07:00. */
export const inZone = (timeZone: string): ((instant: string) => string) => {
  const { offsetAt } = zoneOf(timeZone);
  return (instant) => {
    const time = Date.parse(instant);
    const offset = offsetAt(time);
    const local = new Date(time + offset).toISOString().slice(0, 19);
    return local + instant.slice(19, -1) + textOf(offset / MINUTE_MS);
  };
};

const textOf = (offset: number): string => {
  const two = (part: number): string => String(part).padStart(2, '0');
  const size = Math.abs(offset);
  return (offset < 0 ? '-' : '+') + two(Math.floor(size / 60)) + ':' + two(Math.floor(size % 60));
};
