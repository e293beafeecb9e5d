import { draw, zeroOf } from './draw.ts';
import { button, element, glyph } from './element.ts';
import type { HoverTarget } from './picture.ts';
import { computeLayout, type Palette, readPalette } from './picture.ts';
import { clampView, clockSeconds, formatMicros, pan, type TimeView, zoom } from './scale.ts';
import type { Unpacked } from './unpack.ts';

export interface TimelineCanvas {
  readonly root: HTMLElement;
  /** Redraws after a change of theme or width. */
  redraw(): void;
}

/** Creates the time line, which is moved and zoomed with the pointer, two fingers, the keyboard or buttons. */
export function createTimeline(data: Unpacked, name: string): TimelineCanvas {
  const { scenario } = data;
  const whole: TimeView = scenario;
  const [onlyCrash] = scenario.closeUps;
  const starts = onlyCrash && scenario.closeUps.length === 1 && widthOf(onlyCrash) < widthOf(whole) * 0.5;
  let view: TimeView = starts ? clampView(onlyCrash, whole) : whole;
  let targets: readonly HoverTarget[] = [];
  let palette: Palette = readPalette();
  let hover: { readonly x: number; readonly y: number } | undefined;
  let selection: { readonly from: number; readonly to: number } | undefined;

  const canvas = element('canvas', { role: 'img', 'aria-label': name });
  const tip = element('div', { class: 'tip', 'aria-hidden': 'true' });
  const brush = element('div', { class: 'brush', 'aria-hidden': 'true' });
  const hair = element('div', { class: 'hair', 'aria-hidden': 'true' });
  const stage = element('div', { class: 'stage' }, canvas, hair, brush, tip);
  const shows = element('span', { class: 'shows', 'aria-live': 'polite' });
  const views = [
    { name: 'Whole scenario', view: whole },
    ...scenario.closeUps.map((one) => ({ name: one.name, view: clampView(one, whole) })),
  ];
  const viewButtons = views.map((one) => button(one.name, () => look(one.view)));
  const buttons = element(
    'div',
    { class: 'zoom' },
    ...viewButtons,
    button('+', () => look(zoom(view, 0.5, (view.from + view.to) / 2, whole)), 'Zoom in'),
    button('−', () => look(zoom(view, 2, (view.from + view.to) / 2, whole)), 'Zoom out'),
    shows,
  );
  const help = 'Arrow keys move, + and − zoom, 0 shows the whole scenario.';
  const box = element(
    'div',
    { class: 'canvas-box', role: 'group', tabindex: '0', 'aria-label': `${name}. ${help}` },
    stage,
  );
  const root = element('div', { class: 'timeline' }, buttons, box, legend(data));

  const geometry = () => {
    const width = canvas.clientWidth;
    const { gutter, right } = computeLayout(data, width);
    return { width, gutter, plot: Math.max(1, width - gutter - right) };
  };
  const timeAt = (x: number) => {
    const { gutter, plot } = geometry();
    return view.from + ((x - gutter) / plot) * (view.to - view.from);
  };

  const redraw = () => {
    const width = stage.clientWidth;
    if (width === 0) return;
    palette = readPalette();
    const { height } = computeLayout(data, width);
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d');
    if (context === null) return;
    context.scale(ratio, ratio);
    targets = draw(data, { context, width, view, palette, hatch: hatching(context) });
    viewButtons.forEach((one, i) => {
      const shown = views[i]?.view;
      one.setAttribute('aria-pressed', String(shown?.from === view.from && shown.to === view.to));
    });
    shows.textContent = `${clockSeconds(view.from)} s to ${clockSeconds(view.to)} s`;
  };
  let asked = false;
  const look = (next: TimeView) => {
    view = next;
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      redraw();
    });
  };

  const point = () => {
    const { gutter, plot } = geometry();
    const inside = hover && hover.x >= gutter && hover.x <= gutter + plot;
    hair.hidden = tip.hidden = !inside;
    if (hover === undefined || !inside) return;
    hair.style.left = `${hover.x}px`;
    const at = timeAt(hover.x);
    const { x, y } = hover;
    // The smallest box wins: a mark lies on a span, and a span in a window.
    const [target] = targets
      .filter(({ left, right, top, bottom }) => x >= left - 2 && x <= right + 2 && y >= top && y <= bottom)
      .sort((a, b) => a.right - a.left - (b.right - b.left));
    const operation = nearestOperation(data, canvas.clientWidth, { y, at, perPixel: (view.to - view.from) / plot });
    const zero = zeroOf(data, view);
    const time = `${clockSeconds(at)} s${zero === 0 ? '' : `, ${formatMicros(at - zero)} after the fault`}`;
    tip.replaceChildren(
      element('b', {}, time),
      ...(target ? [element('p', {}, target.says)] : []),
      ...(operation ? [element('p', {}, operation)] : []),
    );
    const room = canvas.clientWidth - tip.offsetWidth - 4;
    tip.style.left = `${Math.max(0, Math.min(room, x > room - 20 ? x - tip.offsetWidth - 14 : x + 14))}px`;
    tip.style.top = `${Math.max(0, y - tip.offsetHeight - 12)}px`;
  };

  const pointers = new Map<number, number>();
  canvas.addEventListener('pointerdown', (event) => {
    pointers.set(event.pointerId, event.offsetX);
    canvas.setPointerCapture(event.pointerId);
    if (event.pointerType === 'mouse' && event.button === 0) selection = { from: event.offsetX, to: event.offsetX };
  });
  canvas.addEventListener('pointermove', (event) => {
    hover = { x: event.offsetX, y: event.offsetY };
    const before = pointers.get(event.pointerId);
    if (selection) {
      selection = { from: selection.from, to: event.offsetX };
      brush.hidden = false;
      brush.style.left = `${Math.min(selection.from, selection.to)}px`;
      brush.style.width = `${Math.abs(selection.to - selection.from)}px`;
    } else if (before !== undefined) {
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, x]) => x);
      const perPixel = (view.to - view.from) / geometry().plot;
      if (other === undefined) look(pan(view, (before - event.offsetX) * perPixel, whole));
      else {
        const factor = Math.max(8, Math.abs(before - other)) / Math.max(8, Math.abs(event.offsetX - other));
        look(zoom(view, factor, timeAt((event.offsetX + other) / 2), whole));
      }
    }
    if (before !== undefined) pointers.set(event.pointerId, event.offsetX);
    point();
  });
  const release = (event: PointerEvent) => {
    pointers.delete(event.pointerId);
    if (selection && Math.abs(selection.to - selection.from) > 6) {
      const [from, to] = [selection.from, selection.to].sort((a, b) => a - b).map(timeAt);
      if (from !== undefined && to !== undefined) look(clampView({ from, to }, whole));
    }
    selection = undefined;
    brush.hidden = true;
  };
  canvas.addEventListener('pointerup', release);
  canvas.addEventListener('pointercancel', release);
  canvas.addEventListener('pointerleave', () => {
    hover = undefined;
    point();
  });
  canvas.addEventListener('dblclick', () => look(whole));
  canvas.addEventListener(
    'wheel',
    (event) => {
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      // The wheel alone scrolls the page.
      if (!event.ctrlKey && !event.metaKey && !sideways) return;
      event.preventDefault();
      const width = view.to - view.from;
      if (sideways) look(pan(view, (event.deltaX / geometry().plot) * width, whole));
      else look(zoom(view, 2 ** (event.deltaY / 200), timeAt(event.offsetX), whole));
    },
    { passive: false },
  );
  box.addEventListener('keydown', (event) => {
    const width = view.to - view.from;
    const middle = (view.from + view.to) / 2;
    const moves: Readonly<Record<string, () => TimeView>> = {
      ArrowLeft: () => pan(view, -width / 5, whole),
      ArrowRight: () => pan(view, width / 5, whole),
      '+': () => zoom(view, 0.5, middle, whole),
      '=': () => zoom(view, 0.5, middle, whole),
      '-': () => zoom(view, 2, middle, whole),
      '0': () => whole,
    };
    const move = event.ctrlKey || event.metaKey || event.altKey ? undefined : moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    look(move());
  });
  brush.hidden = hair.hidden = tip.hidden = true;
  new ResizeObserver(redraw).observe(stage);
  return { root, redraw };
}

/** The results with their shapes and counts. */
function legend({ probes }: Unpacked): HTMLElement {
  const counts = new Map<string, { count: number; shape: string; look: string }>();
  for (const { results } of probes) {
    for (const { name, shape, look, count } of results) {
      counts.set(name, { shape, look, count: (counts.get(name)?.count ?? 0) + count });
    }
  }
  const items = [...counts]
    .sort((a, b) => b[1].count - a[1].count)
    .map(([name, { shape, look, count }]) =>
      element('li', {}, glyph(shape, look), name, ' ', element('b', {}, `× ${count}`)),
    );
  const windows = [
    element('li', {}, element('i', { class: 'swatch outage' }), 'until all pods read again'),
    element('li', {}, element('i', { class: 'swatch fault' }), 'while a fault lasts'),
  ];
  return element('ul', { class: 'legend' }, ...items, ...windows);
}

/** Describes the probe operation at the pointer. `at` and `perPixel` are in microseconds. */
function nearestOperation(
  data: Unpacked,
  width: number,
  { y, at, perPixel }: { readonly y: number; readonly at: number; readonly perPixel: number },
): string | undefined {
  const { probeTops } = computeLayout(data, width);
  const index = probeTops.findIndex((top) => y >= top && y <= top + 100);
  const probe = data.probes[index];
  if (probe === undefined) return undefined;
  let best = -1;
  let distance = perPixel * 8;
  for (let i = 0; i < probe.count; i++) {
    const away = Math.abs((probe.at[i] ?? 0) - at);
    // Of two at the same time, the failed one.
    if (away < distance || (away === distance && probe.results[probe.result[i] ?? 0]?.name !== 'ok')) {
      best = i;
      distance = away;
    }
  }
  if (best < 0) return undefined;
  const operation = ['list', 'stat', 'read'][probe.operation[best] ?? 0];
  const result = probe.results[probe.result[best] ?? 0]?.name ?? 'other';
  return `${operation}: ${result}, about ${formatMicros(probe.took[best] ?? 0)}`;
}

function hatching(context: CanvasRenderingContext2D): (colour: string) => CanvasPattern | string {
  const known = new Map<string, CanvasPattern | string>();
  return (colour) => {
    const made = known.get(colour) ?? makeHatch(context, colour);
    known.set(colour, made);
    return made;
  };
}

function makeHatch(context: CanvasRenderingContext2D, colour: string): CanvasPattern | string {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 6;
  const on = tile.getContext('2d');
  if (on === null) return colour;
  on.strokeStyle = colour;
  on.lineWidth = 2;
  on.beginPath();
  for (const shift of [-6, 0, 6]) {
    on.moveTo(shift - 1, 7);
    on.lineTo(shift + 7, -1);
  }
  on.stroke();
  return context.createPattern(tile, 'repeat') ?? colour;
}

function widthOf({ from, to }: TimeView): number {
  return to - from;
}
