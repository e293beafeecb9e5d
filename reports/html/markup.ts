/** Safe markup. `html` makes it and escapes everything else. */
export interface Html {
  readonly markup: string;
}

export type Content = Html | string | number | undefined | false | readonly Content[];

/** Template tag that escapes text, keeps markup, joins lists and omits `undefined` and `false`. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Html {
  let markup = strings[0] ?? '';
  contents.forEach((content, i) => {
    markup += render(content) + (strings[i + 1] ?? '');
  });
  return { markup };
}

/** Marks constants of this folder as markup. Never use it for data. */
export function trusted(markup: string): Html {
  return { markup };
}

export function render(content: Content): string {
  if (content === undefined || content === false) return '';
  if (typeof content === 'string') return escapeHtml(content);
  if (typeof content === 'number') return String(content);
  if ('markup' in content) return content.markup;
  return content.map(render).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(/[&<>"']/g, (letter) => entities[letter] ?? letter)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: shown as the pictures that Unicode has for them
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, (letter) =>
        String.fromCharCode(0x2400 + letter.charCodeAt(0)),
      )
  );
}

/** The fragment name for an id. */
export function anchorFor(id: string): string {
  return id.replace(/[^\w.-]+/g, '-');
}
