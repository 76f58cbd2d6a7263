// Numbers in JSON that callers sent, read without an error whatever else stands there.

/** What float8 takes without an error: digits and blanks of ASCII only, and so few of them that neither the number nor its
 * square, which avg() keeps, leaves the range. */
const NUMBER = String.raw`^[ \t\r\n]*[-+]?([0-9]{1,99}\.?[0-9]{0,99}|\.[0-9]{1,99})([eE][-+]?[0-3]?[0-9])?[ \t\r\n]*$`;

/** SQL that reads a text as float8; NULL where it is no number. */
export const numberSql = (text: string): string =>
  `CASE WHEN ${text} ~ '${NUMBER}' THEN (${text})::float8 END`;
