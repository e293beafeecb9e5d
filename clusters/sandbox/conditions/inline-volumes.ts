import { CoreV1Api, makeInformer, type V1PersistentVolume } from '@kubernetes/client-node';
import { driverName } from '../../../recovery/engine/model.ts';
import { node as places, programs } from '../paths.ts';
import { startServing } from '../serving-process.ts';
import { NeighbourMounts, type NodeCondition } from './condition.ts';

const foreignDriver = 'inline.neighbours.example';
const namespace = 'neighbours';

export const foreignInlineVolume: NodeCondition = {
  name: 'foreign-inline-volume',
  title:
    "for each volume of this driver, another pod has another driver's inline volume of the same name, which is a FUSE mount",
  reports: [],
  async begin({ environment, kubeConfig, logFile, directory, kubeletRoot }) {
    const mounts = new NeighbourMounts();
    const api = kubeConfig.makeApiClient(CoreV1Api);
    const argv = [process.execPath, programs.inlineDriver, foreignDriver, `${directory}/csi.sock`];
    const driver = startServing({
      name: "another driver's node plugin",
      argv: [...argv, `${kubeletRoot}/plugins_registry`],
      // Each of its mounts keeps a thread of the pool waiting for the kernel's next request.
      environment: { ...environment, UV_THREADPOOL_SIZE: '64' },
      logFile,
      onLine({ event, path }) {
        if (event === 'published') mounts.add(String(path));
        if (event === 'unpublished') mounts.delete(String(path));
      },
    });
    await api.createNamespace({ body: { metadata: { name: namespace } } });
    const informer = makeInformer(kubeConfig, '/api/v1/persistentvolumes', () => api.listPersistentVolume());
    // Volumes without a claim are those of other conditions.
    const isOurs = ({ spec }: V1PersistentVolume) => spec?.csi?.driver === driverName && spec.claimRef !== undefined;
    informer.on('add', (volume) => {
      const name = volume.metadata?.name ?? '';
      const volumes = [{ name, csi: { driver: foreignDriver } }];
      const containers = [{ name: 'app', image: 'nginx', volumeMounts: [{ name, mountPath: '/data' }] }];
      const spec = { nodeName: places.name, containers, volumes };
      if (isOurs(volume))
        void api.createNamespacedPod({ namespace, body: { metadata: { name }, spec } }).catch(() => {}); // It is there already.
    });
    informer.on('delete', ({ metadata }) => {
      const pod = { name: metadata?.name ?? '', namespace, gracePeriodSeconds: 0 };
      void api.deleteNamespacedPod(pod).catch(() => {}); // There is none for another driver's volume.
    });
    informer.on('error', () => void setTimeout(() => void informer.start(), 200).unref());
    await driver.ready;
    await informer.start();
    return { mounts };
  },
};
