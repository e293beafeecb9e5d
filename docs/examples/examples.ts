/** A fenced block of a page that can be tried: a file that the page has its reader write, or commands. */
export type Example =
  | { readonly kind: 'file'; readonly line: number; readonly path: string; readonly text: string }
  | {
      readonly kind: 'commands';
      /** Of the fence, from 1. */
      readonly line: number;
      readonly text: string;
      /** What they have to end with. */
      readonly status: number;
      /** What this takes that not every machine has, as in `kind`. */
      readonly needs: readonly string[];
    };

/** ```` ```sh run needs=kind status=1 ````: renderers heed the first word only. */
const fence = /^(?<indent> *)(?<ticks>`{3,})(?<info>[^`\n]*)\n(?<text>[\s\S]*?)^\k<indent>\k<ticks> *$/gm;

/** The blocks of a Markdown page that are marked by `run` or `file=PATH` after their language, in order. */
export function examplesOf(markdown: string): readonly Example[] {
  return [...markdown.matchAll(fence)].flatMap(({ groups, index }): Example[] => {
    const { info = '', text = '', indent = '' } = groups ?? {};
    const [, ...marks] = info.trim().split(/\s+/);
    const line = markdown.slice(0, index).split('\n').length;
    const own = text.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    const valueFor = (name: string) => marks.find((mark) => mark.startsWith(`${name}=`))?.slice(name.length + 1);
    const path = valueFor('file');
    if (path !== undefined) return [{ kind: 'file', line, path, text: own }];
    if (!marks.includes('run')) return [];
    const needs = valueFor('needs')?.split(',') ?? [];
    return [{ kind: 'commands', line, text: own, status: Number(valueFor('status') ?? 0), needs }];
  });
}
