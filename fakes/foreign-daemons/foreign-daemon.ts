import { readFileSync } from 'node:fs';
import { execaSync } from 'execa';

/** FUSE daemons of other projects, by the names of their programs. */
export const foreignDaemons = ['s3fs', 'rclone'] as const;

export type ForeignDaemon = (typeof foreignDaemons)[number];

/** A daemon and its command, to which the flags of the fake daemon are appended. */
export interface ForeignDaemonProgram {
  readonly name: ForeignDaemon;
  readonly command: readonly string[];
}

/** Uses the program of the container's image or, if it has no image, of the machine. */
export function foreignDaemonProgram(name: ForeignDaemon): ForeignDaemonProgram {
  const script = readFileSync(new URL('./start.sh', import.meta.url), 'utf8');
  return { name, command: ['/bin/sh', '-c', script, name] };
}

/** Name and version of the machine's program, such as `s3fs 1.90`; undefined if it is not on the PATH. */
export function versionOf(name: ForeignDaemon, path: string): string | undefined {
  const argument = name === 'rclone' ? 'version' : '--version';
  const options = { env: { PATH: path }, extendEnv: false, reject: false, timeout: 10_000 } as const;
  const { failed, stdout } = execaSync(name, [argument], options);
  if (failed) return undefined;
  const [version] = /\d+(\.\d+)+/.exec(stdout) ?? [];
  return `${name} ${version ?? ''}`.trim();
}
