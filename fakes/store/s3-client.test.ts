import { describe, expect, it } from 'vitest';
import { parseErrorCode, parseListPage } from './s3-client.ts';

const page = (inner: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</ListBucketResult>`;

describe('parseListPage', () => {
  it('reads objects, common prefixes and the next token', () => {
    const xml = page(
      '<Name>b</Name><Prefix>dir/</Prefix><KeyCount>2</KeyCount><IsTruncated>true</IsTruncated>' +
        '<NextContinuationToken>t0ken==</NextContinuationToken>' +
        '<Contents><Key>dir/a</Key><LastModified>2025-07-01T15:17:00.000Z</LastModified><ETag>&#34;abc&#34;</ETag>' +
        '<Size>18</Size><Owner><ID>x</ID></Owner></Contents>' +
        '<CommonPrefixes><Prefix>dir/sub/</Prefix></CommonPrefixes>',
    );
    expect(parseListPage(xml)).toEqual({
      objects: [{ key: 'dir/a', size: 18, modifiedAt: Date.UTC(2025, 6, 1, 15, 17), etag: 'abc' }],
      prefixes: ['dir/sub/'],
      nextToken: 't0ken==',
    });
  });

  it('reads an empty page', () => {
    expect(parseListPage(page('<IsTruncated>false</IsTruncated>'))).toEqual({
      objects: [],
      prefixes: [],
      nextToken: undefined,
    });
  });

  it('has no next token on the last page', () => {
    const xml = page('<IsTruncated>false</IsTruncated><NextContinuationToken>x</NextContinuationToken>');
    expect(parseListPage(xml).nextToken).toBeUndefined();
  });

  it.each([
    ['<Key>a+b%2Fc%25</Key>', '<EncodingType>url</EncodingType>', 'a b/c%'],
    ['<Key>a+b%2F</Key>', '', 'a+b%2F'],
    ['<Key>&lt;&amp;&#34;&#x4e;&apos;&quot;&gt;</Key>', '', '<&"N\'">'],
    ['<Key>&unknown;</Key>', '', '&unknown;'],
  ])('reads the key in %s%s', (key, encoding, expected) => {
    expect(parseListPage(page(`${encoding}<Contents>${key}</Contents>`)).objects[0]?.key).toBe(expected);
  });
});

describe('parseErrorCode', () => {
  it('returns the code, or undefined', () => {
    expect(parseErrorCode('<Error><Code>NoSuchKey</Code><Message>m</Message></Error>')).toBe('NoSuchKey');
    expect(parseErrorCode('')).toBeUndefined();
  });
});
