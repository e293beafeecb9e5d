import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitOf, startProgram } from '../../../fakes/program.ts';
import { isFuse } from '../../../recovery/engine/mount-sites.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import { MS_NODEV, MS_NOSUID } from '../../../recovery/linux/syscalls.ts';
import { node as places, programs } from '../paths.ts';
import { startServing } from '../serving-process.ts';
import { NeighbourMounts, type NodeCondition } from './condition.ts';

const image = join(places.neighbours, 'image-on-fuse');

export const imageOnFuse: NodeCondition = {
  name: 'image-on-fuse',
  title:
    'the image of every container lies on a FUSE filesystem below overlayfs, as with images that are pulled lazily',
  reports: [],
  differences: { image },
  async begin({ environment, logFile }) {
    const argv = [process.execPath, programs.neighbours, 'image', image];
    await startServing({ name: 'snapshotter', argv, environment, logFile }).ready;
    const mounts = new NeighbourMounts();
    mounts.add(image);
    return { mounts };
  },
};

export const mountPathSymlink: NodeCondition = {
  name: 'mount-path-symlink',
  title: 'the mount path of the application is a symbolic link of its image, which the container runtime follows',
  reports: ['seaweedfs-csi-driver#264'],
  differences: { imageLinks: { data: 'mnt/image/data' } },
};

export const fuseOnTop: NodeCondition = {
  name: 'fuse-on-top',
  title: 'a process of each container has covered the dataset with FUSE of the same type and source, and never answers',
  reports: [],
  async begin({ linux, environment }) {
    const mounts = new NeighbourMounts();
    const mountOver = (pid: number, { mountPoint, fstype, mountSource }: ReturnType<typeof parseMountinfo>[number]) => {
      const fd = openSync('/dev/fuse', 'r+');
      const data = `fd=${fd},rootmode=40000,user_id=0,group_id=0`;
      const program = linux.inNamespacesOf(pid, ['mnt', 'pid'], () =>
        linux.inNewNamespaces(['mnt'], () => {
          linux.mount(mountSource, mountPoint, fstype, MS_NOSUID | MS_NODEV, data);
          return startProgram(['/bin/sh', '-c', 'sleep 2147483647'], { env: environment, cwd: '/' });
        }),
      );
      mounts.add(mountPoint, program.pid);
      void exitOf(program).then(() => {
        mounts.delete(mountPoint, program.pid);
        closeSync(fd);
      });
    };
    return {
      mounts,
      onContainer(pid) {
        // A mount that is shared with the node would carry it there.
        const own = parseMountinfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')).filter(
          (mount) => isFuse(mount) && mount.shared === undefined,
        );
        for (const mount of own) mountOver(pid, mount);
      },
    };
  },
};
