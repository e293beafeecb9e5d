import { Option } from 'commander';
import { foreignDaemons } from '../../clusters/cluster.ts';
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
    new Option(
      '--daemon <program>',
      'serve the dataset by this FUSE daemon of others, in place of the fake one that can be told to misbehave',
    ).choices(foreignDaemons),
  ];
}
