// Numbers as JSON has them, which may be finer or larger than a double. One that JavaScript would round is carried as it
// was written, so that an identity or an amount is never altered in silence: it is stored as text, with a warning.

/** A number of a JSON text that no double holds. */
export class WrittenNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}

/** The number that a literal of JSON or GraphQL means. */
export const numberOf = (literal: string): number | WrittenNumber =>
  isHeld(literal) ? Number(literal) : new WrittenNumber(literal);

/** Whether JavaScript prints the same number that was written; 1.0, 1e0 and 1 are the same, and so are -0 and 0. */
export const isHeld = (literal: string): boolean => {
  const printed = String(Number(literal));
  return printed === literal || decimalOf(printed) === decimalOf(literal);
};

/** The significant digits and the power of ten before the first of them: one text for all ways to write a number. */
const decimalOf = (literal: string): string | undefined => {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  let [first, last] = [0, digits.length - 1];
  while (digits[first] === '0') first++;
  while (last >= first && digits[last] === '0') last--;
  if (first > last) return '0';
  return `${sign}${digits.slice(first, last + 1)}e${whole.length - first + Number(exponent)}`;
};
