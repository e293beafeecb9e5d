import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** FUSE daemons that others wrote, by the names of their programs. */
export const foreignDaemons = ['s3fs', 'rclone'] as const;

export type ForeignDaemon = (typeof foreignDaemons)[number];

/** Which of them a FUSE container runs, and how it is started: the flags of the fake daemon are added. */
export interface ForeignDaemonProgram {
  readonly name: ForeignDaemon;
  readonly command: readonly string[];
}

/** A daemon of the container's own image, or of the machine where it has none. */
export function foreignDaemonProgram(name: ForeignDaemon): ForeignDaemonProgram {
  const script = readFileSync(new URL('./start.sh', import.meta.url), 'utf8');
  return { name, command: ['/bin/sh', '-c', script, name] };
}

/** What a machine's own program calls itself, as `s3fs 1.90`; undefined where it is not on the PATH. */
export function versionOf(name: ForeignDaemon, path: string): string | undefined {
  const argument = name === 'rclone' ? 'version' : '--version';
  const { status, stdout } = spawnSync(name, [argument], { env: { PATH: path }, encoding: 'utf8', timeout: 10_000 });
  if (status !== 0) return undefined;
  const [version] = /\d+(\.\d+)+/.exec(stdout) ?? [];
  return `${name} ${version ?? ''}`.trim();
}
