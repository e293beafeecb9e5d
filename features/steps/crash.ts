import { When } from '@cucumber/cucumber';
import { kill1 } from '../../src/faults/kill-1.ts';
import { sigkill } from '../../src/faults/sigkill.ts';
import type { RekindleWorld } from '../support/world.ts';

When('the FUSE daemon is killed from the node', async function (this: RekindleWorld) {
  await this.trial.crash(sigkill, this.dataset);
});

When('the FUSE daemon dies and does not come back', async function (this: RekindleWorld) {
  await this.trial.crash(sigkill, this.dataset, { stays: true });
});

When('the daemon is started again', async function (this: RekindleWorld) {
  await this.trial.bringDaemonBack();
});

When(
  '"kill 1" is run in the FUSE pod, which takes {duration} to start again',
  async function (this: RekindleWorld, ms: number) {
    await this.trial.crash(kill1, this.dataset, { stays: true });
    await this.trial.watchFor(ms);
    await this.trial.bringDaemonBack();
  },
);

When(
  'the FUSE daemon is killed from the node {int} times, each time after the pod read again',
  async function (this: RekindleWorld, times: number) {
    for (let crash = 0; crash < times; crash++) {
      if (crash > 0) {
        await this.trial.readsAfterRecovery(this.pod);
        await this.trial.claimArrives(this.pod);
      }
      await this.trial.crash(sigkill, this.dataset);
    }
  },
);
