import type { ContainerRef, ProcessRef } from '../../clusters/cluster.ts';
import { sourceOf, topMounts, visibleMount } from '../checks/volume-mounts.ts';
import type { Fault } from '../faults/fault.ts';
import type { Consumer } from '../timeline/consumer.ts';
import type { Dataset } from './dataset.ts';
import { lastSeen } from './last-seen.ts';
import { formatPodState } from './pod-state.ts';

/** A FUSE daemon of a dataset, as the target of faults: in its FUSE pod, or in a pod's sidecar. */
export class Daemon {
  readonly #dataset: Dataset;
  readonly #find: () => Promise<ProcessRef>;

  /** `find` locates the container at the time of the fault, because FUSE pods are replaced. */
  constructor(dataset: Dataset, find: () => Promise<ProcessRef>) {
    this.#dataset = dataset;
    this.#find = find;
  }

  /** The container at this moment; of a process of the node, with its command line. */
  container(): Promise<ProcessRef> {
    return this.#find();
  }

  /**
   * Injects a fault. A lasting fault is healed by `scenario.faults.heal()`; `staysDown` keeps the kubelet from restarting the
   * daemon until `scenario.faults.allowRestarts()`.
   */
  async inject(fault: Fault, { staysDown = false } = {}): Promise<void> {
    const { namespace } = this.#dataset;
    const { faults, agentOptions: agent } = namespace.scenario;
    const daemon = await this.#find();
    if (staysDown) await faults.holdRestarts(daemon);
    // A dataset that no pod uses has no daemon.
    const used = new Set(namespace.observedPods.map((pod) => pod.dataset));
    const others = namespace.datasets.filter((dataset) => dataset !== this.#dataset && used.has(dataset));
    const user = namespace.observedPods.find((pod) => pod.dataset === this.#dataset);
    await faults.inject(fault, {
      daemon,
      otherDaemons: await Promise.all(others.map((dataset) => dataset.daemon.#find())),
      application: user?.container ?? { namespace: namespace.name, pod: '', container: 'demo' },
      agent,
      store: this.#dataset.store,
    });
  }
}

/** Waits until the FUSE pod of a dataset is Running on a node, or on any. Returns its container. `role`: the label of its pods. */
export async function runningDaemon(
  { namespace, name }: Dataset,
  node: string | undefined,
  role = 'jindofs-fuse',
): Promise<ContainerRef> {
  const { scenario } = namespace;
  const [pod] = await scenario.eventually({
    condition: `the FUSE pod of ${name} with the role ${role} is Running`,
    read: async () =>
      (await namespace.listPods(`role=${role},release=${name}`)).filter(
        ({ metadata, spec }) =>
          metadata?.deletionTimestamp === undefined && (node === undefined || spec?.nodeName === node),
      ),
    until: (pods) => pods[0]?.status?.phase === 'Running',
    format: (pods) => (pods[0] ? formatPodState(pods[0]) : `no FUSE pod; ${lastSeen(scenario.history)}`),
  });
  return { namespace: namespace.name, pod: pod?.metadata?.name ?? '', container: 'jindofs-fuse' };
}

/** The daemon whose file system the pods show, or one that is ready to take its place. */
export type DaemonRole = 'active' | 'standby';

/**
 * Finds a daemon of a dataset with standbys by its role now: failovers change it. It is read from the devices of the mounts, of a pod
 * that uses the dataset: by default one with a probe.
 */
export async function daemonInRole(dataset: Dataset, role: DaemonRole, consumer?: Consumer): Promise<ContainerRef> {
  const { namespace, name, volume } = dataset;
  const { scenario } = namespace;
  const { cluster } = scenario.session;
  const pod = namespace.observedPods.find((observed) => observed.dataset === dataset);
  const user = consumer ?? pod?.consumer;
  if (user === undefined) throw new Error(`no pod that is observed uses ${name}`);
  const found = await scenario.eventually({
    condition: `${name} has a source mount in the role ${role}`,
    read: async () => {
      const table = { lines: await cluster.mountTable(user) };
      const shown = visibleMount(table, (mountPoint) => mountPoint === user.path)?.device;
      const node = { lines: await cluster.mountTable() };
      const sources = topMounts(node, (mountPoint) => sourceOf(mountPoint)?.volume === volume);
      const workloads = (isActive: boolean) =>
        sources.flatMap(({ device, mountPoint }) =>
          (device === shown) === isActive ? (sourceOf(mountPoint)?.workload ?? []) : [],
        );
      return { active: workloads(true)[0], standby: workloads(false)[0] };
    },
    until: (workloads) => workloads[role] !== undefined,
    format: ({ active, standby }) => `active: ${active ?? 'none'}, standby: ${standby ?? 'none'}`,
  });
  return runningDaemon(dataset, pod?.node, found[role]?.replace(`${namespace.name}/${name}-`, ''));
}
