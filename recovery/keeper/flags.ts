import { isAbsolute } from 'node:path';
import { parseDuration } from '../clock.ts';
import type { Nanoseconds } from '../engine/model.ts';
import { keeperDirectory } from './protocol.ts';

export interface KeeperFlags {
  readonly directory: string;
  readonly deadline: Nanoseconds;
}

export type ParsedKeeperFlags =
  | { readonly kind: 'run'; readonly flags: KeeperFlags }
  | { readonly kind: 'help'; readonly text: string }
  /** The message is one sentence. */
  | { readonly kind: 'error'; readonly message: string };

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
export function parseKeeperFlags(argv: readonly string[]): ParsedKeeperFlags {
  const given = new Map<string, string>();
  for (const word of argv) {
    if (word === '--help') return { kind: 'help', text: help };
    const [, name, value] = /^--(directory|deadline)=(.+)$/s.exec(word) ?? [];
    if (name === undefined || value === undefined)
      return {
        kind: 'error',
        message: `${word} is not known; the flags are --directory=PATH, --deadline=20s and --help`,
      };
    given.set(name, value);
  }
  const { directory, deadline: text } = { ...defaults, ...Object.fromEntries(given) };
  if (!isAbsolute(directory)) return { kind: 'error', message: `--directory=${directory} is not an absolute path` };
  const deadline = parseDuration(text);
  if (deadline === undefined || deadline <= 0n || deadline > BigInt(longestDeadline) * 1_000_000_000n) {
    const reason = 'because a pod that is being deleted may wait for it';
    return { kind: 'error', message: `--deadline=${text} is not a duration of at most ${longestDeadline}s, ${reason}` };
  }
  return { kind: 'run', flags: { directory, deadline } };
}
