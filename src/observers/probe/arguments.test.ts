import { describe, expect, it } from 'vitest';
import { parseProbeArguments } from './arguments.ts';

const sum = 'a'.repeat(64);
const good = { pid: '12', path: '/data', rate: '1000', name: 'n/p/c:/data', files: JSON.stringify({ 'a.txt': sum }) };
const argv = (values: Record<string, string>) => Object.entries(values).map(([name, value]) => `--${name}=${value}`);

describe('the probe’s arguments', () => {
  it('are read', () => {
    expect(parseProbeArguments(argv({ ...good, uid: '0', gid: '7' }))).toEqual({
      pid: 12,
      path: '/data',
      rate: 1000,
      name: 'n/p/c:/data',
      files: { 'a.txt': sum },
      uid: 0,
      gid: 7,
      lists: true,
    });
    expect(parseProbeArguments([...argv(good), '--no-listing'])).toMatchObject({ lists: false });
  });

  it.each([
    ['pid', 'x', '--pid must be a whole number'],
    ['rate', '0', '--rate must be a whole number from 1 to 2000'],
    ['path', 'data', '--path must be an absolute path'],
    ['files', '[]', '--files must be a JSON object'],
    ['files', 'null', '--files must be a JSON object'],
    ['files', '{"a":1}', '--files must be a JSON object'],
    ['uid', '-1', '--uid must be a whole number'],
    ['speed', '1', "'--speed'"],
  ])('are refused by name: --%s=%s', (name, value, says) => {
    expect(() => parseProbeArguments(argv({ ...good, [name]: value }))).toThrow(says);
  });
});
