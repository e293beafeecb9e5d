/** Part of the axis, in nanoseconds since the run began; times are shown relative to `zero`. */
export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly zero: number;
}

/** A moment's place on the axis, in percent of its width. */
export type Scale = (at: number) => string;

export function scaleOf({ from, to }: Axis): Scale {
  return (at) => share((at - from) / (to - from));
}

/** Round times, five or six of them. */
export function ticksOf({ from, to, zero }: Axis): number[] {
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil((from - zero) / step) * step;
  const count = Math.floor((to - zero - first) / step) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => zero + first + i * step);
}

/** A tick as it is written, relative to `zero`. */
export function tickName(ns: number, { from, to }: Axis): string {
  if (ns === 0) return '0';
  const seconds = to - from >= 1.5e9;
  const value = ns / (seconds ? 1e9 : 1e6);
  return `${value < 0 ? '−' : ''}${Number(Math.abs(value).toFixed(3))} ${seconds ? 's' : 'ms'}`;
}

export function share(part: number): string {
  return `${trim(Math.min(1, Math.max(0, part)) * 100)}%`;
}

export function trim(value: number): string {
  return String(Math.round(value * 100) / 100);
}
