import type { KubeConfig, KubernetesObject } from '@kubernetes/client-node';
import { liveGate } from './agent-daemonset.ts';
import { type Api, formatTitle, isOurs, openApi, refuseForeign } from './api.ts';
import { type Applied, applyOver, formatApplied } from './apply-over.ts';
import { CannotDeploy } from './errors.ts';
import { besideManifests, manifests } from './manifests.ts';
import { defaultOptions, furtherGates, type ManifestOptions, names } from './options.ts';
import { removeObjects } from './remove.ts';
import { waitReady } from './wait-ready.ts';

export interface DeployOptions {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  readonly image: string;
  /** Additional flags of the agent. */
  readonly agentArgs?: readonly string[];
  /** Deploys only recovery, alongside another node plugin. */
  readonly beside?: boolean;
  /** Turns the gates FuseRecovery and FuseStandby on. */
  readonly standby?: boolean;
  /** The API server validates everything, but nothing is changed. */
  readonly dryRun?: boolean;
  /** How long to wait until everything is ready; two minutes by default. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  /** Called with one line for each step. */
  readonly onProgress: (line: string) => void;
}

export interface Deployed {
  /** Such as `daemonset/csi-nodeplugin-fluid created`; empty if nothing has changed. */
  readonly changed: readonly string[];
}

/** The first minor version of Kubernetes 1 with a field for the AppArmor profile. */
const appArmorField = 30;

/**
 * Deploys by server-side apply and waits until everything is ready. Keeps the gate as administrators have set it. Removes the objects it
 * created if they do not become ready or if it is aborted. Rejects with `CannotDeploy`.
 */
export function deploy(options: DeployOptions): Promise<Deployed> {
  return deployThrough(openApi(options.kubeConfig), options);
}

export async function deployThrough(api: Api, options: Omit<DeployOptions, 'kubeConfig'>): Promise<Deployed> {
  const {
    namespace,
    image,
    agentArgs = [],
    beside = false,
    standby = false,
    dryRun = false,
    signal,
    onProgress,
  } = options;
  const appArmor = (await api.minorVersion()) >= appArmorField ? 'field' : 'annotation';
  // Recovery alone is useless with the gate off.
  const gate = beside || standby;
  const gates = { gate, furtherGates: standby ? (['FuseStandby'] as const) : [] };
  const desired: ManifestOptions = { ...defaultOptions, namespace, image, agentArgs, ...gates, appArmor };
  const render = beside ? besideManifests : manifests;
  const live = new Map<string, KubernetesObject>();
  for (const object of render(desired)) {
    const found = await api.read(object);
    if (found !== undefined) live.set(formatTitle(object), found);
  }
  refuseForeign([...live.values()]);
  if (beside) await refuseOtherRecovery(api);

  const done: Applied[] = [];
  try {
    for (const target of render(desired)) {
      signal.throwIfAborted();
      // A dry run cannot validate objects in a namespace that does not exist.
      const applied =
        dryRun && !live.has(`namespace/${namespace}`)
          ? ({ object: target, change: 'created' } as const)
          : await applyOver({ api, dryRun }, target, (before) => withLiveGate(render, desired, target, before));
      if (applied === undefined) continue;
      onProgress(formatApplied(applied));
      done.push(applied);
    }
    if (!dryRun) {
      const timeoutMs = options.timeoutMs ?? 120_000;
      await waitReady({ api, objects: done.map(({ object }) => object), timeoutMs, signal, onProgress });
    }
  } catch (error) {
    const created = done.filter(({ change }) => change === 'created').map(({ object }) => object);
    if (!dryRun && created.length > 0) {
      onProgress('removing what was created');
      await removeObjects({ api, objects: created, onProgress, signal: AbortSignal.timeout(60_000) });
    }
    throw error;
  }
  return { changed: done.filter(({ change }) => change !== 'unchanged').map(formatApplied) };
}

/** The object to apply, with the gates of the existing one, except that standbys that are asked for need both. */
function withLiveGate(
  render: typeof manifests,
  desired: ManifestOptions,
  target: KubernetesObject,
  before: KubernetesObject | undefined,
): KubernetesObject {
  if (target.kind !== 'DaemonSet') return target;
  const asked = new Set(desired.furtherGates);
  const on = furtherGates.filter((name) => asked.has(name) || liveGate(before, name) === true);
  const gate = asked.size > 0 || (liveGate(before) ?? desired.gate);
  return (
    render({ ...desired, gate, furtherGates: gate ? on : [] }).find(
      (object) => formatTitle(object) === formatTitle(target),
    ) ?? target
  );
}

/** Throws if the node plugin recovers mounts itself: two that replace the same mounts would undo each other's work. */
async function refuseOtherRecovery(api: Api): Promise<void> {
  const metadata = { name: names.agent, namespace: names.namespace };
  const other = await api.read({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata });
  if (other === undefined) return;
  const name = `${metadata.namespace}/${metadata.name}`;
  if (isOurs(other))
    throw new CannotDeploy(`the node plugin ${name} is Rekindle's own`, 'turn its gate on instead of --beside');
  if (liveGate(other) === true)
    throw new CannotDeploy(`the node plugin ${name} recovers by itself`, 'turn its gate FuseRecovery off first');
}
