import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MS_SHARED } from '../../../recovery/linux/syscalls.ts';
import { exitOf } from '../../program.ts';
import { type ContainerSpec, type StartedContainer, startContainer } from '../container.ts';
import { type Linux, loadLinux } from '../linux.ts';
import type { ContainerMount } from '../rootfs.ts';

/** The directory that this script was given, as a shared tmpfs of its mount namespace that plays the node and goes with it. */
export function scratchNode(): {
  readonly linux: Linux;
  readonly path: string;
  start(spec: Partial<ContainerSpec>): StartedContainer;
} {
  const linux = loadLinux();
  const [, , path = ''] = process.argv;
  linux.mount('node', path, 'tmpfs', 0);
  linux.mount(null, path, null, MS_SHARED);
  for (const name of ['rootfs', 'volume', 'pod']) mkdirSync(join(path, name));
  writeFileSync(join(path, 'pod/etc-hosts'), 'made by the kubelet\n');
  return {
    linux,
    path,
    start: (spec) =>
      startContainer(
        { linux, scratch: join(path, 'rootfs'), keep: [] },
        {
          argv: ['sleep', 'infinity'],
          environment: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
          workingDirectory: '/',
          mounts: [],
          files: new Set(['/etc/hosts']),
          ...spec,
        },
      ),
  };
}

export const volume = (source: string, target: string, propagation: ContainerMount['propagation']): ContainerMount => ({
  source,
  target,
  readOnly: false,
  propagation,
});

/** What a program in the container prints. */
export async function outputOf(container: StartedContainer, script: string): Promise<string> {
  const program = container.exec(['sh', '-c', script], { PATH: '/usr/bin:/bin' });
  let output = '';
  program.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  await exitOf(program);
  return output.trim();
}
