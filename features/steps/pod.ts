import { deepStrictEqual, match, ok } from 'node:assert/strict';
import { Given, Then } from '@cucumber/cucumber';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { loopListsAgain, startLoop } from '../../src/scenario/documented-loop.ts';
import * as judgements from '../../src/scenario/judgements.ts';
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

Then('the mount at \\/data in the pod is idmapped', async function (this: RekindleWorld) {
  const { target, path } = this.trial.application(this.pod);
  const lines = await this.trial.session.cluster.mountTable(target);
  const mount = parseMountinfo(lines.join('\n')).findLast(({ mountPoint }) => mountPoint === path);
  ok(mount?.options.includes('idmapped'), `the options are ${mount?.options.join()}`);
});

Given('the documented loop runs in the pod', async function (this: RekindleWorld) {
  await startLoop(this.trial, this.pod);
});

Then(
  '{string} is 1\\/1 Running with {int} restarts',
  async function (this: RekindleWorld, name: string, restarts: number) {
    const { phase, containerStatuses = [] } = (await this.trial.pod(name)).status ?? {};
    const seen = { phase, containers: containerStatuses.map(({ ready, restartCount }) => ({ ready, restartCount })) };
    deepStrictEqual(seen, { phase: 'Running', containers: [{ ready: true, restartCount: restarts }] });
  },
);

Then('the pod sees "Transport endpoint is not connected" and no other error', async function (this: RekindleWorld) {
  await this.trial.failsAfterCrash(this.pod);
  this.trial.judge(judgements.seesOutage(this.subject));
});

Then('the pod reads the same files again, and was not restarted', async function (this: RekindleWorld) {
  await this.trial.readsAfterRecovery(this.pod);
  this.trial.judge(...(await judgements.recovered(this.subject)));
});

Then("the time that it took is told by phase, within the profile's budget", function (this: RekindleWorld) {
  this.trial.judge(judgements.withinBudget(this.subject));
});

Then('the pod is not recovered, by the limit {string}', async function (this: RekindleWorld, claim: string) {
  await this.trial.staysBroken(this.pod, this.trial.watchMs);
  this.trial.judge(judgements.notRecovered(this.subject, { claims: [claim], scope: 'pod' }));
});

Then('nobody is recovered, by the limit {string}', async function (this: RekindleWorld, claim: string) {
  await this.trial.staysBroken(this.pod, this.trial.watchMs);
  this.trial.judge(judgements.notRecovered(this.subject, { claims: [claim], scope: 'everything' }));
});

Then('nothing is mounted for the pod and no event claims a recovery', async function (this: RekindleWorld) {
  await this.trial.watchFor(this.trial.watchMs);
  this.trial.judge(judgements.nothingWhileDown(this.subject));
});

Then('no mount of the dataset was ever writable', async function (this: RekindleWorld) {
  await this.trial.countMounts();
  this.trial.judge(judgements.readOnly(this.subject));
});

Then('writing to \\/data in the pod fails with {string}', async function (this: RekindleWorld, message: string) {
  const { stderr } = await this.trial.exec(this.pod, ['env', 'LC_ALL=C', 'touch', '/data/written']);
  match(stderr, new RegExp(message));
});

Then('the loop prints the documented transcript', async function (this: RekindleWorld) {
  await loopListsAgain(this.trial);
  this.trial.judge(judgements.documentedTranscript(this.subject));
});

Then('whatever claims a recovery is true', async function (this: RekindleWorld) {
  await this.trial.claimArrives(this.pod);
  this.trial.judge(judgements.truthful(this.subject));
});

Then('an event refuses the recovery because of {string}', async function (this: RekindleWorld, reason: string) {
  await this.trial.refusalArrives(reason);
});

Then('the mount tables have not grown', async function (this: RekindleWorld) {
  await this.trial.countMounts();
  this.trial.judge(judgements.steadyMounts(this.subject, this.otherPods.length));
});
