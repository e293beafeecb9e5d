import { isAbsolute } from 'node:path';
import { parseDuration } from '../clock.ts';
import { type CommandLine, readFlags } from '../command-line.ts';
import type { Nanoseconds } from '../engine/model.ts';
import { keeperDirectory } from './protocol.ts';

export interface KeeperFlags {
  readonly directory: string;
  readonly deadline: Nanoseconds;
}

/** In seconds; the kubelet allows a pod 30 to end by default. */
const longestDeadline = 25;
const defaults = { directory: keeperDirectory, deadline: '20s' };

const help = `Usage: rekindle-keeper [flags]

Keeps the /dev/fuse descriptor of FUSE daemons that send it, so that their mounts wait instead of failing while a daemon is
away, and hands it to the next daemon. Runs as root, one for each node. Needs Linux 6.9.

  --directory PATH  directory that only root may write, with a directory for each volume (${defaults.directory})
  --deadline 20s    how long a connection without a daemon is kept, at most ${longestDeadline}s

Exit status: 0 ended by SIGTERM or SIGINT; 2 usage; 3 this machine lacks something, which the message names.
`;

/** Parses the command line. */
export function parseKeeperFlags(argv: readonly string[]): CommandLine<KeeperFlags> {
  if (argv.includes('--help')) return { kind: 'help', text: help };
  const { given, unknown } = readFlags(argv, ['directory', 'deadline']);
  if (unknown !== undefined)
    return {
      kind: 'error',
      message: `${unknown} is not known; the flags are --directory=PATH, --deadline=20s and --help`,
    };
  const { directory, deadline: text } = { ...defaults, ...Object.fromEntries(given) };
  if (!isAbsolute(directory)) return { kind: 'error', message: `--directory=${directory} is not an absolute path` };
  const deadline = parseDuration(text);
  if (deadline === undefined || deadline <= 0n || deadline > BigInt(longestDeadline) * 1_000_000_000n) {
    const reason = 'because a pod that is being deleted may wait for it';
    return { kind: 'error', message: `--deadline=${text} is not a duration of at most ${longestDeadline}s, ${reason}` };
  }
  return { kind: 'run', options: { directory, deadline } };
}
