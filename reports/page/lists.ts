import { element, glyph } from './element.ts';
import type { PackedScenario } from './packed.ts';
import { clockSeconds, formatMicros } from './scale.ts';

/** All events, each with the state at that instant. */
export function listEvents({ events, left }: PackedScenario): readonly HTMLElement[] {
  const rows = events.map(({ at, after, who, says, shape, look, truth, contradicted }) =>
    element(
      'tr',
      contradicted ? { class: 'contradicted' } : {},
      element('td', { class: 'n' }, clockSeconds(at)),
      element('td', { class: 'n' }, after === undefined ? '' : formatMicros(after)),
      element('td', {}, glyph(shape, look), who),
      element('td', {}, says),
      element('td', {}, contradicted ? element('b', {}, 'Not so: ') : '', truth),
    ),
  );
  const heads = ['at (s)', 'after fault', 'who', 'what was said or done', 'what was true then'].map((name, i) =>
    element('th', { scope: 'col', ...(i < 2 ? { class: 'n' } : {}) }, name),
  );
  const table = element(
    'table',
    { class: 'plain events' },
    element('thead', {}, element('tr', {}, ...heads)),
    element('tbody', {}, ...rows),
  );
  return [scrolling('Everything that happened', table), ...rest(left.events, 'events')];
}

/** Output of the programs in the pod. */
export function listOutput({ output, left }: PackedScenario): readonly HTMLElement[] {
  const programs = new Set(output.map(({ program }) => program));
  const lines = output.map(({ at, program, text, error }) =>
    element(
      'li',
      error ? { class: 'err' } : {},
      element('time', {}, clockSeconds(at)),
      element('code', {}, programs.size > 1 && element('small', {}, `${program} `), text),
    ),
  );
  return [
    element('ol', { class: 'log', tabindex: '0', 'aria-label': 'Output' }, ...lines),
    ...rest(left.output, 'lines'),
  ];
}

/** Mount tables over time, each as a difference to the previous one. */
export function listTables({ tables }: PackedScenario): readonly HTMLElement[] {
  return tables.flatMap(({ where, title, lines, others }) => {
    const items = lines.map(([sign, line]) =>
      element(
        'li',
        { class: sign === '+' ? 'added' : sign === '−' ? 'removed' : 'same' },
        element('b', {}, sign === '' ? ' ' : sign),
        element('code', {}, line),
      ),
    );
    const same =
      others > 0 &&
      element(
        'li',
        { class: 'others' },
        element('b', {}, ' '),
        `and ${others} ${title.startsWith('during') ? 'more changes' : 'lines that are not about volumes'}`,
      );
    return [
      element('h6', {}, where, ' ', element('small', {}, title)),
      element(
        'ol',
        { class: 'log mountinfo', tabindex: '0', 'aria-label': `Mount table: ${where}, ${title}` },
        ...items,
        same,
      ),
    ];
  });
}

function scrolling(name: string, child: HTMLElement): HTMLElement {
  return element('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': name }, child);
}

function rest(left: number, noun: string): HTMLElement[] {
  return left > 0 ? [element('p', { class: 'note' }, `${left} more ${noun} are in history.ndjson.`)] : [];
}
