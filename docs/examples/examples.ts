/** A fenced block of a page that tests can execute: a file that the reader creates, or commands. */
export type Example =
  | { readonly kind: 'file'; readonly line: number; readonly path: string; readonly text: string }
  | {
      readonly kind: 'commands';
      /** Line of the opening fence, from 1. */
      readonly line: number;
      readonly text: string;
      /** Expected exit status. */
      readonly status: number;
      /** Requirements that not every machine meets, for instance `kind`. */
      readonly needs: readonly string[];
    };

/** ```` ```sh run needs=kind status=1 ````: renderers use only the first word. */
const fence = /^(?<indent> *)(?<ticks>`{3,})(?<info>[^`\n]*)\n(?<text>[\s\S]*?)^\k<indent>\k<ticks> *$/gm;

/** Extracts, in order, the blocks of a Markdown page that `run` or `file=PATH` marks after their language. */
export function parseExamples(markdown: string): readonly Example[] {
  return [...markdown.matchAll(fence)].flatMap(({ groups, index }): Example[] => {
    const { info = '', text = '', indent = '' } = groups ?? {};
    const [, ...marks] = info.trim().split(/\s+/);
    const line = markdown.slice(0, index).split('\n').length;
    const unindented = text.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    const valueFor = (name: string) => marks.find((mark) => mark.startsWith(`${name}=`))?.slice(name.length + 1);
    const path = valueFor('file');
    if (path !== undefined) return [{ kind: 'file', line, path, text: unindented }];
    if (!marks.includes('run')) return [];
    const needs = valueFor('needs')?.split(',') ?? [];
    return [{ kind: 'commands', line, text: unindented, status: Number(valueFor('status') ?? 0), needs }];
  });
}
