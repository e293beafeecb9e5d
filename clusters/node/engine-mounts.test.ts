import { expect, test } from 'vitest';
import { withoutEngineMounts } from './engine-mounts.ts';

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

test('a container that comes or goes beside a run is no growth of the mount table, a FUSE mount is one anywhere', () => {
  expect(withoutEngineMounts([...kept, ...engines])).toEqual(kept);
});
