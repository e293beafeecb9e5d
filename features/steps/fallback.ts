import { Given, Then, When } from '@cucumber/cucumber';
import { ApiException, KubernetesObjectApi } from '@kubernetes/client-node';
import { fallbackAnnotation } from '../../recovery/engine/fallback.ts';
import { fail, pass, recordCheck } from '../../src/checks/check.ts';
import { applicationLabel } from '../../src/scenario/manifests.ts';
import type { RekindleWorld } from '../support/world.ts';

const budgetName = 'no-evictions';
/** UIDs of the pods that a scenario has started. */
const started = new WeakMap<RekindleWorld, string>();

Given('FUSE recovery is enabled, and pods may ask for a fallback', async function (this: RekindleWorld) {
  await this.scenario.restartAgent({ fuseRecovery: true, fallback: true });
});

Given(
  'pod {string} of a controller, which asks for {string}, reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, kinds: string, dataset: string) {
    await startAsking(this, { pod, dataset, kinds, labelled: true, controlled: true });
  },
);

Given(
  'pod {string} of a controller, which asks for nothing, reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await startAsking(this, { pod, dataset, labelled: true, controlled: true });
  },
);

Given(
  'pod {string} without a controller, which asks for {string}, reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, kinds: string, dataset: string) {
    await startAsking(this, { pod, dataset, kinds, labelled: true, controlled: false });
  },
);

Given(
  'pod {string} without the label, which asks for {string}, reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, kinds: string, dataset: string) {
    await startAsking(this, { pod, dataset, kinds, labelled: false, controlled: false });
  },
);

Given('a PodDisruptionBudget that allows no eviction of the pod', async function (this: RekindleWorld) {
  await this.namespace.createObject(budget);
});

When('the PodDisruptionBudget is deleted', async function (this: RekindleWorld) {
  await this.namespace.deleteObject(budget);
});

Then('an event on the pod has the reason {string}', async function (this: RekindleWorld, reason: string) {
  const object = `Pod ${this.namespace.name}/${this.pod.name}`;
  await this.scenario.happens(
    `an event ${reason} on ${object}`,
    (event) => event.kind === 'event' && event.reason === reason && event.object === object,
  );
});

Then(
  'the pod is evicted, and the one that its controller creates reads the same files',
  async function (this: RekindleWorld) {
    const { name } = this.pod;
    await this.scenario.judgeWait('the pod is evicted', () =>
      this.scenario.eventually({
        condition: `pod ${name} is gone`,
        read: () => readUid(this),
        until: (uid) => uid !== started.get(this),
        format: (uid) => `its UID is ${uid}`,
      }),
    );
    // What its controller would do.
    await startAsking(this, { pod: name, dataset: this.dataset.name, labelled: true, controlled: true });
    judgeReading(this);
  },
);

Then('its container is restarted once, and reads the same files', async function (this: RekindleWorld) {
  const { before, name } = this.pod;
  await this.scenario.judgeWait('the container is restarted', () =>
    this.scenario.eventually({
      condition: `the container of ${name} has been restarted`,
      read: async () => (await this.pod.read()).status?.containerStatuses?.[0]?.restartCount ?? 0,
      until: (count) => count > before.restartCount,
      format: (count) => `${count} restarts`,
    }),
  );
  await this.pod.observe(this.dataset);
  const { restartCount = 0 } = (await this.pod.read()).status?.containerStatuses?.[0] ?? {};
  const restarts = restartCount - before.restartCount;
  const check = { name: 'the container is restarted once', claims: ['F1'] };
  this.scenario.judge(recordCheck(check, restarts === 1 ? pass('it was') : fail(`it was restarted ${restarts} times`)));
  judgeReading(this);
});

Then('the pod is still there', async function (this: RekindleWorld) {
  await judgeUntouched(this);
});

Then('the pod is left as it is', async function (this: RekindleWorld) {
  // It takes some seconds until a daemon is trusted.
  await this.scenario.watchFor(this.scenario.watchMs + 5_000);
  await judgeUntouched(this);
});

/** Its probe has read: a step that starts or observes a pod waits for that. */
function judgeReading({ scenario, pod, dataset }: RekindleWorld): void {
  const check = { name: 'the pod reads its data again', claims: ['F1'] };
  scenario.judge(recordCheck(check, pass(`${pod.name} reads the files of ${dataset.name}`)));
}

interface AskingPod {
  readonly pod: string;
  readonly dataset: string;
  /** Value of the annotation. */
  readonly kinds?: string;
  readonly labelled: boolean;
  readonly controlled: boolean;
}

/** Starts a pod with the annotation. Its Dataset stands for its controller; the steps create it again. */
async function startAsking(
  world: RekindleWorld,
  { pod, dataset, kinds, labelled, controlled }: AskingPod,
): Promise<void> {
  const annotations = kinds === undefined ? {} : { annotations: { [fallbackAnnotation]: kinds } };
  await world.start(pod, dataset, { labelled, ...annotations });
  if (controlled) {
    const identity = { apiVersion: 'data.fluid.io/v1alpha1', kind: 'Dataset' };
    const objects = KubernetesObjectApi.makeApiClient(world.session.cluster.kubeConfig);
    const { metadata } = await objects.read({
      ...identity,
      metadata: { name: dataset, namespace: world.namespace.name },
    });
    const owner = { ...identity, name: dataset, uid: metadata?.uid ?? '', controller: true };
    await world.namespace.patchMetadata({ apiVersion: 'v1', kind: 'Pod', name: pod }, { ownerReferences: [owner] });
  }
  started.set(world, (await readUid(world)) ?? '');
}

/** Undefined if there is no such pod, or if it is being deleted. */
async function readUid({ pod }: RekindleWorld): Promise<string | undefined> {
  try {
    return (await pod.read()).metadata?.uid;
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  }
}

async function judgeUntouched(world: RekindleWorld): Promise<void> {
  const { metadata, status } = await world.pod.read();
  const restarts = status?.containerStatuses?.[0]?.restartCount ?? 0;
  const isSame =
    metadata?.uid === started.get(world) &&
    metadata?.deletionTimestamp === undefined &&
    restarts === world.pod.before.restartCount;
  const found = `its UID is ${metadata?.uid}, its container was restarted ${restarts} times`;
  const check = { name: 'the pod is neither evicted nor restarted', claims: ['F2'] };
  world.scenario.judge(recordCheck(check, isSame ? pass(found) : fail(`${found}: it was touched`)));
}

const budget = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: budgetName },
  spec: { minAvailable: 1, selector: { matchLabels: { [applicationLabel]: 'true' } } },
};
