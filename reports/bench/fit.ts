/** A straight line through points: `y = base + slope × x`, by least squares; `r2` is 1 where all lie on it. */
export interface Line {
  readonly base: number;
  readonly slope: number;
  readonly r2: number;
}

/** Undefined where there are not three points. */
export function lineThrough(points: readonly (readonly [x: number, y: number])[]): Line | undefined {
  if (points.length < 3) return undefined;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([px]) => px)), mean(points.map(([, py]) => py))];
  const sum = (of: (px: number, py: number) => number) => points.reduce((all, [px, py]) => all + of(px, py), 0);
  const slope = sum((px, py) => (px - x) * (py - y)) / sum((px) => (px - x) ** 2);
  const base = y - slope * x;
  const left = sum((px, py) => (py - base - slope * px) ** 2);
  const all = sum((_, py) => (py - y) ** 2);
  return { base, slope, r2: all === 0 ? 1 : 1 - left / all };
}

/**
 * How growth bends: the exponent of `y - base = a × x^exponent` between the last two points, where `base` is what the smallest
 * takes. 1 is linear, 2 quadratic. Undefined where there are not three points, in order of x, that grow.
 */
export function exponentOf(points: readonly (readonly [x: number, y: number])[]): number | undefined {
  const [[, base] = [0, 0]] = points;
  const [before, last] = points.slice(-2);
  if (points.length < 3 || !before || !last || before[1] <= base || last[1] <= base) return undefined;
  return Math.log((last[1] - base) / (before[1] - base)) / Math.log(last[0] / before[0]);
}
