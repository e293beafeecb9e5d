type ElementChild = Node | string | undefined | false;

/** Creates an element. Text is inserted as text, never as markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly ElementChild[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  for (const child of children) if (child !== undefined && child !== false) made.append(child);
  return made;
}

/** A button with a word or a sign. `name` is its accessible name. */
export function button(text: string, onClick: () => void, name?: string): HTMLButtonElement {
  const made = element(
    'button',
    { type: 'button', ...(name === undefined ? {} : { 'aria-label': name, title: name }) },
    text,
  );
  made.addEventListener('click', onClick);
  return made;
}

const svgNames = 'http://www.w3.org/2000/svg';

/** One of the page's shapes, for a line of text. */
export function glyph(shape: string, look: string): SVGSVGElement {
  const svg = document.createElementNS(svgNames, 'svg');
  svg.setAttribute('class', `glyph k-${look}`);
  svg.setAttribute('viewBox', '-7 -7 14 14');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(svgNames, 'use');
  use.setAttribute('href', `#_m-${shape}`);
  svg.append(use);
  return svg;
}
