import { expect, test } from 'vitest';
import { requiredFlags } from './required-flags.ts';

test('each flag has its value, whatever stands in it', () => {
  expect(requiredFlags(['--image=rekindle/harness:a=b', '--holds=/h'], ['image', 'holds'])).toEqual({
    image: 'rekindle/harness:a=b',
    holds: '/h',
  });
});

test.each([[['--image=i']], [['--image=i', '--holds=']], [['--image=i', '--holds']], [['--image=i', '--holdsx=/h']]])(
  '%j is told what is missing',
  (argv) => {
    expect(requiredFlags(argv, ['image', 'holds'])).toBe('--holds=... is missing');
  },
);
