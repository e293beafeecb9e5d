import { deepStrictEqual, match, ok } from 'node:assert/strict';
import { Given, Then, When } from '@cucumber/cucumber';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { printsDocumentedTranscript } from '../../src/checks/documented-transcript.ts';
import { keepsMountTableSteady, showsOneFilesystem } from '../../src/checks/mount-tables.ts';
import { seesTheOutage } from '../../src/checks/outage.ts';
import { keepsItsDaemon } from '../../src/checks/pod-lifecycle.ts';
import { staysReadOnly } from '../../src/checks/read-only.ts';
import { seesNoError } from '../../src/checks/reads.ts';
import { claimsOnlyTrueSuccess } from '../../src/checks/truthful-success.ts';
import { claimsNothing, doesNothingWhileDown, explainsRefusal, isNotRecovered } from '../../src/checks/untouched.ts';
import { recoversWithinBudget } from '../../src/checks/within-budget.ts';
import { loopIn, startLoop, untilLoopListsAgain } from '../../src/scenario/documented-loop.ts';
import { applicationLabel, documentedFiles } from '../../src/scenario/manifests.ts';
import {
  readingChecks,
  recoveryChecks,
  untilNothingHangs,
  untilPodFails,
  untilPodReads,
  untilPodRecovers,
  untilRecoveryIsClaimed,
  watchUnrecovered,
} from '../../src/scenario/pod-reads.ts';
import { ignorePollTimeout } from '../../src/scenario/scenario.ts';
import type { RekindleWorld } from '../support/world.ts';

Given('pod {string} reads {string} at \\/data', async function (this: RekindleWorld, pod: string, dataset: string) {
  await this.start(pod, dataset, { labelled: true });
});

Given(
  'pod {string} without the label reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await this.start(pod, dataset, { labelled: false });
  },
);

Given(
  'pod {string} with the label set to {string} reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, labelValue: string, dataset: string) {
    await this.start(pod, dataset, { labelled: true, labelValue });
  },
);

Given(
  'pod {string}, which runs as user {int}, reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, user: number, dataset: string) {
    await this.start(pod, dataset, { labelled: true, user });
  },
);

Given(
  'pod {string} with "hostUsers: false" reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await this.start(pod, dataset, { labelled: true, ownUsers: true });
  },
);

Given(
  'pods {string} and {string} on different nodes read {string} at \\/data',
  async function (this: RekindleWorld, first: string, second: string, dataset: string) {
    for (const pod of [first, second]) await this.start(pod, dataset, { labelled: true, apart: true });
  },
);

Given('the documented loop runs in the pod', async function (this: RekindleWorld) {
  await startLoop(this.pod);
});

When('the pod is given the label', async function (this: RekindleWorld) {
  await this.pod.label({ [applicationLabel]: 'true' });
});

Then('the mount at \\/data in the pod is idmapped', async function (this: RekindleWorld) {
  const { path } = this.pod.consumer;
  const lines = await this.pod.mountTable();
  const mount = parseMountinfo(lines.join('\n')).findLast(({ mountPoint }) => mountPoint === path);
  ok(mount?.options.includes('idmapped'), `the options are ${mount?.options.join()}`);
});

Then(
  '{string} is 1\\/1 Running with {int} restarts',
  async function (this: RekindleWorld, name: string, restarts: number) {
    const { phase, containerStatuses = [] } = (await this.namespace.pod(name).read()).status ?? {};
    const seen = { phase, containers: containerStatuses.map(({ ready, restartCount }) => ({ ready, restartCount })) };
    deepStrictEqual(seen, { phase: 'Running', containers: [{ ready: true, restartCount: restarts }] });
  },
);

Then('the pod sees errors', async function (this: RekindleWorld) {
  await untilPodFails(this.pod);
});

Then('the pod sees "Transport endpoint is not connected" and no other error', async function (this: RekindleWorld) {
  await untilPodFails(this.pod);
  this.scenario.judge(seesTheOutage(this.timeline, this.pod.consumer, this.session.cluster.kernel));
});

Then('the pod reads the same files again, and was not restarted', async function (this: RekindleWorld) {
  await judgeRecovered(this);
});

Then(
  'pod {string} reads the files of {string} again, and was not restarted',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    this.focus(pod, dataset);
    await judgeRecovered(this);
  },
);

Then('the pod reads the same files again, from the same daemon', async function (this: RekindleWorld) {
  await untilPodReads(this.pod);
  this.scenario.judge(keepsItsDaemon(this.timeline), ...(await readingChecks(this.pod)));
});

Then('the pod reads on, and saw no error', async function (this: RekindleWorld) {
  await readsOn(this);
});

Then('pod {string} reads on, and saw no error', async function (this: RekindleWorld, pod: string) {
  this.pod = this.namespace.pod(pod);
  await readsOn(this);
});

Then("the outage is reported by phase, within the profile's budget", async function (this: RekindleWorld) {
  const { budgets } = this.session.profile;
  // If the machine stalls at this moment, an operation in progress would count as one that never returned.
  await untilNothingHangs(this.pod);
  this.scenario.judge(recoversWithinBudget(this.timeline, { consumer: this.pod.consumer, budgets }));
});

Then('the pod is not recovered', async function (this: RekindleWorld) {
  await judgeUnrecovered(this, 'pod');
});

Then('pod {string} is not recovered', async function (this: RekindleWorld, pod: string) {
  this.pod = this.namespace.pod(pod);
  await judgeUnrecovered(this, 'pod');
});

Then('nobody is recovered', async function (this: RekindleWorld) {
  await judgeUnrecovered(this, 'everything');
});

Then('nothing is mounted for the pod and no event claims a recovery', async function (this: RekindleWorld) {
  await this.scenario.watch();
  this.scenario.judge(doesNothingWhileDown(this.timeline, this.subject));
});

Then('no mount of the dataset was ever writable', async function (this: RekindleWorld) {
  await this.namespace.countMounts();
  this.scenario.judge(staysReadOnly(this.timeline, this.subject));
});

Then('writing to \\/data in the pod fails with {string}', async function (this: RekindleWorld, message: string) {
  const { stderr } = await this.pod.exec(['env', 'LC_ALL=C', 'touch', '/data/written']);
  match(stderr, new RegExp(message));
});

Then('the loop prints the documented transcript', async function (this: RekindleWorld) {
  await untilLoopListsAgain(this.scenario);
  const files = Object.keys(documentedFiles);
  this.scenario.judge(printsDocumentedTranscript(this.timeline, { program: loopIn(this.pod), files }));
});

Then('every claim of a recovery is true', async function (this: RekindleWorld) {
  await untilRecoveryIsClaimed(this.pod);
  this.scenario.judge(claimsOnlyTrueSuccess(this.timeline, this.pod.consumer));
});

Then('an event refuses the recovery because of {string}', async function (this: RekindleWorld, reason: string) {
  await untilRefused(this, reason);
});

Then('nothing claims a recovery, for the pod cannot read', async function (this: RekindleWorld) {
  await watchUnrecovered(this.pod);
  this.scenario.judge(claimsNothing(this.timeline, this.pod.consumer, this.scenario.watchMs));
});

Then('the mount tables have not grown', async function (this: RekindleWorld) {
  await this.namespace.countMounts();
  const consumers = this.namespace.observedPods.map(({ consumer }) => consumer);
  this.scenario.judge(
    keepsMountTableSteady(this.timeline, {
      consumers,
      pods: consumers.length + this.otherPods.length,
      before: 'before',
      after: 'after',
      mountsBeneath: this.session.cluster.capabilities.has('mount-beneath'),
    }),
  );
});

Then('both mounts of the pod show the same filesystem', async function (this: RekindleWorld) {
  // The next agent finishes the recovery, which takes as long as its start.
  const check = await this.scenario.eventually({
    condition: 'both mounts of the pod show the same filesystem',
    read: async () => {
      await this.namespace.countMounts();
      return showsOneFilesystem(this.timeline, this.subject);
    },
    until: ({ verdict }) => verdict === 'pass',
    format: ({ says }) => says,
  });
  this.scenario.judge(check);
});

async function readsOn({ pod, scenario }: RekindleWorld): Promise<void> {
  await scenario.judgeWait('the pod reads on', () => untilPodReads(pod));
  scenario.judge(seesNoError(scenario.timeline, pod.consumer));
}

/** The claims that name a case in which a pod is not recovered. */
const exceptions = ['L1', 'L2', 'L3', 'E1', 'A2', 'V2'];

async function judgeUnrecovered(world: RekindleWorld, scope: 'pod' | 'everything'): Promise<void> {
  await watchUnrecovered(world.pod);
  const claims = world.claims.filter((claim) => exceptions.includes(claim));
  const { watchMs } = world.scenario;
  world.scenario.judge(isNotRecovered(world.timeline, { ...world.subject, claims, scope, watchMs }));
}

async function judgeRecovered({ pod, scenario }: RekindleWorld): Promise<void> {
  await untilPodRecovers(pod).catch(ignorePollTimeout);
  scenario.judge(...(await recoveryChecks(pod)));
}

/** Waits for an event on the pod or its Dataset that refuses the recovery, and judges what it says. */
async function untilRefused({ scenario, pod, dataset, subject, claims }: RekindleWorld, reason: string): Promise<void> {
  if (!scenario.promisesExplanations('an event that refuses the recovery')) return;
  const own = claims.filter((claim) => exceptions.includes(claim));
  const expected = { ...subject, dataset: dataset.name, reason, claims: own };
  const objects = [`Pod ${pod.namespace.name}/${pod.name}`, `Dataset ${pod.namespace.name}/${dataset.name}`];
  await scenario
    .happens(
      `an event whose reason contains ${reason}`,
      (event) => event.kind === 'event' && event.reason.includes(reason) && objects.includes(event.object),
    )
    .catch(ignorePollTimeout);
  scenario.judge(explainsRefusal(scenario.timeline, expected));
}
