import { expect, test } from 'vitest';
import { mountPointsBelow } from './mounts.ts';

const line = (path: string) => `40 2 0:50 / ${path} rw,relatime shared:1 - tmpfs none rw`;

test('mount points at or below a directory are found, shallowest first', () => {
  const text = ['/', '/tmp/run/a/b', '/tmp/run', '/tmp/run/a'].map(line).join('\n');
  expect(mountPointsBelow(text, ['/tmp/run'])).toEqual(['/tmp/run', '/tmp/run/a', '/tmp/run/a/b']);
});

test('a directory whose name begins alike is another directory', () => {
  expect(mountPointsBelow(line('/tmp/run2/a'), ['/tmp/run'])).toEqual([]);
});

test('escaped characters are resolved', () => {
  expect(mountPointsBelow(line('/tmp/run/a\\040b\\011c\\134'), ['/tmp/run'])).toEqual(['/tmp/run/a b\tc\\']);
});
