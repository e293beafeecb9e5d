import { Option } from 'commander';
import { largestSeed } from './parse-seed.ts';

/** Options of every verb that makes a run. */
export function sharedOptions(): readonly Option[] {
  return [
    new Option('--out <folder>', 'folder for results').default('results'),
    new Option('--seed <number>', `seed of all that is random, from 0 to ${largestSeed} (default: a new one, printed)`),
    new Option('--kernel-tier <tier>', 'use no more of the kernel than this release had').choices([
      '6.5',
      '5.12',
      '5.10',
    ]),
  ];
}
