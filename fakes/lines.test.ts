import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { onLines, parseLine } from './lines.ts';

describe('lines of a stream', () => {
  it('are whole however the chunks are cut, also the last one without a line end', async () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    onLines(stream, (line) => lines.push(line));
    for (const chunk of ['a', 'b\nc', '\n', '\nd']) stream.write(chunk);
    stream.end();
    await finished(stream);
    expect(lines).toEqual(['ab', 'c', '', 'd']);
  });

  it('are parsed only if they are JSON objects', () => {
    expect(parseLine('{"event":"ready"}')).toEqual({ event: 'ready' });
    for (const text of ['', 'Listening ...', '{"cut', '[1]']) expect(parseLine(text)).toBeUndefined();
  });
});
