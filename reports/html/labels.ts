import { type Axis, share } from './axis.ts';
import type { Lane, Mark } from './lanes.ts';
import { type Html, html, trusted } from './markup.ts';

/**
 * Width of a letter and of the narrowest plots, in pixels: where labels would touch, they are left out. The style sheet shows
 * the labels for `wide` from a window of 1040 pixels on, those for `phone` below that.
 */
export const letter = 6.1;
export const widths = { wide: 720, phone: 320 };

/** Marks that nearly touch, together. */
export function clustersOf(marks: readonly Mark[], near: number): Mark[][] {
  const clusters: Mark[][] = [];
  for (const one of marks.toSorted((a, b) => a.at - b.at)) {
    const last = clusters.at(-1);
    if (last?.[0] && one.at - last[0].at < near) last.push(one);
    else clusters.push([one]);
  }
  return clusters;
}

interface Label {
  readonly at: number;
  readonly label: string;
  /** Labels that matter more are placed first. */
  readonly weight: number;
}

export function labelsOf(lane: Lane, clusters: readonly (readonly Mark[])[]): Label[] {
  const spans = lane.spans.flatMap((span): Label[] =>
    span.label === undefined ? [] : [{ at: span.from, label: span.label, weight: span.to - span.from }],
  );
  const marks = clusters.flatMap((cluster): Label[] => {
    const words = [...new Set(cluster.flatMap((one) => one.label ?? []))];
    const [first] = cluster;
    return first && words.length > 0 ? [{ at: first.at, label: words.join(', '), weight: 0 }] : [];
  });
  return [...spans, ...marks];
}

/** Labels under spans and marks; one that would touch another is left out, on a phone sooner than on a wide screen. */
export function placeLabels(labels: readonly Label[], axis: Axis): Html[] {
  const taken = { wide: [] as [number, number][], phone: [] as [number, number][] };
  const place = (x: number, label: string, screen: keyof typeof widths): 'start' | 'end' | undefined => {
    const room = (label.length * letter + 10) / widths[screen];
    const tries = [
      { anchor: 'start', left: x, right: x + room },
      { anchor: 'end', left: x - room, right: x },
    ] as const;
    const free = tries.find(
      ({ left, right }) => left >= 0 && right <= 1 && taken[screen].every(([from, to]) => right < from || left > to),
    );
    if (free) taken[screen].push([free.left, free.right]);
    return free?.anchor;
  };
  return labels
    .toSorted((a, b) => b.weight - a.weight || a.at - b.at)
    .flatMap(({ at, label }) => {
      const x = Math.max(0, (at - axis.from) / (axis.to - axis.from));
      const wide = place(x, label, 'wide');
      const phone = place(x, label, 'phone');
      if (wide !== undefined && wide === phone) return [text({ x: share(x), anchor: wide, label })];
      return [
        ...(wide === undefined ? [] : [text({ x: share(x), anchor: wide, label, only: 'wide' })]),
        ...(phone === undefined ? [] : [text({ x: share(x), anchor: phone, label, only: 'phone' })]),
      ];
    });
}

interface Text {
  readonly x: string;
  readonly anchor: 'start' | 'end' | 'middle';
  readonly label: string;
  readonly y?: number;
  readonly only?: 'wide' | 'phone';
}

export function text({ x, anchor, label, y = 32, only }: Text): Html {
  const shift = anchor === 'start' ? 4 : anchor === 'end' ? -4 : 0;
  return html`${trusted(`<text x="${x}" y="${y}" dx="${shift}" class="${anchor}${only ? ` only-${only}` : ''}"`)}>${label}</text>`;
}
