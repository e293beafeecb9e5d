import { expect, test } from 'vitest';
import { podOf } from './serving-daemon.ts';

const uid = '5d3e61b6-b8ed-431e-9138-ef233340f673';

test.each([
  ['the cgroupfs driver', `5:memory:/kubepods/besteffort/pod${uid}/0f3a`, uid],
  [
    'the systemd driver',
    `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-0f3a.scope`,
    uid,
  ],
  ['no pod', '0::/system.slice/jindofs-fuse.service', undefined],
])('the pod of a process is known by its cgroup, by %s', (_, cgroup, expected) => {
  expect(podOf(cgroup)).toBe(expected);
});
