import type { DeviceId, Nanoseconds } from '../../recovery/engine/model.ts';
import { startLanes } from '../../recovery/linux/prober/lanes.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';

const timeoutNs = 10_000_000_000n;

export interface ForeignReadinessOptions {
  readonly onEvent: (event: HistoryEvent) => void;
  /** Command line of the prober. */
  readonly prober: readonly string[];
  /** The node's mount root, `/runtime-mnt`. */
  readonly mountRoot: string;
  /** The node's mount namespace. Absent: our own. */
  readonly nodeMountNamespace?: string;
}

/** Receives events in place of `onEvent`, and adds `ready` events for daemons that do not report readiness themselves. */
export interface ForeignReadiness extends AsyncDisposable {
  take(event: HistoryEvent): void;
}

/** A daemon that does not report readiness is ready at the first successful statfs of its mount. */
export function foreignReadiness(options: ForeignReadinessOptions): ForeignReadiness {
  const { onEvent, mountRoot, nodeMountNamespace } = options;
  const now = () => process.hrtime.bigint() as Nanoseconds;
  const lanes = startLanes({ command: options.prober, nodeMountNamespace, now });
  /** Daemon containers by pod. */
  const running = new Map<string, string>();
  /** When the mount of a workload answered before the start of its daemon was reported, which happens if containers are observed from outside. */
  const early = new Map<string, number>();

  return {
    take(event) {
      onEvent(event);
      if (event.kind === 'process' && event.role === 'daemon') follow(event.name, event.change);
      if (event.kind === 'mount' && event.change === 'added' && event.where === 'node') void probeMount(event);
    },
    [Symbol.asyncDispose]: () => lanes[Symbol.asyncDispose](),
  };

  function follow(name: string, change: string): void {
    const pod = name.slice(0, name.lastIndexOf('/'));
    if (change === 'exited') running.delete(pod);
    if (change !== 'started') return;
    running.set(pod, name);
    for (const [workload, at] of early)
      if (belongsTo(workload, pod)) {
        early.delete(workload);
        reportReady(name, at);
      }
  }

  function reportReady(name: string, at: number): void {
    onEvent({ kind: 'process', at, role: 'daemon', name, change: 'ready', by: 'statfs' });
  }

  async function probeMount({ mountPoint, device }: Extract<HistoryEvent, { kind: 'mount' }>): Promise<void> {
    const workload = workloadAt(mountPoint, mountRoot);
    if (workload === undefined) return;
    const deadline = (now() + timeoutNs) as Nanoseconds;
    const site = { kind: 'source', path: mountPoint } as const;
    const { status } = await lanes.ask({ site, device: device as DeviceId, deadline });
    const at = Number(now());
    if (status !== 'live') return;
    const name = [...running].find(([pod]) => belongsTo(workload, pod))?.[1];
    if (name === undefined) early.set(workload, at);
    else reportReady(name, at);
  }
}

/** The generated end of a pod's name has no hyphen, so a standby's pod is not one of the dataset's other daemons. */
const belongsTo = (workload: string, pod: string): boolean =>
  pod.startsWith(`${workload}-`) && !pod.slice(workload.length + 1).includes('-');

/**
 * `<namespace>/<workload>` of the pods that serve a source mount: `<mount root>/<runtime>/<namespace>/<dataset>/<directory>`, or
 * `.../<dataset>/standby-<N>/<directory>` for a standby.
 */
function workloadAt(mountPoint: string, mountRoot: string): string | undefined {
  if (!mountPoint.startsWith(`${mountRoot}/`)) return undefined;
  const [, namespace, dataset, ...rest] = mountPoint.slice(mountRoot.length + 1).split('/');
  const standby = rest[0]?.startsWith('standby-') ? rest.shift() : undefined;
  if (rest.length !== 1) return undefined;
  return `${namespace}/${dataset}-jindofs-fuse${standby === undefined ? '' : `-${standby}`}`;
}
