import { describe, expect, it } from 'vitest';
import { decodeChunks, parseRange } from './embedded-store.ts';

describe('decodeChunks', () => {
  const signature = `;chunk-signature=${'0'.repeat(64)}`;
  it('joins the chunks of a body that is signed chunk by chunk, up to the last', () => {
    const body = `5${signature}\r\nhello\r\n1${signature}\r\n!\r\n0${signature}\r\n\r\n`;
    expect(decodeChunks(Buffer.from(body))).toEqual(Buffer.from('hello!'));
    expect(decodeChunks(Buffer.from('0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n'))).toEqual(Buffer.alloc(0));
  });

  it.each(['5\r\nhel', '5\r\nhello\r\n', '', 'hello\r\n'])('refuses %j, which is cut off', (body) => {
    expect(decodeChunks(Buffer.from(body))).toBeUndefined();
  });
});

describe('parseRange', () => {
  it.each([
    [undefined, 10, undefined],
    ['bytes=0-3', 10, [0, 3]],
    ['bytes=4-', 10, [4, 9]],
    ['bytes=-3', 10, [7, 9]],
    ['bytes=-30', 10, [0, 9]],
    ['bytes=5-99', 10, [5, 9]],
    ['bytes=10-12', 10, 'unsatisfiable'],
    ['bytes=0-0', 0, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=3-1', 10, undefined],
    ['bytes=0-1,4-5', 10, undefined],
    ['lines=0-1', 10, undefined],
  ])('reads %j of %i bytes as %j', (header, size, expected) => {
    expect(parseRange(header, size)).toEqual(expected);
  });
});
