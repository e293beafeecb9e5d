import type { ScenarioStatus } from '../../src/timeline/record.ts';
import { statusNames } from '../../src/timeline/verdict.ts';
import type { Look, Shape } from '../page/packed.ts';
import { type Html, html, trusted } from './markup.ts';

/** Shapes around 0,0 with a width of 10. Shapes distinguish results without colour. */
const shapes: Readonly<Record<Shape, string>> = {
  dot: '<circle r="2.6"/>',
  circle: '<circle r="4.6"/>',
  ring: '<circle r="3.8" class="hollow"/>',
  square: '<path d="M-4.2-4.2h8.4v8.4h-8.4z"/>',
  box: '<path d="M-3.8-3.8h7.6v7.6h-7.6z" class="hollow"/>',
  diamond: '<path d="M0-5.6 5.6 0 0 5.6-5.6 0z"/>',
  up: '<path d="M0-5 5.2 4.4H-5.2z"/>',
  down: '<path d="M0 5 5.2-4.4H-5.2z"/>',
  cross: '<path d="M-3.8-3.8 3.8 3.8M3.8-3.8-3.8 3.8" class="stroke"/>',
  plus: '<path d="M-4.8 0H4.8M0-4.8V4.8" class="stroke"/>',
  hexagon: '<path d="M-5.2 0-2.6-4.6H2.6L5.2 0 2.6 4.6H-2.6z"/>',
  bar: '<path d="M-1.5-6h3v12h-3z"/>',
  bolt: '<path d="M1.4-6.4-4.2 1H-.6L-1.6 6.4 4.2-1.4H.6z"/>',
};

/** SVG definitions of shapes and hatchings, needed once per page. */
export function definitions(): Html {
  const groups = Object.entries(shapes).map(([name, drawing]) => `<g id="_m-${name}">${drawing}</g>`);
  const hatch = (id: string, look: Look, drawing: string) =>
    `<pattern id="_h-${id}" width="6" height="6" patternUnits="userSpaceOnUse" class="k-${look}"><rect width="6" height="6" class="ground"/>${drawing}</pattern>`;
  const line = (d: string) => `<path d="${d}" class="stroke"/>`;
  return trusted(
    [
      '<svg width="0" height="0" class="defs" aria-hidden="true" focusable="false"><defs>',
      ...groups,
      hatch('bad', 'bad', line('M-1 7 7-1M-1 1 1-1M5 7 7 5')),
      hatch('warn', 'warn', line('M-1-1 7 7M-1 5 1 7M5-1 7 1')),
      hatch('odd', 'odd', line('M1.5 0V6')),
      hatch('wrong', 'wrong', line('M0 1.5H6M1.5 0V6')),
      hatch('plain', 'plain', line('M0 1.5H6')),
      '</defs></svg>',
    ].join(''),
  );
}

/** A decorative shape in a line of text. */
export function glyph(shape: Shape, look: Look): Html {
  return trusted(
    `<svg class="glyph k-${look}" viewBox="-7 -7 14 14" aria-hidden="true" focusable="false"><use href="#_m-${shape}"/></svg>`,
  );
}

const results: Readonly<Record<string, readonly [Shape, Look]>> = {
  ok: ['dot', 'ok'],
  ENOTCONN: ['cross', 'bad'],
  ECONNABORTED: ['up', 'warn'],
  EIO: ['square', 'bad'],
  ETIMEDOUT: ['diamond', 'odd'],
  HANG: ['bar', 'odd'],
  EBADSUM: ['hexagon', 'wrong'],
  EEMPTY: ['box', 'wrong'],
  EROFS: ['down', 'calm'],
};

/** Shape and colour of a probe's result. */
export function lookForResult(result: string): { readonly shape: Shape; readonly look: Look } {
  const [shape, look] = results[result] ?? ['plus', 'plain'];
  return { shape, look };
}

const drawings: Readonly<Record<ScenarioStatus, string>> = {
  pass: '<circle cx="8" cy="8" r="7.5"/><path d="M4.6 8.4 7 10.8l4.6-5.2"/>',
  fail: '<path class="body" d="M5 .5h6L15.5 5v6L11 15.5H5L.5 11V5z"/><path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2"/>',
  inconclusive:
    '<path class="body" d="M8 .3 15.7 8 8 15.7.3 8z"/><path d="M6.3 6.4c0-2.3 3.5-2.2 3.5 0 0 1.3-1.7 1.4-1.7 2.8M8.1 11.4v.4"/>',
  skipped: '<circle class="open" cx="8" cy="8" r="6.8"/><path d="M4.8 8h6.4"/>',
};

/** The icon of a status. `named` adds its name, for icons without a word next to them. */
export function statusIcon(status: ScenarioStatus, named: 'named' | 'beside a word' = 'beside a word'): Html {
  const label = named === 'named' ? html` role="img" aria-label="${statusNames[status]}"` : html` aria-hidden="true"`;
  return html`<svg class="icon s-${status}" viewBox="0 0 16 16" focusable="false"${label}>${trusted(drawings[status])}</svg>`;
}
