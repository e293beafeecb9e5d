import { SaxesParser } from 'saxes';

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Reads XML for tests. Throws if a document is not well-formed. */
export function readXml(source: string): XmlElement {
  type Open = XmlElement & { text: string; readonly children: XmlElement[] };
  const document: Open = { name: '', attributes: {}, children: [], text: '' };
  const open = [document];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => void open.push({ name, attributes, children: [], text: '' }));
  parser.on('text', (text) => {
    const element = open.at(-1);
    if (element) element.text += text;
  });
  parser.on('closetag', () => {
    const element = open.pop();
    if (element) open.at(-1)?.children.push(element);
  });
  parser.write(source).close();
  const [root] = document.children;
  if (root === undefined || !source.isWellFormed()) throw new Error('no well-formed XML');
  return root;
}
