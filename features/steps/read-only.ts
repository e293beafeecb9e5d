import { Given, Then, When } from '@cucumber/cucumber';
import { monotonicNow } from '../../recovery/clock.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { keepsMemorySteady } from '../../src/checks/agent-process.ts';
import { nothingIsWritten } from '../../src/checks/nothing-written.ts';
import { isReadOnlyEverywhere } from '../../src/checks/read-only.ts';
import { podDelete } from '../../src/faults/daemon.ts';
import { documentedFiles } from '../../src/scenario/manifests.ts';
import { untilPodRecovers } from '../../src/scenario/pod-reads.ts';
import type { RekindleWorld } from '../support/world.ts';

/** Crashes between two samples of the agent's memory; by the first sample it has loaded all that it needs. */
const crashesPerSample = 25;
const memorySamples = new WeakMap<RekindleWorld, number[]>();

/** Names of the observers in `output` events. */
const podWriter = 'writer in the pod';
const nodeWriter = 'writer on the node';
const attributeReader = 'attributes of all mounts';

Given(
  'FUSE recovery is enabled, but off for all while there is a read-write dataset',
  async function (this: RekindleWorld) {
    await this.scenario.restartAgent({ fuseRecovery: true, readWriteScope: 'cluster' });
  },
);

Given('FUSE recovery is enabled, but off for read-write datasets', async function (this: RekindleWorld) {
  await this.scenario.restartAgent({ fuseRecovery: true, readWriteScope: 'volume' });
});

Given(
  'writers that try to change the dataset all the time, in the pod and on the node',
  async function (this: RekindleWorld) {
    const [file = ''] = Object.keys(documentedFiles);
    const table = await this.session.cluster.mountTable();
    const suffix = `/kubernetes.io~csi/${this.dataset.volume}/mount`;
    const target = parseMountinfo(table.join('\n')).find(({ mountPoint }) => mountPoint.endsWith(suffix))?.mountPoint;
    if (target === undefined) throw new Error(`nothing is mounted at ...${suffix} on the node`);
    await this.pod.runProgram({ program: 'writer', args: [this.pod.consumer.path, file], name: podWriter });
    await this.scenario.runProgram({ program: 'writer', args: [target, file], name: nodeWriter });
    await this.scenario.runProgram({ program: 'mountAttributes', args: [], name: attributeReader });
    await untilObserversReport(this, 0);
  },
);

When(
  'the FUSE pod is replaced {int} times, each time after the pod read again',
  // A thousand times take half an hour on a busy machine.
  { timeout: 7_200_000 },
  async function (this: RekindleWorld, times: number) {
    const samples: number[] = [];
    memorySamples.set(this, samples);
    for (let crash = 0; crash < times; crash++) {
      if (crash > 0) await untilPodRecovers(this.pod);
      if (crash > 0 && crash % crashesPerSample === 0) {
        const { anonymousBytes } = await this.session.cluster.agentUsage();
        samples.push(anonymousBytes);
        const text = `the agent holds ${anonymousBytes} bytes of its own after ${crash} crashes`;
        this.session.onEvent({ kind: 'note', at: monotonicNow(), text });
      }
      await this.dataset.daemon.inject(podDelete);
    }
  },
);

Then('not one write got through, to the pod, the node or the daemon', async function (this: RekindleWorld) {
  await untilObserversReport(this, this.session.history.now());
  this.scenario.judge(nothingIsWritten(this.timeline, { writers: [podWriter, nodeWriter] }));
});

Then('every mount of the dataset was read-only in every namespace', async function (this: RekindleWorld) {
  await untilObserversReport(this, this.session.history.now());
  this.scenario.judge(isReadOnlyEverywhere(this.timeline, { ...this.subject, program: attributeReader }));
});

Then("the agent's memory has not grown in {int} crashes", async function (this: RekindleWorld, crashes: number) {
  const { anonymousBytes } = await this.session.cluster.agentUsage();
  const samples = [...(memorySamples.get(this) ?? []), anonymousBytes];
  this.scenario.judge(keepsMemorySteady({ samples, crashes }));
});

/** Waits until each observer has reported after a moment. */
async function untilObserversReport({ scenario }: RekindleWorld, since: number): Promise<void> {
  for (const name of [podWriter, nodeWriter, attributeReader])
    await scenario.happens(
      `the ${name} reports`,
      (event) => event.kind === 'output' && event.program === name && event.at > since,
    );
}
