import type { Look } from './packed.ts';

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

/** The style sheet's colours as the canvas needs them: the values of the theme that is in force. */
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
