// Figures as people read them: medians, and columns that line up.

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export const whole = (value: number): string => Math.round(value).toLocaleString('en');
export const tenths = (value: number): string => value.toFixed(1);
export const percent = (share: number): string => `${Math.round(share * 100)} %`;
export const times = (ratio: number, digits = 1): string => `${ratio.toFixed(digits)}×`;

/** The first column to the left, figures to the right. */
export const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
