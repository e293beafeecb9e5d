import { Given, Then, When } from '@cucumber/cucumber';
import { seesNoOtherError } from '../../src/checks/outage.ts';
import { isNotRestarted } from '../../src/checks/pod-lifecycle.ts';
import { readsAgain, readsNoWrongData, seesNoEmptyDirectory, waitsWithinBudget } from '../../src/checks/reads.ts';
import { staysBroken } from '../../src/checks/untouched.ts';
import { endsOutageInTime } from '../../src/checks/within-budget.ts';
import { agentKill } from '../../src/faults/agent.ts';
import { podDeleteWhileDead } from '../../src/faults/application.ts';
import { sigkill } from '../../src/faults/daemon.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { untilPodFails, untilPodReads } from '../../src/scenario/pod-reads.ts';
import { containerOf } from '../../src/scenario/pod-state.ts';
import { ignorePollTimeout } from '../../src/scenario/scenario.ts';
import type { RekindleWorld } from '../support/world.ts';

const volumeName = 'demo-volume';

Given('pod {string} reads a volume of the profile at \\/data', async function (this: RekindleWorld, pod: string) {
  await this.start(pod, volumeName, { labelled: true });
  // What the profile describes must be there before anything is broken.
  await this.pod.daemon.container();
});

Given(
  'pod {string} without mount propagation reads a volume of the profile at \\/data',
  async function (this: RekindleWorld, pod: string) {
    await this.start(pod, volumeName, { labelled: true, propagation: 'None' });
    await this.pod.daemon.container();
  },
);

When('the FUSE process of the volume is killed', async function (this: RekindleWorld) {
  await this.pod.daemon.inject(sigkill);
});

When('the node plugin is killed', async function (this: RekindleWorld) {
  await injectBeside(this, agentKill);
});

When('the pod is deleted', async function (this: RekindleWorld) {
  await injectBeside(this, podDeleteWhileDead);
});

Then('the pod stays broken', async function (this: RekindleWorld) {
  const { pod, scenario, session } = this;
  await untilPodFails(pod);
  // A driver that mounts again for new pods could do so for this one from then on.
  if (session.profile.restartedBy !== 'nobody') await pod.daemon.container();
  await scenario.watch();
  const { watchMs } = scenario;
  scenario.judge(staysBroken(this.timeline, { consumer: pod.consumer, watchMs, kernel: session.cluster.kernel }));
});

Then('a new pod {string} of the volume reads the same files', async function (this: RekindleWorld, name: string) {
  const pod = this.namespace.pod(name);
  await this.scenario.judgeWait('a new pod reads', () => pod.start(this.dataset, { labelled: true }));
});

Then('the pod reads its volume again within the budget, and was not restarted', async function (this: RekindleWorld) {
  const { pod, scenario, session } = this;
  const { consumer, before } = pod;
  await untilPodFails(pod);
  await untilPodReads(pod, this.session.history.now()).catch(ignorePollTimeout);
  const status = containerOf(await pod.read(), consumer.container);
  const after = { containerId: status?.containerID ?? '', restartCount: status?.restartCount ?? 0 };
  const { timeline } = this;
  scenario.judge(
    readsAgain(timeline, consumer),
    endsOutageInTime(timeline, { consumer, outageMs: session.profile.budgets.outageMs }),
    isNotRestarted(timeline, { consumer, before, after }),
    seesNoEmptyDirectory(timeline, consumer, session.cluster.probeReadsOnly !== true),
    readsNoWrongData(timeline, consumer),
    seesNoOtherError(timeline, consumer, session.cluster.kernel),
  );
});

Then('no operation fails, and none waits longer than the budget', async function (this: RekindleWorld) {
  const { pod, scenario, session } = this;
  const stallMs = session.profile.budgets.outageMs;
  // Reads from before the fault, or from the kernel's cache, prove nothing.
  await untilPodReads(pod).catch(ignorePollTimeout);
  await scenario.watch();
  scenario.judge(
    waitsWithinBudget(this.timeline, { consumer: pod.consumer, stallMs }),
    readsNoWrongData(this.timeline, pod.consumer),
  );
});

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
