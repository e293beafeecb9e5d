/** A duration with three significant digits: `850 µs`, `3.20 ms`, `214 ms`, `1.94 s`, `2 min 05 s`. */
export function formatNs(ns: number): string {
  const sign = ns < 0 ? '−' : '';
  const size = Math.abs(ns);
  if (size === 0) return '0 ms';
  if (size < 999_500) return `${sign}${significant(size / 1e3)} µs`;
  if (size < 999.5e6) return `${sign}${significant(size / 1e6)} ms`;
  if (size < 1e11) return `${sign}${significant(size / 1e9)} s`;
  const seconds = Math.round(size / 1e9);
  return `${sign}${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** An offset, precise enough to distinguish close events: `182.6 ms`, `2.412 s`. */
export function formatOffset(ns: number): string {
  const sign = ns < 0 ? '−' : '';
  const size = Math.abs(ns);
  if (size === 0) return '0';
  return `${sign}${size < 999.95e6 ? `${(size / 1e6).toFixed(size < 9.995e6 ? 2 : 1)} ms` : `${(size / 1e9).toFixed(3)} s`}`;
}

/** Nanoseconds as seconds with milliseconds, for columns: `12.345`. */
export function clockSeconds(ns: number): string {
  return `${ns < 0 ? '−' : ''}${(Math.abs(ns) / 1e9).toFixed(3)}`;
}

function significant(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

const millisecondsIn: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses `250ms`, `5s`, `2m`, `12h` or `30d` into milliseconds; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,6}(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (millisecondsIn[unit] ?? Number.NaN);
}
