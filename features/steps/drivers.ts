import { dirname } from 'node:path';
import { Given, Then, When } from '@cucumber/cucumber';
import type { RunningProgram } from '../../clusters/cluster.ts';
import { keepsAcknowledgedWrites } from '../../src/checks/acknowledged-writes.ts';
import { seesNoOtherError } from '../../src/checks/outage.ts';
import { isNotRestarted } from '../../src/checks/pod-lifecycle.ts';
import { readsAgain, readsNoWrongData, seesNoEmptyDirectory, waitsWithinBudget } from '../../src/checks/reads.ts';
import { staysBroken } from '../../src/checks/untouched.ts';
import { endsOutageInTime } from '../../src/checks/within-budget.ts';
import { agentKill } from '../../src/faults/agent.ts';
import { podDeleteWhileDead } from '../../src/faults/application.ts';
import { sigkill } from '../../src/faults/daemon.ts';
import type { Fault } from '../../src/faults/fault.ts';
import type { Dataset } from '../../src/scenario/dataset.ts';
import { documentedFiles } from '../../src/scenario/manifests.ts';
import type { ScenarioPod } from '../../src/scenario/pod.ts';
import { untilPodFails, untilPodReads } from '../../src/scenario/pod-reads.ts';
import { containerOf } from '../../src/scenario/pod-state.ts';
import { killProcess, startWithVolume, untilRestarted } from '../../src/scenario/profile-volume.ts';
import { ignorePollTimeout } from '../../src/scenario/scenario.ts';
import type { RekindleWorld } from '../support/world.ts';

const volumeName = 'demo-volume';
/** Name of the program that writes, in `output` events. */
const writer = 'writer in the pod';
const writtenDirectory = '/data/acknowledged';
const fewestWrites = 5;
const writers = new WeakMap<RekindleWorld, RunningProgram>();

Given('pod {string} reads a volume of the profile at \\/data', async function (this: RekindleWorld, pod: string) {
  await startWithVolume(this.scenario, () => this.start(pod, volumeName, { labelled: true }));
  // What the profile describes must be there before anything is broken.
  await this.pod.daemon.container();
});

Given(
  'pod {string} without mount propagation reads a volume of the profile at \\/data',
  async function (this: RekindleWorld, pod: string) {
    await startWithVolume(this.scenario, () => this.start(pod, volumeName, { labelled: true, propagation: 'None' }));
    await this.pod.daemon.container();
  },
);

When('the FUSE process of the volume is killed', async function (this: RekindleWorld) {
  await killProcess(this.pod, () => this.pod.daemon.inject(sigkill));
});

When('the node plugin is killed', async function (this: RekindleWorld) {
  await injectBeside(this, agentKill);
});

When('the pod is deleted', async function (this: RekindleWorld) {
  await injectBeside(this, podDeleteWhileDead);
});

Given(
  'pod {string} reads the directory {string} of a volume of the profile at \\/data',
  async function (this: RekindleWorld, name: string, directory: string) {
    const inDirectory = Object.entries(documentedFiles).map(([file, bytes]) => [`${directory}/${file}`, bytes]);
    await this.create(volumeName, { files: Object.fromEntries(inDirectory), directories: [directory] });
    this.pod = this.namespace.pod(name);
    await startWithVolume(this.scenario, () => startOnDirectory(this.pod, this.dataset, directory));
    await this.pod.daemon.container();
  },
);

Given('a program in the pod that writes files, and calls fsync for each', async function (this: RekindleWorld) {
  const { pod, scenario } = this;
  writers.set(this, await pod.runProgram({ program: 'durableWriter', args: [writtenDirectory], name: writer }));
  await scenario.eventually({
    condition: `fsync has acknowledged ${fewestWrites} files`,
    read: () => scenario.timeline.ofKind('output').filter(({ program }) => program === writer).length,
    until: (count) => count >= fewestWrites,
    format: String,
  });
});

Then('the pod stays broken', staysBrokenAsPromised);

Then('a new pod {string} of the volume reads the same files', async function (this: RekindleWorld, name: string) {
  const pod = this.namespace.pod(name);
  await this.scenario.judgeWait('a new pod reads', () => pod.start(this.dataset, { labelled: true }));
});

Then('a new pod {string} reads the same directory', async function (this: RekindleWorld, name: string) {
  const pod = this.namespace.pod(name);
  const [file = ''] = Object.keys(this.dataset.files);
  await this.scenario.judgeWait('a new pod reads', () => startOnDirectory(pod, this.dataset, dirname(file)));
});

Then(
  'a new pod {string} of the volume reads every file that was acknowledged, and none was written beneath the mount',
  async function (this: RekindleWorld, name: string) {
    await writers.get(this)?.[Symbol.asyncDispose]();
    const pod = this.namespace.pod(name);
    await this.scenario.judgeWait('a new pod reads', () => pod.start(this.dataset, { labelled: true }));
    const { stdout } = await pod.exec([
      'sh',
      '-c',
      `cd ${writtenDirectory} && for f in *; do echo "$f $(cat "$f")"; done`,
    ]);
    const pairs = stdout.split('\n').map((line) => line.split(' '));
    const found = pairs.flatMap(([file = '', content]) => (file === content ? [file] : []));
    this.scenario.judge(keepsAcknowledgedWrites(this.timeline, { writer, found }));
  },
);

Then('the pod reads its volume again within the budget, and was not restarted', readsAgainAsPromised);

Then('no operation fails, and none waits longer than the budget', waitsAsPromised);

Then('the pod sees what the class of the profile promises', async function (this: RekindleWorld) {
  switch (this.session.profile.promises.class) {
    case 'publish':
    case 'none':
      return staysBrokenAsPromised.call(this);
    case 'descriptor':
    case 'automount':
      return waitsAsPromised.call(this);
    default:
      return readsAgainAsPromised.call(this);
  }
});

async function staysBrokenAsPromised(this: RekindleWorld): Promise<void> {
  const { pod, scenario, session } = this;
  await untilPodFails(pod);
  // A driver that mounts again for new pods could do so for this one from then on.
  await untilRestarted(pod);
  await scenario.watch();
  const { watchMs } = scenario;
  scenario.judge(staysBroken(this.timeline, { consumer: pod.consumer, watchMs, kernel: session.cluster.kernel }));
}

async function readsAgainAsPromised(this: RekindleWorld): Promise<void> {
  const { pod, scenario, session } = this;
  const { consumer, before } = pod;
  await untilPodFails(pod);
  const { budgets } = session.profile;
  await untilPodReads(pod, session.history.now(), budgets.outageMs).catch(ignorePollTimeout);
  const status = containerOf(await pod.read(), consumer.container);
  const after = { containerId: status?.containerID ?? '', restartCount: status?.restartCount ?? 0 };
  const { timeline } = this;
  scenario.judge(
    readsAgain(timeline, consumer),
    endsOutageInTime(timeline, { consumer, outageMs: budgets.outageMs }),
    isNotRestarted(timeline, { consumer, before, after }),
    seesNoEmptyDirectory(timeline, consumer, session.cluster.probeReadsOnly !== true),
    readsNoWrongData(timeline, consumer),
    seesNoOtherError(timeline, consumer, session.cluster.kernel),
  );
}

async function waitsAsPromised(this: RekindleWorld): Promise<void> {
  const { pod, scenario, session } = this;
  const { budgets, promises } = session.profile;
  const stallMs = promises.class === 'descriptor' ? budgets.stallMs : budgets.outageMs;
  // Reads from before the fault, or from the kernel's cache, prove nothing.
  await untilPodReads(pod, undefined, stallMs).catch(ignorePollTimeout);
  await scenario.watch();
  scenario.judge(waitsWithinBudget(this.timeline, { consumer: pod.consumer, stallMs }));
}

async function startOnDirectory(pod: ScenarioPod, dataset: Dataset, directory: string): Promise<void> {
  await pod.create(dataset, { labelled: true, subPath: directory });
  await pod.observe(dataset, { files: documentedFiles });
}

/** Injects a fault that does not concern the FUSE process, which may have ended. */
async function injectBeside({ pod, scenario }: RekindleWorld, fault: Fault): Promise<void> {
  const { container } = pod;
  const { agentOptions: agent } = scenario;
  await scenario.faults.inject(fault, {
    daemon: container,
    otherDaemons: [],
    application: container,
    agent,
    store: undefined,
  });
}
