import type { Look } from './packed.ts';
import type { TimeView } from './scale.ts';
import type { Unpacked } from './unpack.ts';

/** A box on the canvas with a tooltip. */
export interface HoverTarget {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly says: string;
}

export interface Picture {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly view: TimeView;
  readonly palette: Palette;
  /** Hatchings by colour. */
  readonly hatch: (colour: string) => CanvasPattern | string;
}

export function line(
  context: CanvasRenderingContext2D,
  colour: string,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): void {
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

const names = [
  'ink',
  'soft',
  'line',
  'card',
  'sunk',
  'accent',
  'outage',
  'ok',
  'bad',
  'warn',
  'odd',
  'wrong',
  'calm',
  'plain',
] as const;

/** The colours of the current theme, for the canvas. */
export type Palette = Readonly<Record<(typeof names)[number], string>> & Readonly<Record<Look, string>>;

export function readPalette(): Palette {
  const sample = document.createElement('i');
  document.body.append(sample);
  const read = names.map((name) => {
    sample.style.color = `var(--${name})`;
    return [name, getComputedStyle(sample).color] as const;
  });
  sample.remove();
  return Object.fromEntries(read) as Palette;
}

/** Heights of the parts, in pixels. */
export const heights = { head: 22, foot: 22, probe: 92, lane: 24, row: 14 } as const;

/** The last row of a lane, which also holds the spans of later rows. */
export const lastRow = 5;

export type Layout = ReturnType<typeof computeLayout>;

/** Positions on the canvas. Names stand in a gutter on wide screens, and above their lanes on narrow ones. */
export function computeLayout({ scenario, probes }: Unpacked, width: number) {
  const wide = width >= 720;
  const gutter = wide ? 172 : 0;
  const name = wide ? 0 : 17;
  let top: number = heights.head;
  const probeTops = probes.map(() => {
    const own = top + name;
    top = own + heights.probe + 8;
    return own;
  });
  const laneTops = scenario.lanes.map((lane) => {
    const rows = 1 + Math.max(0, ...lane.spans.map(({ row = 0 }) => Math.min(row, lastRow)));
    const own = top + name;
    top = own + heights.lane + (rows - 1) * heights.row;
    return own;
  });
  return { wide, gutter, right: 12, name, probeTops, laneTops, bottom: top, height: top + heights.foot };
}
