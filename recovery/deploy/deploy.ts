import type { KubeConfig, KubernetesObject } from '@kubernetes/client-node';
import { type Api, openApi, titleOf } from './api.ts';
import { type Applied, applyOver, sayApplied } from './apply-over.ts';
import { CannotDeploy } from './cannot-deploy.ts';
import { isOurs, refuseForeign } from './foreign.ts';
import { liveGate } from './live-gate.ts';
import { besideManifests, manifests } from './manifests.ts';
import { names } from './names.ts';
import { defaultOptions, type ManifestOptions } from './options.ts';
import { removeObjects } from './remove.ts';
import { waitReady } from './wait-ready.ts';

export interface DeployOptions {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  readonly image: string;
  /** Further flags of the agent. */
  readonly agentArgs?: readonly string[];
  /** Only recovery, beside the node plugin of another. */
  readonly beside?: boolean;
  /** The API server judges everything, and nothing is changed. */
  readonly dryRun?: boolean;
  /** How long to wait until all is ready; two minutes. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  /** Takes one line for each step. */
  readonly onProgress: (line: string) => void;
}

export interface Deployed {
  /** `daemonset/csi-nodeplugin-fluid created` and so on; nothing where nothing changed. */
  readonly changed: readonly string[];
}

/** First minor version of Kubernetes 1 whose API knows AppArmor's profile as a field. */
const appArmorField = 30;

/**
 * Applies all (server-side apply) and waits until it is ready. The gate that is in force stays as it is. What it created it
 * removes where that does not get ready, or when it is told to stop. Rejects with `CannotDeploy`.
 */
export function deploy(options: DeployOptions): Promise<Deployed> {
  return deployThrough(openApi(options.kubeConfig), options);
}

/** The same through requests that somebody else makes. */
export async function deployThrough(api: Api, options: Omit<DeployOptions, 'kubeConfig'>): Promise<Deployed> {
  const { namespace, image, agentArgs = [], beside = false, dryRun = false, signal, onProgress } = options;
  const appArmor = (await api.minor()) >= appArmorField ? 'field' : 'annotation';
  // With the gate off, recovery alone would do nothing at all: who deploys it wants it.
  const wanted: ManifestOptions = { ...defaultOptions, namespace, image, agentArgs, gate: beside, appArmor };
  const render = beside ? besideManifests : manifests;
  const live = new Map<string, KubernetesObject>();
  for (const object of render(wanted)) {
    const found = await api.read(object);
    if (found !== undefined) live.set(titleOf(object), found);
  }
  refuseForeign([...live.values()]);
  if (beside) await refuseOtherRecovery(api);

  const done: Applied[] = [];
  try {
    for (const target of render(wanted)) {
      signal.throwIfAborted();
      // A dry run has no namespace for the others to be judged in.
      const applied =
        dryRun && !live.has(`namespace/${namespace}`)
          ? ({ object: target, change: 'created' } as const)
          : await applyOver({ api, dryRun }, target, (before) => remade(render, wanted, target, before));
      if (applied === undefined) continue;
      onProgress(sayApplied(applied));
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
  return { changed: done.filter(({ change }) => change !== 'unchanged').map(sayApplied) };
}

/** An object as it is to be, with the gate that is in force. */
function remade(
  render: typeof manifests,
  wanted: ManifestOptions,
  target: KubernetesObject,
  before: KubernetesObject | undefined,
): KubernetesObject {
  if (target.kind !== 'DaemonSet') return target;
  const gate = liveGate(before) ?? wanted.gate;
  return render({ ...wanted, gate }).find((object) => titleOf(object) === titleOf(target)) ?? target;
}

/** Two that replace the same mounts would undo each other's work. */
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
