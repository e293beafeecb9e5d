/** The visible period, in microseconds since the scenario began. */
export interface TimeView {
  readonly from: number;
  readonly to: number;
}

/** The shortest visible period. */
const narrowest = 200;

/** Moves and narrows a view to fit into the whole. */
export function clampView({ from, to }: TimeView, whole: TimeView): TimeView {
  const width = Math.min(whole.to - whole.from, Math.max(narrowest, to - from));
  const start = Math.min(Math.max(from, whole.from), whole.to - width);
  return { from: start, to: start + width };
}

/** Zooms by a factor (below 1 is closer) around a moment, which keeps its position. */
export function zoom(view: TimeView, factor: number, around: number, whole: TimeView): TimeView {
  return clampView({ from: around - (around - view.from) * factor, to: around + (view.to - around) * factor }, whole);
}

export function pan(view: TimeView, by: number, whole: TimeView): TimeView {
  return clampView({ from: view.from + by, to: view.to + by }, whole);
}

/** Round times relative to `zero`, at least `room` of the width (0 to 1) apart. */
export function timeTicks({ from, to }: TimeView, zero: number, room: number): number[] {
  const rough = (to - from) * room;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let n = Math.ceil((from - zero) / step); zero + n * step <= to; n++) ticks.push(zero + n * step);
  return ticks;
}

/** The label of a tick. `width` is that of the view, in microseconds. */
export function tickName(micros: number, width: number): string {
  if (Math.abs(micros) < 0.5) return '0';
  const [factor, unit] = width >= 1.5e6 ? [1e6, 's'] : width >= 1500 ? [1e3, 'ms'] : [1, 'µs'];
  return `${micros < 0 ? '−' : ''}${Number((Math.abs(micros) / factor).toFixed(3))} ${unit}`;
}

/** Formats a duration with its unit. */
export function formatMicros(micros: number): string {
  const size = Math.abs(micros);
  const sign = micros < 0 ? '−' : '';
  const digits = (value: number) =>
    value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
  if (size < 999.5) return `${sign}${size.toFixed(0)} µs`;
  if (size < 999.5e3) return `${sign}${digits(size / 1e3)} ms`;
  return `${sign}${digits(size / 1e6)} s`;
}

/** Formats seconds with three decimals, for columns. */
export function clockSeconds(micros: number): string {
  return `${micros < 0 ? '−' : ''}${(Math.abs(micros) / 1e6).toFixed(3)}`;
}
