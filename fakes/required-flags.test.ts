import { expect, test } from 'vitest';
import { requiredFlags } from './required-flags.ts';

test('returns the value of each flag, whatever characters it has', () => {
  expect(requiredFlags(['--image=rekindle/harness:a=b', '--holds=/h'], ['image', 'holds'])).toEqual({
    image: 'rekindle/harness:a=b',
    holds: '/h',
  });
});

test.each([[['--image=i']], [['--image=i', '--holds=']], [['--image=i', '--holds']], [['--image=i', '--holdsx=/h']]])(
  '%j is answered with the missing flag',
  (argv) => {
    expect(requiredFlags(argv, ['image', 'holds'])).toBe('--holds=... is missing');
  },
);
