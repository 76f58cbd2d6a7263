// Instants as text: ISO 8601 in UTC, to the microsecond that PostgreSQL keeps (a JavaScript Date would drop the last three
// digits of what a Python service sent). Milliseconds are always printed, microseconds only where they are not zero.

const shape =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?$/;

export type Instant = {
  /** The canonical text, such as 2025-06-19T07:30:52.123Z. */
  readonly text: string;
  /** False where the source named no offset and UTC was taken. */
  readonly zoned: boolean;
  /** True where digits beyond the microsecond were dropped. */
  readonly cut: boolean;
};

/** Reads an ISO 8601 date and time, to the minute at least; undefined for anything else ("now", "infinity", 30 February, year 0). */
export const parseInstant = (source: string): Instant | undefined => {
  if (isCanonical(source)) return { text: source, zoned: true, cut: false };
  const match = shape.exec(source);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  if (year < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second);
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day) return undefined;
  const fraction = (match[7] ?? '').padEnd(6, '0');
  const [offsetHours, offsetMinutes] = [Number(match[10] ?? 0), Number(match[11] ?? 0)];
  if (offsetHours > 15 || offsetMinutes > 59) return undefined;
  const offset = (match[9] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes) * 60_000;
  const utc = new Date(local.getTime() - offset);
  if (utc.getUTCFullYear() < 1 || utc.getUTCFullYear() > 9999) return undefined;
  return {
    text: utc.toISOString().slice(0, 19) + formatFraction(fraction.slice(0, 6)),
    zoned: match[8] !== undefined || match[9] !== undefined,
    cut: /[1-9]/.test(fraction.slice(6)),
  };
};

const canonicalShape = /^(?!0000)\d{4}-\d\d-(\d\d)T(?:[01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z$/;

/** In milliseconds and as we would print it, which most are: tells so in a tenth of the time that the rest takes. */
const isCanonical = (source: string): boolean => {
  const day = canonicalShape.exec(source)?.[1];
  if (day === undefined) return false;
  const time = Date.parse(source);
  // Every month has 28 days; to print the time takes 1 µs.
  return !Number.isNaN(time) && (day <= '28' || new Date(time).toISOString() === source);
};

const formatFraction = (micros: string): string =>
  micros.endsWith('000') ? `.${micros.slice(0, 3)}Z` : `.${micros}Z`;

/** PostgreSQL's text for a timestamptz in a session whose zone is UTC, "2025-06-19 07:30:52.12+00", as ISO 8601. */
export const instantFromPostgres = (text: string): string =>
  `${text.slice(0, 10)}T${text.slice(11, 19)}${formatFraction(text.slice(20, text.indexOf('+', 19)).padEnd(6, '0'))}`;

/** Microseconds since 1970, for comparing two instants exactly. */
export const microsOf = (instant: string): number =>
  Date.parse(`${instant.slice(0, 23)}Z`) * 1000 + Number(instant.slice(23, -1).padEnd(3, '0'));

const durationShape =
  /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;

/** The instant one ISO 8601 duration before another (calendar arithmetic in UTC); undefined if it is not a duration. */
export const subtractDuration = (from: Date, duration: string): Date | undefined => {
  const match = durationShape.exec(duration);
  if (!match) return undefined;
  const [years, months, weeks, days, hours, minutes, seconds] = match
    .slice(1)
    .map((part) => Number(part ?? 0)) as [number, number, number, number, number, number, number];
  const result = new Date(from);
  const day = result.getUTCDate();
  result.setUTCDate(1);
  result.setUTCFullYear(result.getUTCFullYear() - years, result.getUTCMonth() - months);
  const lastDay = new Date(
    Date.UTC(result.getUTCFullYear(), result.getUTCMonth() + 1, 0),
  ).getUTCDate();
  result.setUTCDate(Math.min(day, lastDay) - weeks * 7 - days);
  result.setTime(result.getTime() - ((hours * 60 + minutes) * 60 + seconds) * 1000);
  return Number.isNaN(result.getTime()) || result.getUTCFullYear() < 1 ? undefined : result;
};

/** Which of two instants comes first, as a sort order. */
export const compareInstants = (a: string, b: string): number => microsOf(a) - microsOf(b);
