import type { Unpacked } from './unpack.ts';

/** Heights of the parts, in pixels. */
export const heights = { head: 22, foot: 22, probe: 92, lane: 24, row: 14 } as const;

/** Rows of a lane above each other; what would be further down is drawn in the last. */
export const lastRow = 5;

export type Layout = ReturnType<typeof layoutOf>;

/** Where things are: a gutter with names on a wide screen, names above their lanes on a narrow one. */
export function layoutOf({ scenario, probes }: Unpacked, width: number) {
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
