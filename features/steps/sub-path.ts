import { deepStrictEqual } from 'node:assert/strict';
import { defineParameterType, Given, Then } from '@cucumber/cucumber';
import type { V1Container } from '@kubernetes/client-node';
import { application, applicationLabel, type Manifest } from '../../src/scenario/manifests.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { createVolume } from '../../src/scenario/volume.ts';
import type { RekindleWorld } from '../support/world.ts';

/** The field by which a pod mounts a directory of a dataset. */
export type SubPathKind = 'subPath' | 'subPathExpr' | 'subPath in an init container';

export interface SubPathPod {
  readonly name: string;
  readonly dataset: string;
  readonly directory: string;
  readonly kind: SubPathKind;
  readonly labelled: boolean;
}

defineParameterType({
  name: 'subPathKind',
  regexp: /subPath in an init container|subPathExpr|subPath/,
  transformer: (kind: string) => kind,
});

const initContainer = 'prepare';

/** Content of a directory that was created without files. */
const directoryFiles = { '.keep': Buffer.from('keep') };

/** Refusals in the agent's metrics before the scenario's pod was given its label. */
const refusalsBefore = new WeakMap<RekindleWorld, number>();

Given('FUSE recovery is enabled, also for directories of a dataset', async function (this: RekindleWorld) {
  await this.scenario.restartAgent({ fuseRecovery: true, subPath: 'recover' });
});

Given(
  'the dataset {string} with a directory {string}',
  async function (this: RekindleWorld, dataset: string, directory: string) {
    await this.create(dataset, { directories: [directory] });
  },
);

Given(
  'the dataset {string}, in which {string} is a symbolic link to {string}',
  async function (this: RekindleWorld, dataset: string, name: string, target: string) {
    await this.create(dataset, { behaviour: { links: { [name]: target } } });
  },
);

Given(
  'pod {string} without the label reads directory {string} of {string} by {subPathKind}',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string, kind: SubPathKind) {
    await startOnDirectory(this, { name, dataset, directory, kind, labelled: false });
  },
);

Given(
  'labelled pod {string} reads directory {string} of {string} by {subPathKind}',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string, kind: SubPathKind) {
    refusalsBefore.set(this, await countRefusals(this.scenario, 'sub-path'));
    await startOnDirectory(this, { name, dataset, directory, kind, labelled: true });
  },
);

Given('pod {string} is given the label', async function (this: RekindleWorld, name: string) {
  this.pod = this.namespace.pod(name);
  await this.pod.label({ [applicationLabel]: 'true' });
  refusalsBefore.set(this, await countRefusals(this.scenario, 'sub-path'));
});

Given(
  'from its next FUSE pod on, {string} in {string} is a symbolic link to {string}',
  async function (this: RekindleWorld, name: string, dataset: string, target: string) {
    await this.namespace.dataset(dataset).changeBehaviour({ links: { [name]: target } });
  },
);

Given(
  'from its next FUSE pod on, {string} answers every read with an error',
  async function (this: RekindleWorld, dataset: string) {
    await this.namespace.dataset(dataset).changeBehaviour({ errno: { open: 'EIO', read: 'EIO', readdir: 'EIO' } });
  },
);

Given(
  'pod {string} reads a volume that is directory {string} of {string} at \\/data',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string) {
    this.focus(name, dataset);
    const claim = `${dataset}-${directory}`;
    await createVolume(this.namespace, claim, {
      fluid_path: await this.namespace.dataset(dataset).sourcePath(),
      fluid_sub_path: directory,
      // As Fluid's own volumes have: its node plugin refuses others.
      runtime_namespace: this.namespace.name,
      runtime_name: dataset,
    });
    await this.namespace.createObject(application({ name, dataset: claim, labels: { [applicationLabel]: 'true' } }));
    await this.pod.observe(this.dataset, { files: directoryFiles });
  },
);

Then("the agent's metrics count the refusal {string}", async function (this: RekindleWorld, reason: string) {
  if (!this.scenario.promisesExplanations('a metric that counts the refusal')) return;
  const before = refusalsBefore.get(this) ?? 0;
  await this.scenario.eventually({
    condition: `the agent counts more than ${before} refusals for ${reason}`,
    read: () => countRefusals(this.scenario, reason),
    until: (count) => count > before,
    format: (count) => `rekindle_skips_total{reason="${reason}"} ${count}`,
  });
});

Then('nothing of the node shows in the pod below \\/data', async function (this: RekindleWorld) {
  const table = await this.pod.mountTable();
  const belowData = table.filter((line) => /^\S+ \S+ \S+ \S+ \/data(\/\S*)? /.test(line));
  deepStrictEqual(
    belowData.filter((line) => !/ - fuse\S* /.test(line)),
    [],
  );
});

/** The document's app.yaml with a directory of the dataset at /data, instead of all of it. */
export function subPathApplication({ name, dataset, directory, kind, labelled }: SubPathPod): Manifest {
  const pod = application({ name, dataset, labels: labelled ? { [applicationLabel]: 'true' } : {} });
  const { containers, ...spec } = pod.spec as { readonly containers: readonly V1Container[] };
  const mount = { mountPath: '/data', name: 'data-vol' };
  const changed = (change: Partial<V1Container>) => ({
    ...pod,
    spec: { ...spec, containers: containers.map((container) => ({ ...container, ...change })) },
  });
  switch (kind) {
    case 'subPath':
      return changed({ volumeMounts: [{ ...mount, subPath: directory }] });
    case 'subPathExpr':
      return changed({
        volumeMounts: [{ ...mount, subPathExpr: '$(DIRECTORY)' }],
        env: [{ name: 'DIRECTORY', value: directory }],
      });
    case 'subPath in an init container': {
      // It does not end, so that the pod can be observed in it.
      const init = { name: initContainer, image: 'nginx:stable', command: ['sleep', 'infinity'] };
      const initContainers = [{ ...init, volumeMounts: [{ ...mount, subPath: directory }] }];
      return { ...pod, spec: { ...spec, initContainers, containers } };
    }
  }
}

/** Starts a pod on a directory of a dataset and reads in the container that mounts it. */
async function startOnDirectory(world: RekindleWorld, options: SubPathPod): Promise<void> {
  world.focus(options.name, options.dataset);
  await world.namespace.createObject(subPathApplication(options));
  const container = options.kind === 'subPath in an init container' ? initContainer : 'demo';
  await world.pod.observe(world.dataset, { container, files: directoryFiles });
}

/** How often the agent has refused for a reason, by its metrics. */
async function countRefusals({ session }: Scenario, reason: string): Promise<number> {
  const metrics = await session.cluster.agentMetrics();
  return Number(new RegExp(`^rekindle_skips_total\\{reason="${reason}"\\} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0);
}
