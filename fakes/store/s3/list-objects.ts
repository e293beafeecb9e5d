/** An object as ListObjectsV2 tells of it. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  /** Without its quotes. */
  readonly etag: string;
}

/** One page of ListObjectsV2. */
export interface ListPage {
  readonly objects: readonly ListedObject[];
  /** Common prefixes, each ending in the delimiter. */
  readonly prefixes: readonly string[];
  /** Token of the next page; undefined on the last one. */
  readonly next: string | undefined;
}

/** Query of one page; keys come back URL-encoded, because XML cannot carry every key. */
export function listQuery(prefix: string, token: string | undefined): Readonly<Record<string, string>> {
  return {
    'list-type': '2',
    prefix,
    delimiter: '/',
    'encoding-type': 'url',
    ...(token === undefined ? {} : { 'continuation-token': token }),
  };
}

/**
 * Reads the answer to `listQuery`. Not an XML parser: S3's answers have no attributes below the root and no comments, and
 * no element of one name stands within another of that name.
 */
export function parseListPage(xml: string): ListPage {
  const encoded = text(xml, 'EncodingType') === 'url';
  const key = (raw: string): string => (encoded ? decodeURIComponent(raw.replaceAll('+', ' ')) : raw);
  const objects = [...elements(xml, 'Contents')].map((contents) => ({
    key: key(text(contents, 'Key') ?? ''),
    size: Number(text(contents, 'Size') ?? 0),
    modifiedAt: Date.parse(text(contents, 'LastModified') ?? '') || 0,
    etag: (text(contents, 'ETag') ?? '').replaceAll('"', ''),
  }));
  const prefixes = [...elements(xml, 'CommonPrefixes')].map((common) => key(text(common, 'Prefix') ?? ''));
  const more = text(xml, 'IsTruncated') === 'true';
  return { objects, prefixes, next: more ? text(xml, 'NextContinuationToken') : undefined };
}

/** The `<Code>` of an S3 error answer: `NoSuchKey`, `SignatureDoesNotMatch` ... */
export function parseErrorCode(xml: string): string | undefined {
  return text(xml, 'Code');
}

function text(xml: string, name: string): string | undefined {
  const [first] = elements(xml, name);
  return first === undefined ? undefined : unescapeXml(first);
}

function* elements(xml: string, name: string): Generator<string> {
  const open = `<${name}>`;
  const close = `</${name}>`;
  let at = xml.indexOf(open);
  while (at !== -1) {
    const end = xml.indexOf(close, at);
    if (end === -1) return;
    yield xml.slice(at + open.length, end);
    at = xml.indexOf(open, end);
  }
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeXml(escaped: string): string {
  return escaped.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return entities[name] ?? whole;
  });
}
