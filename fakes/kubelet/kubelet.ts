import { mkdirSync } from 'node:fs';
import {
  CoreV1Api,
  type KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
  type V1PodStatus,
} from '@kubernetes/client-node';
import type { StartedContainer } from './container.ts';
import { createCsiNode } from './csi.ts';
import { type PluginRegistry, watchPlugins } from './plugin-registry.ts';
import { defaultGraceSeconds, PodWorker, type WorkerOptions } from './pod-worker.ts';
import { Holds } from './restarts.ts';
import { kubeletPaths, namespaceOf } from './volumes.ts';

export interface KubeletOptions
  extends Omit<WorkerOptions, 'api' | 'csi' | 'paths' | 'updateStatus' | 'warn' | 'holds'> {
  readonly kubeConfig: KubeConfig;
  readonly nodeName: string;
  /** `/var/lib/kubelet`. */
  readonly rootDir: string;
  /** Labels of the node in addition to its hostname. */
  readonly nodeLabels?: Readonly<Record<string, string>>;
}

/** A fake kubelet: runs the pods that the API server assigns to one node. */
export interface Kubelet extends AsyncDisposable {
  container(namespace: string, pod: string, container: string): StartedContainer | undefined;
  /** Prevents starts of a container until disposal, even the first start and starts after a reboot. */
  hold(namespace: string, pod: string, container: string): Disposable;
  /** Resolves once the CSI driver has registered, or on abort. */
  registered: PluginRegistry['registered'];
  /** Does what a kubelet does when it starts while its pods run: it registers the drivers and publishes all volumes again. */
  restart(): void;
  /** Kills all containers like a power loss, runs `off`, and starts the same pods again. */
  reboot(off: () => Promise<void>): Promise<void>;
  /** Names of the pods of a namespace that still exist on the node. */
  pods(namespace: string): readonly string[];
}

/** Registers the node and starts the pods that are assigned to it. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { kubeConfig, nodeName } = options;
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const workers = new Map<string, { readonly worker: PodWorker; readonly pod: V1Pod; ending: boolean }>();
  const holds = new Holds();
  let isOff = false;
  const paths = kubeletPaths(options.rootDir);
  mkdirSync(paths.pods, { recursive: true });
  const plugins = watchPlugins(paths.plugins);

  await registerNode(api, nodeName, options.nodeLabels);
  const updateStatus = async (pod: V1Pod, status: V1PodStatus): Promise<void> => {
    const { name = '' } = pod.metadata ?? {};
    await api.patchNamespacedPodStatus(
      { name, namespace: namespaceOf(pod), body: { status } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  };
  const warn: WorkerOptions['warn'] = (pod, warning) => void createWarning(api, pod, { ...warning, nodeName });
  const csi = createCsiNode(plugins, options.clockScale);
  const workerOptions: WorkerOptions = { ...options, api, csi, paths, updateStatus, warn, holds };

  const end = async (uid: string, graceMs: number): Promise<void> => {
    const entry = workers.get(uid);
    if (entry?.ending && graceMs === 0) entry.worker.kill();
    if (!entry || entry.ending) return;
    entry.ending = true;
    await entry.worker.terminate(graceMs);
    const { name = '' } = entry.pod.metadata ?? {};
    await api.deleteNamespacedPod({ name, namespace: namespaceOf(entry.pod), gracePeriodSeconds: 0 }).catch(() => {}); // It was already deleted by force.
    workers.delete(uid);
  };
  const sync = (pod: V1Pod): void => {
    const { uid, deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata ?? {};
    if (!uid || pod.spec?.nodeName !== nodeName || isOff) return;
    if (deletionTimestamp && !workers.has(uid)) {
      void api
        .deleteNamespacedPod({ name: pod.metadata?.name ?? '', namespace: namespaceOf(pod), gracePeriodSeconds: 0 })
        .catch(() => {});
    } else if (deletionTimestamp) void end(uid, (deletionGracePeriodSeconds ?? defaultGraceSeconds) * 1000);
    else if (!workers.has(uid)) workers.set(uid, { worker: new PodWorker(pod, workerOptions), pod, ending: false });
  };

  const fieldSelector = `spec.nodeName=${nodeName}`;
  const informer = makeInformer(kubeConfig, `/api/v1/pods?fieldSelector=${encodeURIComponent(fieldSelector)}`, () =>
    api.listPodForAllNamespaces({ fieldSelector }),
  );
  informer.on('add', sync);
  informer.on('update', sync);
  informer.on('delete', (pod) => void end(pod.metadata?.uid ?? '', 0));
  informer.on('error', () => void setTimeout(() => void informer.start(), 200));
  await informer.start();

  const find = (namespace: string, name: string) =>
    [...workers.values()].find(({ pod }) => pod.metadata?.name === name && namespaceOf(pod) === namespace)?.worker;
  return {
    hold: (namespace, pod, container) => holds.hold(`${namespace}/${pod}/${container}`),
    registered: plugins.registered,
    restart() {
      plugins.restart();
      csi.restart();
      for (const { worker } of workers.values()) worker.kubeletRestarted();
    },
    async reboot(off) {
      isOff = true;
      const before = [...workers];
      const lost = await Promise.all(
        before.map(async ([uid, { worker, pod }]) => ({ uid, pod, restarts: await worker.powerOff() })),
      );
      plugins.restart();
      csi.restart();
      await off();
      isOff = false;
      for (const { uid, pod, restarts } of lost)
        workers.set(uid, { worker: new PodWorker(pod, workerOptions, restarts), pod, ending: false });
      // Pods may have come and gone meanwhile.
      for (const pod of informer.list()) sync(pod);
    },
    container: (namespace, pod, container) => find(namespace, pod)?.container(container),
    pods: (namespace) =>
      [...workers.values()]
        .filter(({ pod }) => namespaceOf(pod) === namespace)
        .map(({ pod }) => pod.metadata?.name ?? ''),
    async [Symbol.asyncDispose]() {
      await informer.stop();
      await Promise.all([...workers.keys()].map((uid) => end(uid, 0)));
      plugins[Symbol.dispose]();
    },
  };
}

/** Ignores errors: the same warning is sent again soon. */
async function createWarning(
  api: CoreV1Api,
  { metadata }: V1Pod,
  { reason, message, nodeName }: { readonly reason: string; readonly message: string; readonly nodeName: string },
): Promise<void> {
  const { name, namespace = 'default', uid } = metadata ?? {};
  const body = {
    metadata: { generateName: `${name}.`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', ...(name && { name }), namespace, ...(uid && { uid }) },
    type: 'Warning',
    reason,
    message,
    count: 1,
    source: { component: 'kubelet', host: nodeName },
    lastTimestamp: new Date(),
  };
  await api.createNamespacedEvent({ namespace, body: body as never }).catch(() => {});
}

async function registerNode(api: CoreV1Api, name: string, labels: KubeletOptions['nodeLabels']): Promise<void> {
  const node = {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: { osImage: 'rekindle sandbox', kubeletVersion: 'v1.34.0+rekindle-fake' },
    },
  };
  await api.createNode({ body: node as never });
}
