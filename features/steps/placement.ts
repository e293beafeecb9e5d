import { Given, Then, When } from '@cucumber/cucumber';
import { fail, pass, recordCheck } from '../../src/checks/check.ts';
import type { RekindleWorld } from '../support/world.ts';

Given('the dataset {string}, whose daemon runs on demand', async function (this: RekindleWorld, name: string) {
  await this.create(name, { cleanPolicy: 'OnDemand' });
});

Given('no node has its label, and none runs its daemon', async function (this: RekindleWorld) {
  const { labelled, running } = await readPlacement(this);
  const isNone = labelled.length === 0 && running.length === 0;
  const finding = isNone ? pass('none has') : fail(`labelled: ${labelled}, running: ${running}`);
  this.scenario.judge(recordCheck({ name: 'no daemon runs before it is needed', claims: [] }, finding));
});

When('the pod is deleted by its owner', async function (this: RekindleWorld) {
  await this.pod.delete({ graceSeconds: 1 });
});

Then(
  'the node of the pod has its label, and is the only one that runs its daemon',
  async function (this: RekindleWorld) {
    await judgePlacement(this, [(await this.pod.read()).spec?.nodeName ?? '']);
  },
);

Then('no node has its label any more, and its daemon ends', async function (this: RekindleWorld) {
  await judgePlacement(this, []);
});

/** Waits until the given nodes, and no others, have the label and the daemon. */
async function judgePlacement(world: RekindleWorld, nodes: readonly string[]): Promise<void> {
  const isAsked = (found: readonly string[]) =>
    found.length === nodes.length && found.every((node) => nodes.includes(node));
  await world.scenario.judgeWait('the daemon runs where it is needed', () =>
    world.scenario.eventually({
      condition: `the nodes with the label and the daemon of ${world.dataset.name} are: ${nodes.join(', ') || 'none'}`,
      read: () => readPlacement(world),
      until: ({ labelled, running }) => isAsked(labelled) && isAsked(running),
      format: ({ labelled, running }) => `labelled: ${labelled}; running: ${running}`,
    }),
  );
}

/** Names of the nodes that have the label of the dataset's volume, and of those that have its FUSE pods. */
async function readPlacement({ namespace, dataset }: RekindleWorld) {
  const { spec } = await namespace.core.readPersistentVolume({ name: dataset.volume });
  const label = spec?.csi?.volumeAttributes?.mount_pod_node_selector_key ?? '';
  const nodes = await namespace.core.listNode({ labelSelector: `${label}=true` });
  const pods = await namespace.listPods(`role=jindofs-fuse,release=${dataset.name}`);
  return {
    labelled: nodes.items.map(({ metadata }) => metadata?.name ?? ''),
    running: pods.map((pod) => pod.spec?.nodeName ?? ''),
  };
}
