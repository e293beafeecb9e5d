import { Given, Then, When } from '@cucumber/cucumber';
import type { KeeperSettings } from '../../clusters/cluster.ts';
import { waitsWithinBudget } from '../../src/checks/reads.ts';
import { answersOnce, daemonsGoOn, fallsBackInTime, heldFileGoesOn, keeperEvent } from '../../src/checks/takeover.ts';
import { keeperKill } from '../../src/faults/agent.ts';
import { sigkill } from '../../src/faults/daemon.ts';
import { keeperSettings } from '../../src/profiles/load-profile.ts';
import { takeoverAnnotation } from '../../src/scenario/manifests.ts';
import type { RekindleWorld } from '../support/world.ts';

/** How late the pod may see the end of a connection: the kubelet starts a daemon meanwhile. */
const slackMs = 1_000;
/** An operation that is in flight for so long counts as lost, if not even the end of the scenario sees it return. */
const lostAfterMs = 3_500;

Given('FUSE takeover is enabled', async function (this: RekindleWorld) {
  await useKeeper(this, {});
});

Given(
  'FUSE takeover is enabled, and the keeper waits {duration} for a daemon',
  async function (this: RekindleWorld, ms: number) {
    await useKeeper(this, { deadline: `${ms}ms` });
  },
);

Given('FUSE takeover is enabled on a kernel that cannot send requests again', async function (this: RekindleWorld) {
  await useKeeper(this, { fault: 'kernel-without-resend' });
});

Given('the dataset {string}, whose daemon can be continued', async function (this: RekindleWorld, name: string) {
  await this.create(name, { annotations: takeover });
});

Given(
  'the dataset {string}, whose daemon can be continued and loses reads',
  async function (this: RekindleWorld, name: string) {
    await this.create(name, { annotations: takeover, behaviour: { onUsr2: { hang: ['read'] } } });
  },
);

Given('the keeper has the connection', async function (this: RekindleWorld) {
  await this.scenario.happens('the keeper has the connection', (event) => keeperEvent(event) === 'kept');
});

When(
  'the FUSE daemon is killed from the node {int} times, each time after the last one was taken over',
  async function (this: RekindleWorld, times: number) {
    for (let kill = 1; kill <= times; kill++) {
      await this.dataset.daemon.inject(sigkill);
      await untilTakenOver(this, kill);
    }
  },
);

When('the FUSE daemon is killed, and its successor is killed as soon as it runs', async function (this: RekindleWorld) {
  await this.dataset.daemon.inject(sigkill);
  const handed = (kill: number) => this.history.filter((event) => keeperEvent(event) === 'handed-over').length >= kill;
  await this.scenario.happens('the connection is handed over', () => handed(1));
  await this.dataset.daemon.inject(sigkill);
  await untilTakenOver(this, 1, 'served');
});

/** So that the daemon has a request when it is killed. */
When('an operation of the pod hangs', async function (this: RekindleWorld) {
  await this.scenario.happens('an operation of the pod hangs', ({ kind }) => kind === 'hang');
});

When('keeper and FUSE daemon are killed at once', async function (this: RekindleWorld) {
  await Promise.all([this.dataset.daemon.inject(sigkill), this.dataset.daemon.inject(keeperKill)]);
});

When('the keeper is replaced, and the FUSE daemon is killed afterwards', async function (this: RekindleWorld) {
  const before = this.history.filter((event) => keeperEvent(event) === 'kept').length;
  await this.dataset.daemon.inject(keeperKill);
  await this.scenario.happens(
    'the new keeper has the connection',
    () => this.history.filter((event) => keeperEvent(event) === 'kept').length > before,
  );
  await this.dataset.daemon.inject(sigkill);
  await untilTakenOver(this, 1);
});

Then('no operation fails, and none waits longer than the profile allows', async function (this: RekindleWorld) {
  const { stallMs } = this.session.profile.budgets;
  await untilTakenOver(this, 1);
  await this.scenario.watchFor(lostAfterMs);
  this.scenario.judge(
    waitsWithinBudget(this.timeline, { consumer: this.pod.consumer, stallMs }),
    answersOnce(this.timeline),
    daemonsGoOn(this.timeline),
  );
});

Then('the file that it holds open is read on', async function (this: RekindleWorld) {
  const program = `held file in ${this.pod.name}`;
  const since = this.session.history.now();
  await this.scenario.eventually({
    condition: 'the held file is tried again',
    read: () =>
      this.history.filter((event) => event.kind === 'output' && event.program === program && event.at > since),
    until: ({ length }) => length >= 5,
    format: ({ length }) => `${length} reads`,
  });
  this.scenario.judge(heldFileGoesOn(this.timeline, { program }));
});

Then('waiting ends after {duration}', async function (this: RekindleWorld, deadlineMs: number) {
  await this.scenario.happens('the keeper gives up', (event) => keeperEvent(event) === 'given-up');
  await this.scenario.watchFor(slackMs);
  this.scenario.judge(fallsBackInTime(this.timeline, { consumer: this.pod.consumer, deadlineMs, slackMs }));
});

Then('the keeper refuses it in a sentence that names {string}', async function (this: RekindleWorld, text: string) {
  await this.scenario.happens(
    `the keeper refuses with "${text}"`,
    (event) => event.kind === 'output' && keeperEvent(event) === 'refused' && event.text.includes(text),
  );
});

const takeover = { [takeoverAnnotation]: 'true' };

async function useKeeper({ scenario }: RekindleWorld, keeper: KeeperSettings): Promise<void> {
  await scenario.restartAgent({ fuseRecovery: true, keeper: keeperSettings(scenario.session.profile, keeper) });
}

async function untilTakenOver(world: RekindleWorld, times: number, event = 'served'): Promise<void> {
  await world.scenario.happens(
    'the connection is taken over',
    () => world.history.filter((each) => keeperEvent(each) === event).length >= times,
  );
}
