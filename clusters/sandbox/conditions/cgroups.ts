import { MS_NODEV, MS_NOSUID } from '../../../recovery/linux/syscalls.ts';
import { unifiedCgroups } from '../../node/cgroups.ts';
import { startServing } from '../serving-process.ts';
import { NeighbourMounts, type NodeCondition } from './condition.ts';

const pods = 'kubepods.slice/kubepods-burstable.slice';

export const cgroupV2: NodeCondition = {
  name: 'cgroup-v2',
  title: "pods are in cgroups of version 2 by systemd's names, and a process of one of them is called kubelet",
  reports: ['kind#1614'],
  async begin({ directory, environment, linux, logFile }) {
    const cgroups = unifiedCgroups(`rekindle-${environment.REKINDLE_RUN_ID}`, () => {
      linux.mount('cgroup2', directory, 'cgroup2', MS_NOSUID | MS_NODEV);
      return directory;
    });
    const script = [
      'printf kubelet >/proc/self/comm',
      'echo \'{"event":"ready"}\'',
      'while :; do sleep 3600 & wait $!; done',
    ].join('\n');
    const argv = ['unshare', '--mount', '--propagation=private', '/bin/sh', '-c', script];
    const { process, ready, exited } = startServing({ name: 'kubelet in a pod', argv, environment, logFile });
    await ready;
    cgroups.place(process.pid ?? 0, `${pods}/cri-containerd-kubelet.scope`);
    return {
      mounts: new NeighbourMounts(),
      onContainer: (pid) => cgroups.place(pid, `${pods}/cri-containerd-${pid}.scope`),
      async end() {
        process.kill('SIGKILL');
        await exited;
        await cgroups[Symbol.asyncDispose]();
      },
    };
  },
};
