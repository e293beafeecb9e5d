import { openApi, titleOf } from '../../recovery/deploy/api.ts';
import { refuseForeign } from '../../recovery/deploy/foreign.ts';
import { names } from '../../recovery/deploy/names.ts';
import { CannotRun } from '../cluster.ts';
import type { AgentDaemonSet } from '../kubernetes/options.ts';
import { runLabel } from '../standing/standing-objects.ts';
import { foreignFluid, standingOf, takeDown } from '../standing/take-down.ts';
import type { OpenPlace } from './place.ts';
import { requireTheirs } from './require-theirs.ts';

export interface Clearing {
  readonly kubeConfig: OpenPlace['kubeConfig'];
  readonly runId: string;
  readonly theirs: AgentDaemonSet | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/**
 * What is to be judged where it is has to be there. Where ours is brought, nobody else's may be: neither Fluid's definitions nor
 * objects of the agent's names. What other runs left is removed from a cluster of our own; in one of the user's it is a reason not
 * to begin. @throws CannotRun, CannotDeploy
 */
export async function clearFor(
  { isForeign }: Pick<OpenPlace, 'isForeign'>,
  { kubeConfig, runId, theirs, ...told }: Clearing,
): Promise<void> {
  if (theirs) await requireTheirs(openApi(kubeConfig), theirs);
  const foreign = theirs === undefined ? await foreignFluid(kubeConfig) : undefined;
  if (theirs === undefined) await refuseForeignAgent(kubeConfig);
  if (foreign !== undefined)
    throw new CannotRun([
      {
        what: `${foreign} is not Rekindle's: another Fluid is installed there`,
        remedy: 'uninstall it first (helm uninstall fluid), or judge it as it is: --profile fluid or ack-fluid',
      },
    ]);
  if (!isForeign) return void (await takeDown({ kubeConfig, of: (id) => id !== runId, ...told }));
  const others = await standingOf(kubeConfig);
  if (others.length === 0) return;
  const runs = new Set(others.map(({ metadata }) => metadata?.labels?.[runLabel] ?? ''));
  const context = kubeConfig.getCurrentContext();
  throw new CannotRun([
    {
      what: `another run is going on there, or was killed (${others.map(titleOf).join(', ')})`,
      remedy: `wait for it, or remove what it left: ${[...runs].map((run) => `rekindle clean --context ${context} --run ${run}`).join('; ')}`,
    },
  ]);
}

/** @throws CannotDeploy where the CSIDriver or the DaemonSet of the agent's name is somebody else's */
async function refuseForeignAgent(kubeConfig: OpenPlace['kubeConfig']): Promise<void> {
  const api = openApi(kubeConfig);
  const found = await Promise.all(
    [
      { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: 'fuse.csi.fluid.io' } },
      { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: names.agent, namespace: names.namespace } },
    ].map((object) => api.read(object)),
  );
  refuseForeign(found.filter((object) => object !== undefined));
}
