import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it, test } from 'vitest';
import { withoutEngineMounts } from './mount-watch.ts';

const module = fileURLToPath(new URL('./mount-watch.ts', import.meta.url));

it.each([
  ['exits', 'process.exit(7)', 7],
  ['has an uncaught exception', "throw new Error('uncaught')", 1],
])('does not keep a process that %s, although no mount table changes', async (_, end, exitCode) => {
  const script = `
    import { MountWatch } from ${JSON.stringify(module)};
    new MountWatch(() => {}).watch('self', 'node');
    setTimeout(() => { ${end}; }, 200);`;
  const ended = await execa(process.execPath, ['--input-type=module', '--eval', script], {
    reject: false,
    timeout: 15_000,
    killSignal: 'SIGKILL',
  });
  expect(ended).toMatchObject({ exitCode, timedOut: false });
});

const kept = [
  '20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '21 1 0:50 / / rw,relatime - overlay overlay rw',
  '31 20 0:60 / /var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/v/mount ro - fuse.jindofs-fuse jindofs rw',
  '32 20 0:61 / /run/rekindle-staging rw - tmpfs rekindle rw',
  '33 20 0:62 / /run/containerd/left ro - fuse.jindofs-fuse jindofs rw',
];
const engines = [
  '40 20 0:70 / /var/lib/docker/overlay2/64e4/merged rw - overlay overlay rw',
  '41 20 0:4 net:[402] /run/docker/netns/d844 rw - nsfs nsfs rw',
  '42 20 0:71 / /run/containerd/io.containerd.runtime.v2.task/k8s.io/1/rootfs rw - overlay overlay rw',
  '43 20 0:72 / /var/lib/docker/containers/1/mounts/shm rw - tmpfs shm rw',
  '44 20 0:4 net:[403] /run/netns/cni-1 rw - nsfs nsfs rw',
];

test('ignores mounts of container engines, but never a FUSE mount', () => {
  expect(withoutEngineMounts([...kept, ...engines])).toEqual(kept);
});
