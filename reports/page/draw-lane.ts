import type { Mark, PackedLane, Span } from './packed.ts';
import type { HoverTarget, Picture } from './picture.ts';
import { heights, lastRow } from './picture.ts';
import { clockSeconds } from './scale.ts';
import { drawShape } from './shapes.ts';

interface LaneDrawing {
  readonly lane: PackedLane;
  readonly picture: Picture;
  readonly top: number;
  readonly x: (at: number) => number;
  readonly visible: (from: number, to: number) => boolean;
  readonly left: number;
  readonly right: number;
  readonly targets: HoverTarget[];
}

/** Draws spans as bars, marks as shapes, and labels where they fit. */
export function drawLane({ lane, picture, top, x, visible, left, right, targets }: LaneDrawing): void {
  const { context, palette } = picture;
  const labels: { readonly x: number; readonly text: string }[] = [];
  for (const span of lane.spans) {
    if (!visible(span.from, span.to)) continue;
    const middle = top + heights.lane / 2 + Math.min(span.row ?? 0, lastRow) * heights.row;
    const from = Math.max(left, x(span.from));
    const to = Math.max(from + 2, Math.min(right, x(span.to)));
    drawSpan(context, span, from, to, middle, palette[span.look]);
    targets.push({ left: from, right: to, top: middle - 5, bottom: middle + 5, says: span.title });
    if (span.label && to - from > context.measureText(span.label).width + 10 && span.weight === 'thick') {
      context.fillStyle = palette.card;
      context.textAlign = 'left';
      context.fillText(span.label, from + 5, middle + 0.5);
    }
  }
  let lastAt = Number.NEGATIVE_INFINITY;
  let lift = 0;
  for (const mark of lane.marks.toSorted((a, b) => a.at - b.at)) {
    if (!visible(mark.at, mark.at)) continue;
    const at = x(mark.at);
    // Nearly simultaneous marks are stacked, unless they belong on a span.
    lift = at - lastAt < 7 && lane.spans.length === 0 ? (lift + 1) % 3 : 0;
    const middle = top + heights.lane / 2 + ([0, -6, 6][lift] ?? 0);
    drawShape(context, mark.shape, at, middle, 9.5, { colour: palette[mark.look], ground: palette.card });
    targets.push(targetOf(mark, at, middle));
    if (mark.label && lift === 0) labels.push({ x: at, text: mark.label });
    lastAt = at;
  }
  context.textAlign = 'left';
  context.fillStyle = palette.soft;
  labels.forEach((label, i) => {
    const next = labels[i + 1]?.x ?? right + 12;
    if (label.x + 12 + context.measureText(label.text).width > next) return;
    const middle = top + heights.lane / 2;
    const width = context.measureText(label.text).width;
    context.fillStyle = palette.card;
    context.globalAlpha = 0.85;
    context.fillRect(label.x + 6, middle - 7, width + 4, 14);
    context.globalAlpha = 1;
    context.fillStyle = palette.soft;
    context.fillText(label.text, label.x + 8, middle + 0.5);
  });
}

function targetOf(mark: Mark, x: number, y: number): HoverTarget {
  return { left: x - 6, right: x + 6, top: y - 6, bottom: y + 6, says: `${mark.title}, at ${clockSeconds(mark.at)} s` };
}

function drawSpan(
  context: CanvasRenderingContext2D,
  { weight }: Span,
  from: number,
  to: number,
  middle: number,
  colour: string,
): void {
  if (weight === 'dashed') {
    context.strokeStyle = colour;
    context.setLineDash([2, 3]);
    context.strokeRect(from + 0.5, Math.round(middle) - 3.5, to - from - 1, 7);
    context.setLineDash([]);
    return;
  }
  context.fillStyle = colour;
  const height = weight === 'thin' ? 3 : 12;
  context.beginPath();
  context.roundRect(from, middle - height / 2, to - from, height, weight === 'thin' ? 1.5 : 3);
  context.fill();
}
