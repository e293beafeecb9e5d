import type { V1Container } from '@kubernetes/client-node';
import { application, applicationLabel, type Manifest } from './manifests.ts';
import type { Trial } from './trial.ts';

/** In which way a pod mounts a directory of a dataset. */
export type SubPathKind = 'subPath' | 'subPathExpr' | 'subPath in an init container';

export interface SubPathDifferences {
  readonly name: string;
  readonly dataset: string;
  readonly directory: string;
  readonly kind: SubPathKind;
  readonly labelled: boolean;
}

/** It does not end, so that it can be looked at. */
const initContainer = 'prepare';

/** What lies in a directory of a dataset that was asked for by name alone. */
const directoryFiles = { '.keep': Buffer.from('keep') };

/** The document's app.yaml with a directory of the dataset at /data, instead of all of it. */
export function subPathApplication({ name, dataset, directory, kind, labelled }: SubPathDifferences): Manifest {
  const pod = application({ name, dataset, labels: labelled ? { [applicationLabel]: 'true' } : {} });
  const { containers, ...spec } = pod.spec as { readonly containers: readonly V1Container[] };
  const whole = { mountPath: '/data', name: 'data-vol' };
  const env = [{ name: 'DIRECTORY', value: directory }];
  switch (kind) {
    case 'subPath':
      return {
        ...pod,
        spec: { ...spec, containers: give(containers, { volumeMounts: [{ ...whole, subPath: directory }] }) },
      };
    case 'subPathExpr': {
      const volumeMounts = [{ ...whole, subPathExpr: '$(DIRECTORY)' }];
      return { ...pod, spec: { ...spec, containers: give(containers, { volumeMounts, env }) } };
    }
    case 'subPath in an init container': {
      const volumeMounts = [{ ...whole, subPath: directory }];
      const initContainers = [
        { name: initContainer, image: 'nginx:stable', command: ['sleep', 'infinity'], volumeMounts },
      ];
      return { ...pod, spec: { ...spec, initContainers, containers } };
    }
  }
}

const give = (containers: readonly V1Container[], change: Partial<V1Container>) =>
  containers.map((container) => ({ ...container, ...change }));

/** Starts a pod on a directory of a dataset, and reads in the container that has it. */
export async function startOnDirectory(trial: Trial, differences: SubPathDifferences): Promise<void> {
  const { name, dataset, kind } = differences;
  await trial.objects.create(subPathApplication(differences));
  const container = kind === 'subPath in an init container' ? initContainer : 'demo';
  await trial.observe(name, dataset, { container, files: directoryFiles });
}

/** How often the agent has refused for a reason, by its metrics. */
export async function countRefusals(trial: Trial, reason: string): Promise<number> {
  return refusals(await trial.session.cluster.agentMetrics(), reason);
}

/** Until the agent's metric of refusals for a reason is above what it was. */
export async function refusalIsCounted(trial: Trial, reason: string, before: number): Promise<void> {
  await trial.poll({
    what: `the agent counts more than ${before} refusals for ${reason}`,
    look: () => countRefusals(trial, reason),
    until: (count) => count > before,
    say: (count) => `rekindle_skips_total{reason="${reason}"} ${count}`,
  });
}

function refusals(metrics: string, reason: string): number {
  return Number(new RegExp(`^rekindle_skips_total\\{reason="${reason}"\\} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0);
}

/** Mounts of a pod's container that stand at /data and below it, and are no FUSE filesystem: of the node, that is. */
export async function foreignMounts(trial: Trial, pod: string): Promise<readonly string[]> {
  const table = await trial.session.cluster.mountTable(trial.application(pod).target);
  return table.filter((line) => /^\S+ \S+ \S+ \S+ \/data(\/\S*)? /.test(line) && !/ - fuse\S* /.test(line));
}
