import { Given, Then, When } from '@cucumber/cucumber';
import { type Installation, requireMember } from '../../clusters/cluster.ts';
import { fail, pass, recordCheck } from '../../src/checks/check.ts';
import { recoversWithinBudget } from '../../src/checks/within-budget.ts';
import { sigkill } from '../../src/faults/daemon.ts';
import type { RekindleWorld } from '../support/world.ts';

When('the last release is deployed in place of this version', async function (this: RekindleWorld) {
  await install(this, 'last release');
});

When('this version is deployed in place of the last release', async function (this: RekindleWorld) {
  await install(this, 'this version');
});

When(
  'the FUSE daemon is killed while the last release is deployed in place of this version',
  async function (this: RekindleWorld) {
    const installed = install(this, 'last release');
    // Its image is built and loaded first, so the agent may still be the one before; the daemon is back before or after it.
    await this.dataset.daemon.inject(sigkill);
    await installed;
  },
);

Given(
  'the Helm chart is installed in place of the deployment, with FUSE recovery on',
  async function (this: RekindleWorld) {
    await install(this, 'chart');
  },
);

When('the pod is deleted, and the deployment is removed', async function (this: RekindleWorld) {
  await this.pod.delete();
  await install(this, 'nothing');
});

When('the pod is deleted, and the chart is uninstalled', async function (this: RekindleWorld) {
  await this.pod.delete();
  await install(this, 'nothing');
});

Then('it read within the budget once daemon and agent were ready', async function (this: RekindleWorld) {
  const { pod, scenario, session, timeline } = this;
  // The outage lasts as long as the installation takes.
  const budgets = { ...session.profile.budgets, outageMs: session.cluster.patienceMs };
  scenario.judge(recoversWithinBudget(timeline, { consumer: pod.consumer, budgets }));
});

Then('nothing is left of any version', async function (this: RekindleWorld) {
  const left = await installations(this).objects();
  const title = { name: 'a removed installation leaves no object', claims: [] };
  this.scenario.judge(
    recordCheck(title, left.length === 0 ? pass('no object with its label is there') : fail(left.join(', '))),
  );
});

const installations = ({ session }: RekindleWorld) => requireMember(session.cluster, 'installations');

/** At the end of the scenario this version is deployed again, and then gets the flags of the session. */
async function install(world: RekindleWorld, wanted: Installation): Promise<void> {
  const all = installations(world);
  world.scenario.agentWasChanged({});
  if (wanted !== 'this version') world.scenario.use({ [Symbol.asyncDispose]: () => all.install('this version') });
  await all.install(wanted);
}
