// Instants as people of a time zone write them.

const MINUTE_MS = 60_000;
/** Zones change their offset at most at quarters of an hour. */
const QUARTER_MS = 15 * MINUTE_MS;
const KNOWN_QUARTERS = 10_000;

/** The canonical text of an instant as ISO 8601 with the offset of the zone, such as 2025-06-19T14:30:52.123456+07:00. */
export const inZone = (timeZone: string): ((instant: string) => string) => {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const known = new Map<number, number>();
  const offsetAt = (time: number): number => {
    const quarter = Math.floor(time / QUARTER_MS);
    let offset = known.get(quarter);
    if (offset === undefined) {
      const name = format.formatToParts(quarter * QUARTER_MS).find(({ type }) => type === 'timeZoneName')!.value; // oxfmt-ignore
      offset = minutesOf(name);
      if (known.size >= KNOWN_QUARTERS) known.clear();
      known.set(quarter, offset);
    }
    return offset;
  };
  return (instant) => {
    const time = Date.parse(instant);
    const offset = offsetAt(time);
    const local = new Date(time + offset * MINUTE_MS).toISOString().slice(0, 19);
    return local + instant.slice(19, -1) + textOf(offset);
  };
};

/** Of a name such as GMT+07:00; that of UTC has no offset. */
const minutesOf = (name: string): number => {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
};

const textOf = (offset: number): string => {
  const two = (part: number): string => String(part).padStart(2, '0');
  const size = Math.abs(offset);
  return (offset < 0 ? '-' : '+') + two(Math.floor(size / 60)) + ':' + two(size % 60);
};
