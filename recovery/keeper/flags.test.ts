import { describe, expect, it } from 'vitest';
import { parseKeeperFlags } from './flags.ts';

describe('parseKeeperFlags', () => {
  it('has defaults', () => {
    expect(parseKeeperFlags([])).toEqual({
      kind: 'run',
      options: { directory: '/run/rekindle-keeper', deadline: 20_000_000_000n },
    });
  });

  it.each([
    [
      '--deadline=26s',
      '--deadline=26s is not a duration of at most 25s, because a pod that is being deleted may wait for it',
    ],
    [
      '--deadline=0',
      '--deadline=0 is not a duration of at most 25s, because a pod that is being deleted may wait for it',
    ],
    ['--directory=run', '--directory=run is not an absolute path'],
    ['--dir=/run', '--dir=/run is not known; the flags are --directory=PATH, --deadline=20s and --help'],
  ])('refuses %s', (flag, message) => {
    expect(parseKeeperFlags([flag])).toEqual({ kind: 'error', message });
  });
});
