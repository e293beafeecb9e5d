import type { Engine } from '../engine/engine.ts';
import type { KernelTier, Nanoseconds, Pod, SkipReason, SourceState } from '../engine/model.ts';
import type { ClockPort, KubernetesPort } from '../engine/ports.ts';
import type { ReportedState, SiteStatus, VolumeStatus } from '../engine/status.ts';
import type { AgentOptions } from './flags.ts';
import { version } from './version.ts';

/** What an agent serves at `/status`. Times are ISO 8601; none is earlier than the start of the agent. */
export interface NodeStatus {
  readonly schemaVersion: 1;
  readonly node: string;
  readonly agent: {
    readonly version: string;
    readonly kernelTier: KernelTier;
    /** Feature gate `FuseRecovery`. */
    readonly recovery: boolean;
    readonly startedAt: string;
    /** What it waits for, or no longer knows; its answer may be incomplete then. */
    readonly problems: readonly string[];
  };
  readonly volumes: readonly {
    readonly name: string;
    readonly dataset?: { readonly namespace: string; readonly name: string };
    readonly daemons: readonly DaemonStatus[];
    readonly mounts: readonly SiteReport[];
  }[];
}

interface DaemonStatus {
  /** Path of its source mount. */
  readonly path: string;
  readonly state: SourceState['state'];
  readonly since: string;
  readonly errno?: string;
}

/** A mount site. */
interface SiteReport {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  /** Missing for the pod's target path on the node. */
  readonly container?: string;
  readonly path: string;
  readonly state: ReportedState;
  readonly since: string;
  readonly lastRecovery?: { readonly at: string; readonly outageMs: number };
  /** Why it is left alone. */
  readonly reason?: SkipReason;
  /** What is wrong, and what can be done about it. */
  readonly detail?: string;
}

/** An answer is served again for this long, so that requests in a row do not take the processor from recoveries. */
const reuseMs = 500;

/** The node's status by the engine's own diagnosis and plan; no names of files and no options of mounts. */
export function createNodeStatus({
  options: { nodeId, policy },
  kernel: { tier },
  engine,
  kubernetes,
  clock,
  missing,
}: {
  readonly options: Pick<AgentOptions, 'nodeId' | 'policy'>;
  readonly kernel: { readonly tier: KernelTier };
  readonly engine: Pick<Engine, 'status'>;
  readonly kubernetes: Pick<KubernetesPort, 'view'>;
  readonly clock: Pick<ClockPort, 'now'>;
  readonly missing: () => readonly string[];
}): () => NodeStatus {
  const startedAt = new Date().toISOString();
  let latest: { readonly status: NodeStatus; readonly at: Nanoseconds } | undefined;
  return () => {
    const now = clock.now();
    if (latest !== undefined && now - latest.at < BigInt(reuseMs) * 1_000_000n) return latest.status;
    const toDate = (at: Nanoseconds) => new Date(Date.now() - Number(now - at) / 1e6).toISOString();
    const pods = new Map(kubernetes.view().pods.map((pod) => [pod.uid, pod]));
    const status: NodeStatus = {
      schemaVersion: 1,
      node: nodeId,
      agent: { version, kernelTier: tier, recovery: policy.enabled, startedAt, problems: missing() },
      volumes: engine.status().map((volume) => toVolume(volume, { pods, toDate })),
    };
    latest = { status, at: now };
    return status;
  };
}

interface ReportContext {
  readonly pods: ReadonlyMap<string, Pod>;
  readonly toDate: (at: Nanoseconds) => string;
}

function toVolume({ volume: { name, dataset }, sources, sites }: VolumeStatus, context: ReportContext) {
  const daemons = sources.map((source): DaemonStatus => {
    const { path, state, since } = source;
    return { path, state, since: context.toDate(since), ...('errno' in source ? { errno: source.errno } : {}) };
  });
  const mounts = sites.map((site) => toMount(site, context));
  return { name, ...(dataset === undefined ? {} : { dataset }), daemons, mounts };
}

function toMount(
  { diagnosis, state, since, reason, detail, recovery }: SiteStatus,
  { pods, toDate }: ReportContext,
): SiteReport {
  const { site } = diagnosis;
  const { podUid, path } = site;
  const { namespace = '', name: pod = podUid } = pods.get(podUid) ?? {};
  return {
    namespace,
    pod,
    podUid,
    ...(site.kind === 'container' ? { container: site.container } : {}),
    path,
    state,
    since: toDate(since),
    ...(recovery === undefined
      ? {}
      : { lastRecovery: { at: toDate(recovery.at), outageMs: Math.round(Number(recovery.outage) / 1e5) / 10 } }),
    ...(reason === undefined ? {} : { reason }),
    ...(detail === undefined ? {} : { detail }),
  };
}
