import { When } from '@cucumber/cucumber';
import { kill1, sigkill } from '../../src/faults/daemon.ts';
import { untilPodRecovers, untilRecoveryIsClaimed } from '../../src/scenario/pod-reads.ts';
import type { RekindleWorld } from '../support/world.ts';

When('the FUSE daemon dies and does not come back', async function (this: RekindleWorld) {
  await this.dataset.daemon.inject(sigkill, { staysDown: true });
});

When('the daemon is started again', async function (this: RekindleWorld) {
  await this.scenario.faults.allowRestarts();
});

When('that is over', async function (this: RekindleWorld) {
  await this.scenario.faults.heal();
});

When('the FUSE daemon of {string} is killed', async function (this: RekindleWorld, dataset: string) {
  await this.namespace.dataset(dataset).daemon.inject(sigkill);
});

When(
  '"kill 1" is run in the FUSE pod, which takes {duration} to start again',
  async function (this: RekindleWorld, ms: number) {
    await this.dataset.daemon.inject(kill1, { staysDown: true });
    await this.scenario.watchFor(ms);
    await this.scenario.faults.allowRestarts();
  },
);

When(
  'the FUSE daemon is killed from the node {int} times, each time after the pod read again',
  async function (this: RekindleWorld, times: number) {
    for (let crash = 0; crash < times; crash++) {
      if (crash > 0) {
        await untilPodRecovers(this.pod);
        await untilRecoveryIsClaimed(this.pod);
      }
      await this.dataset.daemon.inject(sigkill);
    }
  },
);
