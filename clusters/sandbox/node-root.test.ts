import { expect, test } from 'vitest';
import { outerKubeletMounts } from './node-root.ts';

test('finds the kubelet’s files in a pod, and nothing else', () => {
  const pod = '/lib/kubelet/pods/0b3c9a3e-1111-4222-8333-444455556666';
  const mountinfo = [
    '100 90 0:50 / / rw,relatime - overlay overlay rw',
    `101 100 8:1 ${pod}/etc-hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw`,
    `102 100 8:1 ${pod}/containers/rekindle/8c1d /dev/termination-log rw,relatime - ext4 /dev/sda1 rw`,
    `103 100 8:1 ${pod}/volumes/kubernetes.io~empty-dir/results /results rw,relatime - ext4 /dev/sda1 rw`,
    '104 100 8:1 /lib/containerd/sandboxes/x/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/sda1 rw',
    '',
  ].join('\n');
  expect(outerKubeletMounts(mountinfo)).toEqual(['/etc/hosts', '/dev/termination-log']);
});
