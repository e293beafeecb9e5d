import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NeighbourRoot } from '../../../fakes/neighbours/main.ts';
import { startProgram } from '../../../fakes/program.ts';
import { driverName, type Mount } from '../../../recovery/engine/model.ts';
import { isFuse } from '../../../recovery/engine/mount-sites.ts';
import { type ContainerIdentity, identifyContainer, podsDirectory } from '../../../recovery/linux/containers.ts';
import { loadSyscalls } from '../../../recovery/linux/load-syscalls.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import { MNT_DETACH, MS_BIND, MS_NODEV, MS_NOSUID, MS_RDONLY, MS_REC } from '../../../recovery/linux/syscalls.ts';
import { watchProcesses } from '../../../recovery/linux/watch.ts';
import { programs } from '../paths.ts';
import { followServing, startServing } from '../serving-process.ts';
import { type ConditionNode, NeighbourMounts, type NodeCondition } from './condition.ts';

/** As a container's root is by default: without capabilities, but for the one that a user namespace with its own id needs. */
const asTenant = ['setpriv', '--bounding-set=-all,+setfcap', '--inh-caps=-all', '--'];
const inOwnNamespaces = [...asTenant, 'unshare', '-Urm', '--propagation', 'private'];

/** How many containers a tenant attacks. Each of its processes takes as much memory as an agent. */
const maxVictims = 3;

export const posingTenant: NodeCondition = {
  name: 'posing-tenant',
  title: "a tenant imitates the mounts of another pod's container in user namespaces, with a forged log",
  reports: [],
  async begin(node) {
    const { directory, environment, kubeletRoot, logFile } = node;
    const mounts = new NeighbourMounts();
    const begun: Promise<unknown>[] = [];
    const pose = (
      victim: AttackedContainer,
      log: Pick<NeighbourRoot, 'files' | 'binds'>,
      name: string,
    ): Promise<void> => {
      const root: NeighbourRoot = {
        ...log,
        directory: join(directory, name),
        dead: victim.fuse.map(({ mountPoint: path, fstype, mountSource: source }) => ({ path, fstype, source })),
      };
      mkdirSync(root.directory);
      const argv = [...inOwnNamespaces, process.execPath, programs.neighbours, 'root', JSON.stringify(root)];
      const { process: tenant, ready } = startServing({ name: 'tenant', argv, environment, logFile });
      return ready.then(() => {
        for (const { path } of root.dead) mounts.add(path, tenant.pid);
      });
    };
    return {
      mounts,
      settled: () => Promise.all(begun),
      onContainer(pid) {
        const victim = attackedIn(node, pid);
        if (victim === undefined || begun.length >= 2 * maxVictims) return;
        const { podUid, name, terminationLog: target } = victim.identity;
        const log = `${podUid}/containers/${name}/0a1b2c3d`;
        // A `subPath` of an emptyDir lies on the kubelet's own filesystem.
        const volume = `${kubeletRoot}/pods/7f1bdc4a-tenant/volumes/kubernetes.io~empty-dir/v/pods/${log}`;
        mkdirSync(dirname(volume), { recursive: true });
        writeFileSync(volume, '');
        const byVolume = { files: [], binds: [{ source: volume, isFile: true as const, target }] };
        // The same path as the kubelet's, on the tenant's filesystem.
        const own = `${victim.podsRoot}/${log}`;
        const byPath = { files: [own], binds: [{ source: own, own: true as const, isFile: true as const, target }] };
        begun.push(pose(victim, byVolume, `${pid}-volume`), pose(victim, byPath, `${pid}-path`));
      },
    };
  },
};

export const nestedContainer: NodeCondition = {
  name: 'nested-container',
  title:
    'a container engine in each container has started a container that shares the volume, as Docker in Docker does',
  reports: ['kind#1614'],
  async begin({ environment, linux, logFile }) {
    const mounts = new NeighbourMounts();
    const begun: Promise<unknown>[] = [];
    return {
      mounts,
      settled: () => Promise.all(begun),
      onContainer(pid) {
        const fuse = fuseIn(pid);
        if (fuse.length === 0) return;
        const root: NeighbourRoot = {
          directory: '/mnt',
          files: [],
          binds: [
            ...fuse.map(({ mountPoint }) => ({ source: mountPoint, target: mountPoint })),
            { source: '/etc/hosts', isFile: true, target: '/etc/hosts' },
          ],
          dead: [],
        };
        const argv = [process.execPath, programs.neighbours, 'root', JSON.stringify(root)];
        const inner = linux.inNamespacesOf(pid, ['mnt', 'pid'], () =>
          linux.inNewNamespaces(['mnt'], () => startProgram(argv, { env: environment, cwd: '/' })),
        );
        const { ready } = followServing(inner, { name: 'nested container', logFile });
        const inPlace = ready.then(
          () => {
            for (const { mountPoint } of fuse) mounts.add(mountPoint, inner.pid);
          },
          () => {}, // The container has ended.
        );
        begun.push(inPlace);
        void inner.then(() => {
          for (const { mountPoint } of fuse) mounts.delete(mountPoint, inner.pid);
        });
      },
    };
  },
};

export const nestedKubelet: NodeCondition = {
  name: 'nested-kubelet',
  title: 'the kubelet of a cluster in a pod has published the same volumes for pods of the same names in that pod',
  reports: ['kind#1614'],
  async begin(node) {
    const { kubeletRoot, linux } = node;
    const mounts = new NeighbourMounts();
    const sys = loadSyscalls();
    const outer = `${kubeletRoot}/pods/5e1bdc4a-outer/volumes/kubernetes.io~empty-dir/docker`;
    return {
      mounts,
      onContainer(pid) {
        const victim = attackedIn(node, pid);
        if (victim === undefined) return;
        const published = `${kubeletRoot}/pods/${victim.identity.podUid}/volumes/kubernetes.io~csi/`;
        const targets = tableOf('self').filter(({ mountPoint }) => mountPoint.startsWith(published));
        for (const { mountPoint, fstype, mountSource } of targets) {
          const path = `${outer}${mountPoint}`;
          const [volume = ''] = mountPoint.slice(published.length).split('/');
          mkdirSync(path, { recursive: true });
          const record = { driverName, volumeHandle: volume, specVolID: volume };
          writeFileSync(join(path, '../vol_data.json'), JSON.stringify(record));
          // The volume is read-only in that cluster, too.
          const flags = MS_NOSUID | MS_NODEV | MS_RDONLY;
          const fd = openSync('/dev/fuse', 'r+');
          linux.mount(mountSource, path, fstype, flags, `fd=${fd},rootmode=40000,user_id=0,group_id=0`);
          closeSync(fd);
          mounts.add(path);
          const watch = watchProcesses(sys, [pid], () => {
            watch[Symbol.dispose]();
            mounts.delete(path);
            linux.umount(path, MNT_DETACH);
          });
        }
      },
    };
  },
};

export const kubeletRootTwice: NodeCondition = {
  name: 'kubelet-root-twice',
  title: "the kubelet's directory is bound to a second place on the node, where its mounts show as well",
  reports: [],
  async begin({ directory, kubeletRoot, linux }) {
    linux.mount(kubeletRoot, directory, null, MS_BIND | MS_REC);
    return { mounts: new NeighbourMounts() };
  },
};

export const mountFlood: NodeCondition = {
  name: 'mount-flood',
  title: 'a tenant has 30,000 mounts in each of three private namespaces, whose tables take long to read',
  reports: [],
  async begin({ directory, environment, logFile }) {
    const script = [
      'mount -t tmpfs tenant "$0" && cd "$0" && mkdir a && mount --bind a a',
      // Each doubles them.
      'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do mkdir "d$i" && mount --rbind . "d$i"; done',
      'echo \'{"event":"ready"}\'',
      'while :; do sleep 3600 & wait $!; done',
    ].join('\n');
    const argv = [...inOwnNamespaces, '/bin/sh', '-ec', script, directory];
    const all = [1, 2, 3].map(() => startServing({ name: 'tenant', argv, environment, logFile }).ready);
    await Promise.all(all);
    return { mounts: new NeighbourMounts() };
  },
};

interface AttackedContainer {
  readonly identity: ContainerIdentity;
  /** The kubelet's directory of pods within its filesystem. */
  readonly podsRoot: string;
  readonly fuse: readonly Mount[];
}

const tableOf = (pid: number | 'self') => parseMountinfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));

const fuseIn = (pid: number) => tableOf(pid).filter(isFuse);

/** A container with a FUSE mount. */
function attackedIn({ kubeletRoot }: Pick<ConditionNode, 'kubeletRoot'>, pid: number): AttackedContainer | undefined {
  const pods = podsDirectory(tableOf('self'), kubeletRoot);
  const found = pods && identifyContainer(tableOf(pid), pods);
  const fuse = fuseIn(pid);
  if (found?.kind !== 'container' || fuse.length === 0) return undefined;
  return { identity: found.identity, podsRoot: pods?.root ?? '', fuse };
}
