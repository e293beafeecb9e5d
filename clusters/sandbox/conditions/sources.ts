import { mkdirSync, readFileSync } from 'node:fs';
import { ApiException, CoreV1Api } from '@kubernetes/client-node';
import { driverName } from '../../../recovery/engine/model.ts';
import { recoveryLabel } from '../../../recovery/engine/policy.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import { MS_NODEV, MS_NOSUID } from '../../../recovery/linux/syscalls.ts';
import { node as places } from '../paths.ts';
import { NeighbourMounts, type NodeCondition } from './condition.ts';

const namespace = 'neighbours';
const name = 'shared';
const volume = `${namespace}-${name}`;
const fstype = 'ramfs';

export const nonFuseSource: NodeCondition = {
  name: 'non-fuse-source',
  title: `another dataset is on a filesystem without a daemon, and a pod reads it; ${fstype} stands in for NFS, CephFS and others`,
  reports: [],
  async begin({ kubeConfig, linux, mountRoot }) {
    const api = kubeConfig.makeApiClient(CoreV1Api);
    const source = `${mountRoot}/thin/${namespace}/${name}/thin-fuse`;
    mkdirSync(source, { recursive: true });
    linux.mount('server:/export', source, fstype, MS_NOSUID | MS_NODEV);
    const mounts = new NeighbourMounts();
    mounts.add(source);
    await api.createNamespace({ body: { metadata: { name: namespace } } }).catch((error: unknown) => {
      // Another condition may have created it.
      if (!(error instanceof ApiException && error.code === 409)) throw error;
    });
    const common = { accessModes: ['ReadOnlyMany'], storageClassName: 'fluid', volumeMode: 'Filesystem' };
    const storage = '1Gi';
    const csi = { driver: driverName, volumeHandle: volume, volumeAttributes: { fluid_path: source } };
    const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name };
    await api.createPersistentVolume({
      body: { metadata: { name: volume }, spec: { ...common, capacity: { storage }, claimRef, csi } },
    });
    const claim = { metadata: { name }, spec: { ...common, resources: { requests: { storage } } } };
    await api.createNamespacedPersistentVolumeClaim({ namespace, body: claim });
    const volumeMounts = [{ name: 'data', mountPath: '/data', mountPropagation: 'HostToContainer' }];
    // Labelled, so that the agent looks into it. The webhook does not run yet.
    await api.createNamespacedPod({
      namespace,
      body: {
        metadata: { name, labels: { [recoveryLabel]: 'true' } },
        spec: {
          nodeName: places.name,
          containers: [{ name: 'app', image: 'nginx', volumeMounts }],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }],
        },
      },
    });
    const started = Promise.withResolvers<void>();
    return {
      mounts,
      started: started.promise,
      onContainer(pid) {
        const own = parseMountinfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')).find(
          (mount) => mount.fstype === fstype && mount.mountPoint === '/data',
        );
        const published = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).find(({ mountPoint }) =>
          mountPoint.endsWith(`/volumes/kubernetes.io~csi/${volume}/mount`),
        );
        if (own === undefined || published === undefined) return;
        mounts.add(own.mountPoint, pid);
        mounts.add(published.mountPoint);
        started.resolve();
      },
    };
  },
};

export const slowListing: NodeCondition = {
  name: 'slow-listing',
  title: 'a listing of a directory of any dataset takes 3 s, as with a bucket of many objects',
  reports: ['seaweedfs-csi-driver#295', 'blob-csi-driver#2573', 'cloudfuse#81', 'gcsfuse#349'],
  differences: { daemon: { delayMs: { readdir: 3000 }, parallelListing: true }, probeReadsOnly: true },
};

export const unreadableFile: NodeCondition = {
  name: 'unreadable-file',
  title: 'the first file of every dataset cannot be read (EIO), as with an object that is archived or was damaged',
  reports: ['juicefs#5106', 's3fs-fuse#1705', 'mountpoint-s3#152'],
  differences: { daemon: { unreadable: '.archived' } },
};
