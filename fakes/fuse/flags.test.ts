import { describe, expect, it } from 'vitest';
import { parseFlags } from './flags.ts';

const given = ['--mountpoint=/jfs/m', '--endpoint=http://127.0.0.1:9000', '--bucket=b', '--credentials=/etc/secrets'];

describe('parseFlags', () => {
  it('parses required and optional flags', () => {
    expect(parseFlags(given)).toEqual({
      ok: true,
      flags: {
        mountpoint: '/jfs/m',
        endpoint: 'http://127.0.0.1:9000',
        bucket: 'b',
        prefix: '',
        credentials: '/etc/secrets',
        behaviour: undefined,
        holdFile: undefined,
        readOnly: false,
      },
    });
  });

  it.each([
    ['', ''],
    ['/', ''],
    ['dir', 'dir/'],
    ['/dir/sub/', 'dir/sub/'],
  ])('takes the prefix %j for %j', (prefix, expected) => {
    expect(parseFlags([...given, `--prefix=${prefix}`])).toMatchObject({ flags: { prefix: expected } });
  });

  it('accepts a mount point with a trailing slash', () => {
    expect(parseFlags([...given, '--mountpoint=/jfs//m/'])).toMatchObject({ flags: { mountpoint: '/jfs/m' } });
  });

  it.each([
    [['--mountpoint=jfs'], '--mountpoint=jfs is not an absolute path'],
    [['--endpoint=https://x'], '--endpoint=https://x is not of the form http://host:port'],
    [['--endpoint=127.0.0.1:9000'], '--endpoint=127.0.0.1:9000 is not of the form http://host:port'],
    [['--endpoint=http://x/path'], '--endpoint=http://x/path is not of the form http://host:port'],
    [['--bucket='], 'missing --bucket=...'],
    [['--colour=red'], /^unknown argument --colour=red: accepted are --mountpoint=/],
    [['mountpoint'], /^unknown argument mountpoint: accepted are /],
  ])('refuses %j with its name', (more, message) => {
    expect(parseFlags([...given, ...more])).toEqual({ ok: false, message: expect.stringMatching(message) });
  });

  it('names all missing flags at once', () => {
    expect(parseFlags(['--bucket=b'])).toMatchObject({
      message: 'missing --mountpoint=... --endpoint=... --credentials=...',
    });
  });
});
