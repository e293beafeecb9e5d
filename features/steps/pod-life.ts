import { Given, Then } from '@cucumber/cucumber';
import { monotonicNow } from '../../recovery/clock.ts';
import { fail, pass, recordCheck } from '../../src/checks/check.ts';
import { endsInTime, startsAfterDaemon } from '../../src/checks/pod-lifecycle.ts';
import { graceSeconds, newPodName } from '../../src/faults/application.ts';
import type { ScenarioPod } from '../../src/scenario/pod.ts';
import type { RekindleWorld } from '../support/world.ts';

Then('its container is not started, because of {string}', async function (this: RekindleWorld, reason: string) {
  await untilStartIsRefused(this.pod, reason);
});

Then('the pod waits for its volume', async function (this: RekindleWorld) {
  await judgeWaiting(this, this.pod);
});

Then('the other pod waits for its volume', async function (this: RekindleWorld) {
  await judgeWaiting(this, this.namespace.pod(newPodName(this.pod.name)));
});

Then('the container starts on the living volume, and reads', async function (this: RekindleWorld) {
  await judgeStart(this);
});

Then('its container is started again, and reads', async function (this: RekindleWorld) {
  const { before, name } = this.pod;
  await this.scenario.judgeWait('the container starts again', () =>
    this.scenario.eventually({
      condition: `the container of ${name} runs again`,
      read: async () => (await this.pod.read()).status?.containerStatuses?.[0],
      until: (status) => status?.state?.running !== undefined && status.restartCount > before.restartCount,
      format: (status) => JSON.stringify(status?.state ?? {}),
    }),
  );
  await this.pod.observe(this.dataset);
  const check = { name: 'a container starts again on a recovered volume', claims: ['L4', 'A2'] };
  this.scenario.judge(recordCheck(check, pass(`${name} reads the files that it read before`)));
});

Then('the other pod starts on the living volume, and reads', async function (this: RekindleWorld) {
  this.pod = this.namespace.pod(newPodName(this.pod.name));
  await judgeStart(this);
});

Then('every application pod is gone in time, and nothing is left of it', async function (this: RekindleWorld) {
  const fault = this.scenario.lastFault;
  const names = [this.pod, ...this.otherPods].map(({ name }) => name);
  await untilRemoved(this, names);
  const { cluster, onEvent } = this.session;
  const lines = await cluster.mountTable();
  onEvent({ kind: 'snapshot', at: monotonicNow(), where: 'node', label: 'after the end', lines });
  const graceMs = (graceSeconds * 1000) / cluster.fidelity.clockScale;
  const { consumer, volume } = this.subject;
  this.scenario.judge(
    ...names.map((pod) => endsInTime(this.timeline, { consumer: { ...consumer, pod }, volume, fault, graceMs })),
  );
});

Given('the pod is being deleted, and has minutes to end', async function (this: RekindleWorld) {
  await this.pod.delete({ graceSeconds: 1800 });
});

Then('nothing is left of the pod once it has ended', async function (this: RekindleWorld) {
  const { metadata } = await this.pod.read();
  const uid = metadata?.uid ?? '';
  await this.pod.delete({ graceSeconds: 0 });
  await untilRemoved(this, [this.pod.name]);
  const lines = await this.session.cluster.mountTable();
  const left = lines.filter((line) => line.includes(uid));
  const title = { name: 'nothing of a pod is left on its node', claims: [] };
  this.scenario.judge(recordCheck(title, left.length === 0 ? pass('no mount is left') : fail(left.join('; '))));
});

/** Waits until the kubelet has removed pods. */
async function untilRemoved({ scenario, history, namespace }: RekindleWorld, names: readonly string[]): Promise<void> {
  await scenario.eventually({
    condition: 'the deleted pods are gone',
    read: () => {
      const removed = history.flatMap((event) =>
        event.kind === 'kubelet' && event.event === 'pod-removed' ? event.pod : [],
      );
      return names.filter((name) => !removed.includes(`${namespace.name}/${name}`));
    },
    until: ({ length }) => length === 0,
    format: (left) => `${left.join(', ')} still there`,
  });
}

/** Waits until the kubelet reports why a container cannot be started. */
async function untilStartIsRefused(pod: ScenarioPod, reason: string): Promise<void> {
  const { scenario } = pod.namespace;
  await scenario.judgeWait('no container starts on a dead volume', () =>
    scenario.eventually({
      condition: `a container of ${pod.name} waits with a reason that contains "${reason}"`,
      read: async () => (await pod.read()).status?.containerStatuses?.[0]?.state,
      until: (state) => `${state?.waiting?.reason} ${state?.waiting?.message}`.includes(reason),
      format: (state) => JSON.stringify(state ?? {}),
    }),
  );
}

/** Watches a pod whose daemon is down: it must wait, and neither the dead mount nor an empty directory may be given to it. */
async function judgeWaiting({ scenario, session }: RekindleWorld, pod: ScenarioPod): Promise<void> {
  await untilStartIsRefused(pod, 'ContainerCreating');
  await scenario.watchFor(scenario.watchMs);
  const { metadata } = await pod.read();
  const lines = await session.cluster.mountTable();
  const mounted = lines.filter((line) => line.includes(`/pods/${metadata?.uid}/volumes/kubernetes.io~csi/`));
  const finding =
    mounted.length > 0
      ? fail(`while its daemon was down ${pod.name} was given ${mounted.join('; ')}`)
      : pass(`for ${scenario.watchMs / 1000} s nothing was mounted for ${pod.name}`);
  scenario.judge(
    recordCheck({ name: 'nothing is mounted for a new pod while its daemon is down', claims: ['L4'] }, finding),
  );
}

/** Judges when and on which mount the pod's container is started after the last fault. */
async function judgeStart(world: RekindleWorld): Promise<void> {
  const { pod, dataset, session, scenario } = world;
  const fault = scenario.lastFault;
  await pod.observe(dataset);
  const { namespace, pod: name, container } = pod.container;
  const lines = await pod.mountTable();
  const where = `${namespace}/${name}/${container}`;
  session.onEvent({ kind: 'snapshot', at: monotonicNow(), where, label: 'started', lines });
  scenario.judge(startsAfterDaemon(scenario.timeline, { ...world.subject, fault }));
}
