import { driverName, type Pod, type Volume } from '../engine/model.ts';
import type { ClockPort, KubernetesPort } from '../engine/ports.ts';
import { objectAt, textAt } from './json.ts';
import { type ListWatchOptions, listWatch } from './list-watch.ts';
import { toClaim, toPod, toPodSpec, toReadVolume } from './mapping.ts';
import { readObjects } from './read-objects.ts';
import type { Transport } from './transport.ts';

export interface KubernetesOptions {
  readonly transport: Transport;
  readonly nodeName: string;
  /** Directory below which all source mounts lie. Volumes with other sources are ignored. */
  readonly mountRoot: string;
  /** Whether volumes matter that no pod of this node uses (`--read-write-scope=cluster`). The metadata of all volumes is watched then. */
  readonly allVolumes: boolean;
  /** Called with the error that ended a watch or a request. Each cause is reported once until `onRecovered`. */
  readonly onError: (kind: string, error: unknown) => void;
  /** Called once it works again after errors. */
  readonly onRecovered: (kind: string) => void;
  readonly clock: ClockPort;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface Kubernetes extends KubernetesPort, AsyncDisposable {
  /** Resolves after the pods have been listed, and their claims and volumes been read or failed to be read once. */
  readonly synced: Promise<void>;
  /** The kinds whose objects are missing or may be out of date, each with the reason. */
  problems(): readonly string[];
}

/** A pod has 12 kB, the metadata of a volume less than 2. To parse a megabyte takes 5 ms of CPU. */
const podsPerPage = 100;

const volumesPath = '/api/v1/persistentvolumes';
const claimsPath = '/api/v1/persistentvolumeclaims';

type ClusterView = ReturnType<KubernetesPort['view']>;

/**
 * Watches this node's pods, and reads the claims and volumes that they use, so that neither memory nor requests grow with the cluster
 * (docs/adr/0053). Answers from memory while the API server is unavailable.
 */
export function watchKubernetes(options: KubernetesOptions): Kubernetes {
  const { transport, nodeName, mountRoot, allVolumes, onError, onRecovered, clock, random } = options;
  const watchers = new Set<() => void>();
  let view: ClusterView | undefined;
  let notified = '';
  let pendingNotification: NodeJS.Immediate | undefined;
  let resolvedPods: ReadonlySet<string> = new Set();
  let resolvedVersions: ReadonlyMap<string, string> = new Map();

  const current = (): ClusterView => {
    view ??= build();
    return view;
  };
  // Most changes do not affect the view (pods without claims, claims of other drivers). A burst is evaluated once.
  const notify = () => {
    clearImmediate(pendingNotification);
    pendingNotification = undefined;
    resolve();
    const text = JSON.stringify(current());
    if (text === notified) return;
    notified = text;
    for (const changed of watchers) changed();
  };
  const onChange = () => {
    view = undefined;
    pendingNotification ??= setImmediate(notify);
  };
  const shared = (path: string) => ({
    transport,
    onChange,
    onError: (error: unknown) => onError(path, error),
    onRecovered: () => onRecovered(path),
    clock,
    random,
  });
  const watch = <T>(
    path: string,
    kind: Pick<ListWatchOptions<T>, 'map' | 'fieldSelector' | 'pageSize' | 'metadataOnly'>,
  ) => listWatch({ ...shared(path), path, ...kind });
  const pods = watch('/api/v1/pods', {
    map: toPodSpec,
    fieldSelector: `spec.nodeName=${nodeName}`,
    pageSize: podsPerPage,
  });
  const candidates = allVolumes ? watch(volumesPath, { map: candidateVersion, metadataOnly: true }) : undefined;
  const claims = readObjects({ ...shared(claimsPath), pathOf: claimPath, map: toClaim });
  const volumes = readObjects({
    ...shared(volumesPath),
    pathOf: (name) => `${volumesPath}/${encodeURIComponent(name)}`,
    map: (object) => toReadVolume(object, mountRoot),
  });

  /** Reads what the pods use. A new pod's objects are read again, because they may have been deleted and created since. */
  function resolve(): void {
    const specs = [...pods.objects.values()];
    const keysOf = (each: typeof specs) =>
      new Set(each.flatMap((spec) => [...spec.claims.values()].map(({ claim }) => `${spec.namespace}/${claim}`)));
    const volumesOf = (keys: ReadonlySet<string>) => [...keys].flatMap((key) => claims.objects.get(key)?.volume ?? []);
    const used = keysOf(specs);
    const renewed = keysOf(specs.filter(({ uid }) => !resolvedPods.has(uid)));
    const versions = candidates?.objects ?? new Map<string, string>();
    const changed = [...versions].flatMap(([name, version]) => (resolvedVersions.get(name) === version ? [] : [name]));
    resolvedPods = new Set(specs.map(({ uid }) => uid));
    resolvedVersions = new Map(versions);
    claims.want(used, renewed);
    volumes.want(new Set([...volumesOf(used), ...versions.keys()]), new Set([...volumesOf(renewed), ...changed]));
  }

  function build(): ClusterView {
    const users = [...pods.objects.values()].flatMap((spec): readonly Pod[] => {
      const pod = toPod(spec, { volumes: volumes.objects, claims: claims.objects });
      return pod === undefined ? [] : [pod];
    });
    const known = [...volumes.objects.values()].filter((volume): volume is Volume => typeof volume === 'object');
    const unreadVolumes = [...(candidates?.objects.keys() ?? [])].filter((name) => !volumes.objects.has(name));
    return { volumes: known, pods: users, unreadVolumes };
  }

  async function sync(): Promise<void> {
    await Promise.all([pods.synced, candidates?.synced]);
    resolve();
    await claims.attempted();
    resolve();
    await volumes.attempted();
    notify();
  }

  return {
    synced: sync(),
    problems: () =>
      Object.entries({
        pods,
        persistentvolumeclaims: claims,
        persistentvolumes: volumes,
        'all persistentvolumes': candidates,
      }).flatMap(([name, kind]) => {
        const problem = kind?.problem();
        return problem === undefined ? [] : [`${name}: ${problem}`];
      }),
    view: current,
    watch(changed) {
      watchers.add(changed);
      return { [Symbol.dispose]: () => void watchers.delete(changed) };
    },
    async [Symbol.asyncDispose]() {
      clearImmediate(pendingNotification);
      claims[Symbol.dispose]();
      volumes[Symbol.dispose]();
      await Promise.all([pods, candidates].map((kind) => kind?.[Symbol.asyncDispose]()));
    },
  };
}

function claimPath(key: string): string {
  const [namespace = '', name = ''] = key.split('/').map(encodeURIComponent);
  return `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`;
}

/** The version of a volume that may be this driver's. Those that another driver has provisioned name it. */
function candidateVersion(object: unknown): string | undefined {
  const metadata = objectAt(object, 'metadata');
  const provisioner = textAt(objectAt(metadata, 'annotations'), 'pv.kubernetes.io/provisioned-by');
  if (provisioner !== undefined && provisioner !== driverName) return undefined;
  return textAt(metadata, 'resourceVersion');
}
