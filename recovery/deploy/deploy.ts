import type { KubeConfig, KubernetesObject } from '@kubernetes/client-node';
import { liveGate } from './agent-daemonset.ts';
import { type Api, formatTitle, isOurs, openApi, refuseForeign } from './api.ts';
import { type Applied, applyOver, formatApplied } from './apply-over.ts';
import { CannotDeploy } from './errors.ts';
import { findKubeletRoot } from './kubelet-root.ts';
import { besideManifests, manifests } from './manifests.ts';
import { defaultOptions, type FurtherGate, furtherGates, type ManifestOptions, names } from './options.ts';
import { isWebhookConfiguration, removeObjects } from './remove.ts';
import { isServing, waitForWebhook, waitReady } from './wait-ready.ts';
import { webhookDeployment } from './webhook-deployment.ts';

/** Where on nodes and how in a cluster the parts run. Defaults as of `ManifestOptions`. */
export type DeployPlacement = Partial<
  Pick<ManifestOptions, 'kubeletRoot' | 'mountRoot' | 'webhookPort' | 'webhookHostNetwork' | 'runtimeClass'>
>;

export interface DeployOptions {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  readonly image: string;
  /** Additional flags of the agent. */
  readonly agentArgs?: readonly string[];
  /** Without `kubeletRoot` the kubelets are asked. */
  readonly placement?: DeployPlacement;
  /** Deploys only recovery, alongside another node plugin. */
  readonly beside?: boolean;
  /** Gates to turn on, with FuseRecovery, which they need. */
  readonly furtherGates?: readonly FurtherGate[];
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
  /** What serves without being complete, such as agents on nodes that are not ready. A line each; empty if all is ready. */
  readonly incomplete: readonly string[];
}

/** The first minor version of Kubernetes 1 with a field for the AppArmor profile. */
const appArmorField = 30;

/**
 * Deploys by server-side apply and waits until everything is ready. Keeps the gate as administrators have set it. Removes the objects it
 * created if the API server refuses one of them or if it is aborted. What does not become ready stays, with its pods and events, but for
 * webhook configurations that nobody serves: those would refuse pods. Rejects with `CannotDeploy`.
 */
export function deploy(options: DeployOptions): Promise<Deployed> {
  return deployThrough(openApi(options.kubeConfig), options);
}

export async function deployThrough(api: Api, options: Omit<DeployOptions, 'kubeConfig'>): Promise<Deployed> {
  const {
    namespace,
    image,
    agentArgs = [],
    placement = {},
    beside = false,
    furtherGates: asked = [],
    dryRun = false,
    signal,
    onProgress,
  } = options;
  const appArmor = (await api.minorVersion()) >= appArmorField ? 'field' : 'annotation';
  // Recovery alone is useless with the gate off.
  const gate = beside || asked.length > 0;
  const daemonSet = { name: beside ? names.beside : names.agent, namespace };
  const before = await api.read({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: daemonSet });
  const gates = { gate, furtherGates: gatesOn(asked, before) };
  const found = placement.kubeletRoot === undefined ? await findKubeletRoot(api) : undefined;
  if (found !== undefined) onProgress(`the kubelets' directory is ${found}`);
  const places = { ...placement, ...(found !== undefined && { kubeletRoot: found }) };
  const desired: ManifestOptions = { ...defaultOptions, ...places, namespace, image, agentArgs, ...gates, appArmor };
  const render = beside ? besideManifests : manifests;
  const live = new Map<string, KubernetesObject>();
  for (const object of render(desired)) {
    const found = await api.read(object);
    if (found !== undefined) live.set(formatTitle(object), found);
  }
  refuseForeign([...live.values()]);
  if (beside) await refuseOtherRecovery(api);

  const done: Applied[] = [];
  let incomplete: readonly string[] = [];
  let isApplied = false;
  let isReached = true;
  try {
    for (const target of render(desired)) {
      signal.throwIfAborted();
      // A dry run cannot validate objects in a namespace that does not exist.
      const applied =
        dryRun && !live.has(`namespace/${namespace}`)
          ? ({ object: target, change: 'created' } as const)
          : await applyOver({ api, dryRun }, target, (before) =>
              withLiveGate({ render, desired, asked }, target, before),
            );
      if (applied === undefined) continue;
      onProgress(formatApplied(applied));
      done.push(applied);
    }
    isApplied = true;
    if (!dryRun) {
      const timeoutMs = options.timeoutMs ?? 120_000;
      const wait = { api, timeoutMs, signal, onProgress };
      incomplete = await waitReady({ ...wait, objects: done.map(({ object }) => object) });
      if (!beside) {
        isReached = false;
        await waitForWebhook(wait);
        isReached = true;
      }
    }
  } catch (error) {
    const created = done.filter(({ change }) => change === 'created').map(({ object }) => object);
    const isUndone = !isApplied || signal.aborted;
    const isServed = !isUndone && isReached && (await isServing(api, webhookDeployment(desired)));
    const removed = created.filter((object) => isUndone || (isWebhookConfiguration(object) && !isServed));
    if (!dryRun && removed.length > 0) {
      onProgress(isUndone ? 'removing what was created' : 'removing what would refuse pods meanwhile');
      await removeObjects({ api, objects: removed, onProgress, signal: AbortSignal.timeout(60_000) });
    }
    throw error;
  }
  return { changed: done.filter(({ change }) => change !== 'unchanged').map(formatApplied), incomplete };
}

/** The gates that are asked for, and those that are on already. */
const gatesOn = (asked: readonly FurtherGate[], before: KubernetesObject | undefined): readonly FurtherGate[] =>
  furtherGates.filter((name) => asked.includes(name) || liveGate(before, name) === true);

interface Rendering {
  readonly render: typeof manifests;
  readonly desired: ManifestOptions;
  readonly asked: readonly FurtherGate[];
}

/** The object to apply, with the gates of the existing one, except that gates that are asked for need FuseRecovery. */
function withLiveGate(
  { render, desired, asked }: Rendering,
  target: KubernetesObject,
  before: KubernetesObject | undefined,
): KubernetesObject {
  if (target.kind !== 'DaemonSet' || target.metadata?.name === names.keeper) return target;
  const gate = asked.length > 0 || (liveGate(before) ?? desired.gate);
  return (
    render({ ...desired, gate, furtherGates: gate ? gatesOn(asked, before) : [] }).find(
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
