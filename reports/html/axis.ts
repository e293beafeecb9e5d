/** Part of the axis, in nanoseconds since the run began; times are shown relative to `zero`. */
export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly zero: number;
}

export function share(part: number): string {
  return `${trim(Math.min(1, Math.max(0, part)) * 100)}%`;
}

export function trim(value: number): string {
  return String(Math.round(value * 100) / 100);
}
