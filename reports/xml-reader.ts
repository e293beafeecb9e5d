/** A small strict reader of XML, for the tests of what is written: throws where a document is not well-formed. */

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

export function readXml(source: string): XmlElement {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 forbids these
  const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|&#0*([0-8]|1[124-9]|2\d|3[01]);/.exec(source);
  if (forbidden || !source.isWellFormed()) throw new Error(`forbidden character at ${forbidden?.index}`);
  let rest = source.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/, '');

  const take = (pattern: RegExp, what: string): RegExpExecArray => {
    const found = pattern.exec(rest);
    if (found?.index !== 0) throw new Error(`${what} expected at: ${rest.slice(0, 60)}`);
    rest = rest.slice(found[0].length);
    return found;
  };

  const element = (): XmlElement => {
    const [, name = ''] = take(/^<([A-Za-z][\w.-]*)/, 'element');
    const attributes: Record<string, string> = {};
    while (/^\s+[A-Za-z]/.test(rest)) {
      const [, key = '', value = ''] = take(/^\s+([\w.:-]+)="([^"<]*)"/, 'attribute');
      if (key in attributes) throw new Error(`attribute ${key} twice`);
      attributes[key] = unescapeXml(value);
    }
    if (rest.startsWith('/>')) {
      rest = rest.slice(2);
      return { name, attributes, children: [], text: '' };
    }
    take(/^>/, 'end of tag');
    const children: XmlElement[] = [];
    let text = '';
    while (!rest.startsWith('</')) {
      if (rest.startsWith('<')) children.push(element());
      else text += unescapeXml(take(/^[^<]+/, 'text')[0]);
    }
    const [, closing] = take(/^<\/([\w.-]+)>/, 'closing tag');
    if (closing !== name) throw new Error(`<${name}> closed by </${closing}>`);
    return { name, attributes, children, text };
  };

  const root = element();
  if (rest.trim() !== '') throw new Error(`text after the root: ${rest.slice(0, 60)}`);
  return root;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  const stray = /&(?!#\d+;|#x[\da-f]+;|(amp|lt|gt|quot|apos);)/i.exec(text);
  if (stray) throw new Error(`stray & in: ${text.slice(0, 60)}`);
  return text.replace(/&(#(\d+)|\w+);/g, (_, name: string, code?: string) =>
    code ? String.fromCodePoint(Number(code)) : (entities[name] ?? ''),
  );
}
