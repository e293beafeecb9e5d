import type { Listing, ListRequest } from './object-table.ts';

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Error answer of S3. */
export function errorXml(code: string, message: string, resource: string): string {
  return `${declaration}<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message><Resource>${escapeXml(resource)}</Resource></Error>`;
}

/** Answer of ListObjectsV2. `encoded`: keys URL-encoded, as `encoding-type=url` asks. */
export function listXml(bucket: string, request: ListRequest, listing: Listing, encoded: boolean): string {
  const key = (raw: string): string => escapeXml(encoded ? encodeURIComponent(raw).replaceAll('%2F', '/') : raw);
  const contents = listing.objects.map(
    ({ key: name, body, etag, modifiedAt }) =>
      `<Contents><Key>${key(name)}</Key><LastModified>${modifiedAt.toISOString()}</LastModified><ETag>&#34;${etag}&#34;</ETag>` +
      `<Size>${body.byteLength}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const prefixes = listing.prefixes.map((prefix) => `<CommonPrefixes><Prefix>${key(prefix)}</Prefix></CommonPrefixes>`);
  return [
    `${declaration}<ListBucketResult xmlns="${namespace}"><Name>${escapeXml(bucket)}</Name><Prefix>${key(request.prefix)}</Prefix>`,
    `<KeyCount>${contents.length + prefixes.length}</KeyCount><MaxKeys>${request.maxKeys}</MaxKeys>`,
    request.delimiter === '' ? '' : `<Delimiter>${key(request.delimiter)}</Delimiter>`,
    encoded ? '<EncodingType>url</EncodingType>' : '',
    `<IsTruncated>${listing.next !== undefined}</IsTruncated>`,
    listing.next === undefined
      ? ''
      : `<NextContinuationToken>${Buffer.from(listing.next).toString('base64url')}</NextContinuationToken>`,
    ...contents,
    ...prefixes,
    '</ListBucketResult>',
  ].join('');
}

function escapeXml(raw: string): string {
  return raw.replace(/[<>&"']|\p{Cc}/gu, (c) => `&#${c.charCodeAt(0)};`);
}
