import type { DeviceId, Nanoseconds } from '../../recovery/engine/model.ts';
import { startProber } from '../../recovery/linux/prober/client.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';

const patienceNs = 10_000_000_000n;

export interface ForeignReadinessOptions {
  readonly onEvent: (event: HistoryEvent) => void;
  /** How the prober is started. */
  readonly prober: readonly string[];
  /** Of the node, as `/runtime-mnt`. */
  readonly mountRoot: string;
  /** Where the node's mounts are, where that is not the own mount namespace. */
  readonly nodeMountNamespace?: string;
}

/** What takes the events instead of `onEvent`, and says `ready` of daemons that do not say so themselves. */
export interface ForeignReadiness extends AsyncDisposable {
  take(event: HistoryEvent): void;
}

/** A daemon that does not say when it is ready is so at the first good statfs of the mount that it made. */
export function foreignReadiness(options: ForeignReadinessOptions): ForeignReadiness {
  const { onEvent, mountRoot, nodeMountNamespace } = options;
  const now = () => process.hrtime.bigint() as Nanoseconds;
  const prober = startProber({ command: options.prober, nodeMountNamespace, now });
  /** By pod. */
  const running = new Map<string, string>();
  /** When a dataset's mount answered whose daemon is not known to run yet: where containers are watched from outside, it may be sooner. */
  const early = new Map<string, number>();

  return {
    take(event) {
      onEvent(event);
      if (event.kind === 'process' && event.role === 'daemon') follow(event.name, event.change);
      if (event.kind === 'mount' && event.change === 'added' && event.where === 'node') void ask(event);
    },
    [Symbol.asyncDispose]: () => prober[Symbol.asyncDispose](),
  };

  function follow(name: string, change: string): void {
    const pod = name.slice(0, name.lastIndexOf('/'));
    if (change === 'exited') running.delete(pod);
    if (change !== 'started') return;
    running.set(pod, name);
    for (const [dataset, at] of early)
      if (isOf(dataset, pod)) {
        early.delete(dataset);
        tellReady(name, at);
      }
  }

  function tellReady(name: string, at: number): void {
    onEvent({ kind: 'process', at, role: 'daemon', name, change: 'ready' });
  }

  async function ask({ mountPoint, device }: Extract<HistoryEvent, { kind: 'mount' }>): Promise<void> {
    const dataset = datasetOf(mountPoint, mountRoot);
    if (dataset === undefined) return;
    const deadline = (now() + patienceNs) as Nanoseconds;
    const site = { kind: 'source', path: mountPoint } as const;
    const answer = await prober.read({ site, device: device as DeviceId, deadline, proof: 'answer' });
    const at = Number(now());
    if (!answer.ok || answer.value !== device) return;
    const name = [...running].find(([pod]) => isOf(dataset, pod))?.[1];
    if (name === undefined) early.set(dataset, at);
    else tellReady(name, at);
  }
}

const isOf = (dataset: string, pod: string): boolean => pod.startsWith(`${dataset}-jindofs-fuse-`);

/** `<namespace>/<dataset>` of `<mount root>/<runtime>/<namespace>/<dataset>/<directory>`. */
function datasetOf(mountPoint: string, mountRoot: string): string | undefined {
  if (!mountPoint.startsWith(`${mountRoot}/`)) return undefined;
  const [, namespace, dataset, directory, ...rest] = mountPoint.slice(mountRoot.length + 1).split('/');
  return directory === undefined || rest.length > 0 ? undefined : `${namespace}/${dataset}`;
}
