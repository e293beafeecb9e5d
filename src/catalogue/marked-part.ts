/** A part of a document that is generated: between two markers, which stay. */
export function withPart(document: string, name: string, part: string): string {
  const begin = `<!-- ${name}:begin -->`;
  const end = `<!-- ${name}:end -->`;
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`the document has no part ${begin} ... ${end}`);
  return `${before}${begin}\n\n${part.trim()}\n\n${end}${after}`;
}
