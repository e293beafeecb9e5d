import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { printsDocumentedTranscript } from './documented-transcript.ts';

const listing = `total 172
-rwxrwxr-x 1 root root          18 Jul  1 15:17 myfile
-rwxrwxr-x 1 root root         154 Jul  1 17:06 myfile.txt`;
const error = "ls: cannot access '/data': Transport endpoint is not connected";
const documented = "ls: cannot access '/data/': Transport endpoint is not connected";
const aborted = "ls: cannot open directory '/data': Software caused connection abort";
const midway = `ls: reading directory '/data': Transport endpoint is not connected\ntotal 0`;
const marks = `${error.replace('/data', '/data/myfile.txt')}
total 1
-rwxrwxr-x 1 root root          18 Jul  1 15:17 myfile
-????????? ? ?    ?             ?            ? myfile.txt`;

/** Each text a second after the one before, line by line as it is printed. */
const history = (...texts: readonly string[]): HistoryEvent[] =>
  texts.flatMap((text, second) =>
    text.split('\n').map((line, n): HistoryEvent => {
      const stream = line.startsWith('ls:') ? 'stderr' : 'stdout';
      return { kind: 'output', at: second * 1e9 + n, program: 'loop', stream, text: line };
    }),
  );
const exited: HistoryEvent = {
  kind: 'process',
  at: 100e9,
  role: 'program',
  name: 'loop',
  change: 'exited',
  exitCode: 2,
};

describe('the documented loop', () => {
  it.each([
    ['the document’s own transcript', history(listing, listing, documented, documented, listing, listing)],
    ['a path printed without its slash', history(listing, error, listing)],
    ['a call under way that was aborted', history(listing, aborted, error, listing)],
    ['a listing that broke off in the middle', history(listing, midway, error, listing)],
    [
      'a listing that broke off before its error was read',
      history(listing, midway.split('\n').reverse().join('\n'), error, listing),
    ],
    ['a listing with question marks', history(listing, marks, error, listing)],
    ['a last listing that is still on its way', history(listing, error, listing, 'total 172')],
    ['another program’s output beside it', [...history(listing, error, listing), { ...exited, name: 'other' }]],
  ])('passes on %s', (_, events) => {
    expect(
      printsDocumentedTranscript(new Timeline(events), { program: 'loop', files: ['myfile', 'myfile.txt'] }),
    ).toMatchObject({
      verdict: 'pass',
      claims: ['C1', 'C3'],
    });
  });

  it.each([
    ['an end of the loop', [...history(listing, error, listing), exited], 'the loop ended (status 2)'],
    ['errors to the end', history(listing, error, error), 'after 2 errors the loop listed no files again'],
    ['an empty directory', history(listing, error, 'total 0', listing), 'a listing held nothing instead of myfile'],
    [
      'a file that is missing',
      history(listing, error, listing.split('\n').slice(0, 2).join('\n'), listing),
      'a listing held myfile instead',
    ],
    [
      'another error',
      history(listing, "ls: cannot access '/data': No such file or directory", error, listing),
      'No such file or directory',
    ],
    ['only an empty directory at the end', history(listing, error, 'total 0'), 'listed no files again'],
  ])('fails on %s', (_, events, says) => {
    expect(
      printsDocumentedTranscript(new Timeline(events), { program: 'loop', files: ['myfile', 'myfile.txt'] }),
    ).toMatchObject({
      verdict: 'fail',
      says: expect.stringContaining(says),
    });
  });

  it.each([
    ['no output', []],
    ['listings only', history(listing, listing)],
    ['errors before any listing', history(error, listing)],
  ])('is inconclusive on %s', (_, events) => {
    expect(
      printsDocumentedTranscript(new Timeline(events), { program: 'loop', files: ['myfile', 'myfile.txt'] }),
    ).toMatchObject({
      verdict: 'inconclusive',
    });
  });

  it('counts listings and errors', () => {
    const events = history(listing, listing, documented, listing);
    const { says } = printsDocumentedTranscript(new Timeline(events), { program: 'loop', files: ['myfile'] });
    expect(says).toBe('2 listings, 1 error, 1 listing, and the loop continues');
  });
});
