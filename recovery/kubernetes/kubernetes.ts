import type { Pod, Volume } from '../engine/model.ts';
import type { ClockPort, KubernetesPort } from '../engine/ports.ts';
import { type ListWatchOptions, listWatch } from './list-watch.ts';
import { toClaim, toPod, toPodSpec, toVolume } from './mapping.ts';
import type { Transport } from './transport.ts';

export interface KubernetesOptions {
  readonly transport: Transport;
  readonly nodeName: string;
  /** Directory below which all source mounts lie. Volumes with other sources are ignored. */
  readonly mountRoot: string;
  /** Called with the error that ended a watch. Each cause is reported once until `onRecovered`. */
  readonly onError: (kind: string, error: unknown) => void;
  /** Called once the watch works again after errors. */
  readonly onRecovered: (kind: string) => void;
  readonly clock: ClockPort;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface Kubernetes extends KubernetesPort, AsyncDisposable {
  /** Resolves after all kinds have been listed. */
  readonly synced: Promise<void>;
  /** The kinds whose objects are missing or may be out of date, each with the reason. */
  problems(): readonly string[];
}

/** A pod has 12 kB, a claim or volume less than 3. To parse a megabyte takes 5 ms of CPU. */
const podsPerPage = 100;

type ClusterView = ReturnType<KubernetesPort['view']>;

/** Watches this node's pods and all volumes and claims. Answers from memory while the API server is unavailable. */
export function watchKubernetes({
  transport,
  nodeName,
  mountRoot,
  onError,
  onRecovered,
  clock,
  random,
}: KubernetesOptions): Kubernetes {
  const watchers = new Set<() => void>();
  let view: ClusterView | undefined;
  let notified = '';
  let pendingNotification: NodeJS.Immediate | undefined;

  const current = (): ClusterView => {
    view ??= build();
    return view;
  };
  // Most changes do not affect the view (claims of other drivers, pods without claims). A burst is evaluated once.
  const notify = () => {
    clearImmediate(pendingNotification);
    pendingNotification = undefined;
    const text = JSON.stringify(current());
    if (text === notified) return;
    notified = text;
    for (const changed of watchers) changed();
  };
  const onChange = () => {
    view = undefined;
    pendingNotification ??= setImmediate(notify);
  };
  const kind = <T>(
    path: string,
    map: (object: unknown) => T | undefined,
    options: Pick<ListWatchOptions<T>, 'fieldSelector' | 'pageSize'> = {},
  ) =>
    listWatch({
      transport,
      path,
      map,
      onChange,
      onError: (error) => onError(path, error),
      onRecovered: () => onRecovered(path),
      clock,
      random,
      ...options,
    });
  const volumes = kind('/api/v1/persistentvolumes', (object) => toVolume(object, mountRoot));
  const claims = kind('/api/v1/persistentvolumeclaims', toClaim);
  const pods = kind('/api/v1/pods', toPodSpec, { fieldSelector: `spec.nodeName=${nodeName}`, pageSize: podsPerPage });

  function build(): ClusterView {
    const bound = { volumes: volumes.objects, claims: claims.objects };
    const users = [...pods.objects.values()].flatMap((spec): readonly Pod[] => {
      const pod = toPod(spec, bound);
      return pod === undefined ? [] : [pod];
    });
    return { volumes: [...volumes.objects.values()] satisfies Volume[], pods: users };
  }

  return {
    synced: Promise.all([volumes.synced, claims.synced, pods.synced]).then(notify),
    problems: () =>
      Object.entries({ persistentvolumes: volumes, persistentvolumeclaims: claims, pods }).flatMap(
        ([name, watched]) => {
          const problem = watched.problem();
          return problem === undefined ? [] : [`${name}: ${problem}`];
        },
      ),
    view: current,
    watch(changed) {
      watchers.add(changed);
      return { [Symbol.dispose]: () => void watchers.delete(changed) };
    },
    async [Symbol.asyncDispose]() {
      clearImmediate(pendingNotification);
      await Promise.all([volumes, claims, pods].map((watch) => watch[Symbol.asyncDispose]()));
    },
  };
}
