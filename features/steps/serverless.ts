import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { Given, Then, When } from '@cucumber/cucumber';
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { keepsLayersWithin } from '../../src/checks/mount-tables.ts';
import { isReadOnlyInPod } from '../../src/checks/read-only.ts';
import { readsAgain, readsNoWrongData, seesNoEmptyDirectory } from '../../src/checks/reads.ts';
import { kill1, sigkill } from '../../src/faults/daemon.ts';
import { Daemon } from '../../src/scenario/daemon.ts';
import { application, type Manifest, serverlessApplication, serverlessRecovery } from '../../src/scenario/manifests.ts';
import type { ScenarioPod } from '../../src/scenario/pod.ts';
import { untilPodRecovers } from '../../src/scenario/pod-reads.ts';
import { formatPodState } from '../../src/scenario/pod-state.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type { RekindleWorld } from '../support/world.ts';

Given('no node agent runs', async function (this: RekindleWorld) {
  this.scenario.use(await this.session.cluster.stopAgent());
});

Given(
  'pod {string} with the documented label and annotations of a serverless pod reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await start(this, serverlessApplication({ name: pod, dataset, recovers: true }), dataset);
  },
);

Given(
  'serverless pod {string}, which is not restarted when its program ends, reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await start(this, untilItsProgramEnds(serverlessApplication({ name: pod, dataset, recovers: true })), dataset);
  },
);

Given(
  'pod {string} with the documented label alone reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await start(this, serverlessApplication({ name: pod, dataset, recovers: false }), dataset);
  },
);

Given(
  'an ordinary pod {string} with the annotation of serverless pods reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await start(this, application({ name: pod, dataset, labels: {}, annotations: serverlessRecovery }), dataset);
  },
);

Given(
  'a serverless pod {string} on {string} whose container was started again after a crash of {string}',
  async function (this: RekindleWorld, pod: string, dataset: string, sidecar: string) {
    this.focus(pod, dataset);
    await this.dataset.ensure();
    await this.namespace.createObject(serverlessApplication({ name: pod, dataset, recovers: true }));
    await this.pod.ready();
    await sidecarOf(this, sidecar).inject(sigkill);
    await this.scenario.daemonReadyAfter(this.scenario.lastFaultAt);
    await this.session.cluster.kill(this.pod.container, 'SIGKILL');
    await untilRestarted(this.pod, 'demo', 1);
    await this.pod.observe(this.dataset);
  },
);

Given('no node is a virtual one', async function (this: RekindleWorld) {
  const { core } = this.namespace;
  const { items } = await core.listNode({ labelSelector: 'type=virtual-kubelet' });
  const label = (type: string | null) => async () => {
    for (const { metadata } of items)
      await core.patchNode(
        { name: metadata?.name ?? '', body: { metadata: { labels: { type } } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
  };
  this.scenario.use({ [Symbol.asyncDispose]: label('virtual-kubelet') });
  await label(null)();
});

Then('no node is found for pod {string}', async function (this: RekindleWorld, name: string) {
  const pod = this.namespace.pod(name);
  const { spec, status } = await this.scenario.eventually({
    condition: `the scheduler has a verdict on ${name}`,
    read: () => pod.read(),
    until: ({ status }) => status?.conditions?.some(({ type }) => type === 'PodScheduled') === true,
    format: formatPodState,
  });
  const { reason } = status?.conditions?.find(({ type }) => type === 'PodScheduled') ?? {};
  deepStrictEqual({ node: spec?.nodeName, reason }, { node: undefined, reason: 'Unschedulable' });
});

When(
  '"kill 1" is run in the container {string}, which takes {duration} to start again',
  async function (this: RekindleWorld, container: string, downMs: number) {
    await sidecarOf(this, container).inject(kill1, { staysDown: true });
    await this.scenario.watchFor(downMs);
    await this.scenario.faults.allowRestarts();
  },
);

When('"kill 1" is run in the container {string}', async function (this: RekindleWorld, container: string) {
  await sidecarOf(this, container).inject(kill1);
});

When('the program of the pod ends', async function (this: RekindleWorld) {
  await this.session.cluster.kill(this.pod.container, 'SIGTERM');
});

When(
  'the sidecar {string} is killed {int} times, each time after the pod read again',
  async function (this: RekindleWorld, container: string, times: number) {
    for (let crash = 0; crash < times; crash++) {
      if (crash > 0) await untilPodRecovers(this.pod);
      await sidecarOf(this, container).inject(sigkill);
    }
  },
);

Then(
  '{string} is 2\\/2 Running with {int} restarts, and has a container {string}',
  async function (this: RekindleWorld, name: string, restarts: number, container: string) {
    const { status, spec } = await this.namespace.pod(name).read();
    const { phase, containerStatuses = [] } = status ?? {};
    const names = (spec?.containers ?? []).map((each) => each.name);
    const seen = {
      ready: `${containerStatuses.filter(({ ready }) => ready).length}/${names.length}`,
      phase,
      restarts: containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    };
    deepStrictEqual(seen, { ready: '2/2', phase: 'Running', restarts });
    ok(names.includes(container), `its containers are ${names.join(', ')}`);
  },
);

Then(
  'the container {string} was started once {string} served the dataset, and no sooner',
  function (this: RekindleWorld, container: string, sidecar: string) {
    const { namespace, pod } = this.pod.consumer;
    const timeOf = (name: string, change: 'started' | 'ready'): number => {
      const isChange = (event: HistoryEvent) =>
        event.kind === 'process' && event.change === change && event.name === `${namespace}/${pod}/${name}`;
      return this.history.find(isChange)?.at ?? 0;
    };
    const served = timeOf(sidecar, 'ready');
    const started = timeOf(container, 'started');
    ok(
      served > 0 && started > served,
      `the sidecar served at ${served} ns, the container was started at ${started} ns`,
    );
  },
);

Then(
  'it is on a node labelled {string}, and uses no volume of a CSI driver',
  async function (this: RekindleWorld, label: string) {
    const { spec } = await this.pod.read();
    const { metadata } = await this.namespace.core.readNode({ name: spec?.nodeName ?? '' });
    const labels = Object.entries(metadata?.labels ?? {}).map(([key, value]) => `${key}=${value}`);
    match(labels.join(','), new RegExp(`(^|,)${label}(,|$)`));
    const claims = (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim ?? []);
    deepStrictEqual(claims, []);
  },
);

Then(
  'the pod reads the same files again, from the container as it was started last',
  async function (this: RekindleWorld) {
    await untilPodRecovers(this.pod);
    const { consumer } = this.pod;
    const checks = [readsAgain, seesNoEmptyDirectory, readsNoWrongData];
    this.scenario.judge(...checks.map((check) => check(this.timeline, consumer)));
  },
);

Then(
  'the container {string} was restarted {int} time(s)',
  async function (this: RekindleWorld, container: string, times: number) {
    strictEqual(await untilRestarted(this.pod, container, times), times);
  },
);

Then('the pod has succeeded, and {string} ended last', async function (this: RekindleWorld, sidecar: string) {
  const { status } = await this.scenario.eventually({
    condition: `${this.pod.name} ends`,
    read: () => this.pod.read(),
    until: ({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed',
    format: formatPodState,
  });
  const { phase, containerStatuses = [], initContainerStatuses = [] } = status ?? {};
  const ended = [...containerStatuses, ...initContainerStatuses]
    .toSorted((a, b) => Number(a.state?.terminated?.finishedAt) - Number(b.state?.terminated?.finishedAt))
    .map(({ name }) => name);
  deepStrictEqual({ phase, last: ended.at(-1) }, { phase: 'Succeeded', last: sidecar });
});

Then('at most {int} mounts stand at \\/data in the pod', async function (this: RekindleWorld, most: number) {
  await this.namespace.countMounts();
  this.scenario.judge(keepsLayersWithin(this.timeline, { consumer: this.pod.consumer, most, after: 'after' }));
});

Then('no mount at \\/data in the pod was ever writable', async function (this: RekindleWorld) {
  await this.namespace.countMounts();
  this.scenario.judge(isReadOnlyInPod(this.timeline, this.pod.consumer));
});

/** Creates a pod and reads in it. */
async function start(world: RekindleWorld, pod: Manifest, dataset: string): Promise<void> {
  world.focus(pod.metadata?.name ?? '', dataset);
  await world.dataset.ensure();
  await world.namespace.createObject(pod);
  await world.pod.observe(world.dataset);
}

/** The pod of a Job: its program ends by itself, with status 0. */
function untilItsProgramEnds(pod: Manifest): Manifest {
  const { containers, ...spec } = pod.spec as { readonly containers: readonly object[] };
  const command = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.2; done'];
  return {
    ...pod,
    spec: { ...spec, restartPolicy: 'Never', containers: containers.map((each) => ({ ...each, command })) },
  };
}

/** The daemon in a container of the scenario's pod. */
function sidecarOf({ dataset, namespace, pod }: RekindleWorld, container: string): Daemon {
  return new Daemon(dataset, async () => ({ namespace: namespace.name, pod: pod.name, container }));
}

/** Waits until a container was restarted at least a number of times. Returns how often it was. */
function untilRestarted(pod: ScenarioPod, container: string, times: number): Promise<number> {
  return pod.namespace.scenario.eventually({
    condition: `the kubelet reports ${times} restarts of ${container}`,
    read: async () => {
      const { containerStatuses = [], initContainerStatuses = [] } = (await pod.read()).status ?? {};
      return [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container)?.restartCount ?? 0;
    },
    until: (restarts) => restarts >= times,
    format: (restarts) => `${restarts} restarts`,
  });
}
