/** Text in columns: the first flush left, the others flush right; two spaces between them. */
export function inColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** Milliseconds in a column: three significant digits, more where they are whole. */
export function formatMs(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return Number.isNaN(milliseconds) ? '-' : 'never';
  const size = Math.abs(milliseconds);
  return milliseconds.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}
