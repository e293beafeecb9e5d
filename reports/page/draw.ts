import { drawLane } from './draw-lane.ts';
import { drawProbe } from './draw-probe.ts';
import { computeLayout, type HoverTarget, heights, type Layout, line, type Picture } from './picture.ts';
import { clockSeconds, type TimeView, tickName, timeTicks } from './scale.ts';
import { drawShape } from './shapes.ts';
import type { Unpacked } from './unpack.ts';

const font = '11px system-ui, sans-serif';

/** Draws the time line and returns the boxes with tooltips. */
export function draw(data: Unpacked, picture: Picture): HoverTarget[] {
  const { context, width, view, palette } = picture;
  const layout = computeLayout(data, width);
  const { gutter, bottom } = layout;
  const { head } = heights;
  const targets: HoverTarget[] = [];
  const plot = width - gutter - layout.right;
  const x = (at: number) => gutter + ((at - view.from) / (view.to - view.from)) * plot;
  const visible = (from: number, to: number) => to >= view.from && from <= view.to;
  const clip = (value: number) => Math.min(gutter + plot, Math.max(gutter, value));
  context.clearRect(0, 0, width, layout.height);
  context.font = font;
  context.textBaseline = 'middle';

  for (const window of data.scenario.windows) {
    if (!visible(window.from, window.to)) continue;
    const left = clip(x(window.from));
    const right = Math.max(left + 1, clip(x(window.to)));
    context.fillStyle = window.kind === 'outage' ? palette.outage : palette.sunk;
    context.fillRect(left, head - 2, right - left, bottom - head + 2);
    if (right - left > 2) targets.push({ left, right, top: 0, bottom: head, says: window.says });
  }

  const zero = zeroOf(data, view);
  context.lineWidth = 1;
  for (const tick of timeTicks(view, zero, Math.max(0.06, 84 / plot))) {
    const at = Math.round(x(tick)) + 0.5;
    line(context, palette.line, at, head, at, bottom);
    const label = tickName(tick - zero, view.to - view.from);
    const half = context.measureText(label).width / 2;
    context.fillStyle = palette.soft;
    context.textAlign = 'center';
    context.fillText(label, Math.min(width - half - 1, Math.max(gutter + half, at)), bottom + 12);
  }

  data.probes.forEach((probe, i) => {
    const top = layout.probeTops[i] ?? 0;
    name(picture, layout, `Probe in ${probe.name}`, top, top + 10);
    drawProbe({ probe, picture, top, x, left: gutter, right: gutter + plot, targets, wide: layout.wide });
  });
  data.scenario.lanes.forEach((lane, i) => {
    const top = layout.laneTops[i] ?? 0;
    line(context, palette.line, layout.wide ? 0 : gutter, top - layout.name, width, top - layout.name);
    name(picture, layout, lane.name, top, top + heights.lane / 2);
    context.save();
    context.beginPath();
    context.rect(gutter - 6, top - 4, plot + 6 + layout.right, layout.height);
    context.clip();
    drawLane({ lane, picture, top, x, visible, left: gutter, right: gutter + plot, targets });
    context.restore();
  });
  line(context, palette.line, gutter, bottom + 0.5, width, bottom + 0.5);

  drawFaults(data, { picture, x, visible, targets, bottom, gutter });
  return targets;
}

interface FaultDrawing {
  readonly picture: Picture;
  readonly x: (at: number) => number;
  readonly visible: (from: number, to: number) => boolean;
  readonly targets: HoverTarget[];
  readonly bottom: number;
  readonly gutter: number;
}

/** Draws a line through all lanes for each fault, with its name if there is room before the next one. */
function drawFaults({ scenario }: Unpacked, { picture, x, visible, targets, bottom, gutter }: FaultDrawing): void {
  const { context, palette, width } = picture;
  const shown = scenario.faults.filter(({ at }) => visible(at, at));
  shown.forEach((fault, i) => {
    const at = x(fault.at);
    context.setLineDash([3, 3]);
    line(context, palette.bad, at, heights.head - 2, at, bottom);
    context.setLineDash([]);
    drawShape(context, 'bolt', at, 10, 11, { colour: palette.bad, ground: palette.card });
    const says = `${fault.title}, at ${clockSeconds(fault.at)} s`;
    targets.push({ left: at - 7, right: at + 7, top: 0, bottom: heights.head, says });
    const room = context.measureText(fault.name).width;
    const next = shown[i + 1];
    const before = shown[i - 1];
    context.fillStyle = palette.ink;
    context.textAlign = 'left';
    if (at + 9 + room < (next ? x(next.at) - 8 : width)) context.fillText(fault.name, at + 9, 10);
    else if (!next && at - 9 - room > (before ? x(before.at) + 8 : gutter))
      context.fillText(fault.name, at - 9 - room, 10);
  });
}

/** The origin of the axis: the nearest fault in a close view, otherwise the scenario's start. */
export function zeroOf({ scenario }: Unpacked, view: TimeView): number {
  if (view.to - view.from > (scenario.to - scenario.from) * 0.6) return 0;
  const near = view.from + (view.to - view.from) * 0.5;
  return scenario.faults.findLast(({ at }) => at <= near)?.at ?? 0;
}

function name(
  { context, palette }: Picture,
  { wide, gutter }: Layout,
  text: string,
  top: number,
  middle: number,
): void {
  context.fillStyle = palette.soft;
  context.textAlign = 'left';
  if (!wide) {
    context.fillText(text, 0, top - 7);
    return;
  }
  let shown = text;
  while (context.measureText(shown).width > gutter - 46 && shown.length > 4) shown = `${shown.slice(0, -2)}…`;
  context.fillText(shown, 0, middle);
}
