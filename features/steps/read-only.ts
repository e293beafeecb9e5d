import { Given, Then, When } from '@cucumber/cucumber';
import { keepsMemorySteady } from '../../src/checks/memory-steady.ts';
import { podDelete } from '../../src/faults/pod-delete.ts';
import { everyMountIsReadOnly, letWritersLoose, noWriteGotThrough } from '../../src/scenario/writers.ts';
import type { RekindleWorld } from '../support/world.ts';

/** Every so many crashes the agent's memory is looked at; at the first look it has loaded all that it needs. */
const lookEvery = 25;
const memory = new WeakMap<RekindleWorld, number[]>();

Given(
  'FUSE recovery is enabled, but off for all while there is a read-write dataset',
  async function (this: RekindleWorld) {
    await this.trial.setAgent({ fuseRecovery: true, readWriteScope: 'cluster' });
  },
);

Given('FUSE recovery is enabled, but off for read-write datasets', async function (this: RekindleWorld) {
  await this.trial.setAgent({ fuseRecovery: true, readWriteScope: 'volume' });
});

Given(
  'writers that try to change the dataset all the time, in the pod and on the node',
  async function (this: RekindleWorld) {
    await letWritersLoose(this.subject);
  },
);

When(
  'the FUSE pod is replaced {int} times, each time after the pod read again',
  // A thousand times take half an hour on a busy machine.
  { timeout: 7_200_000 },
  async function (this: RekindleWorld, times: number) {
    const samples: number[] = [];
    memory.set(this, samples);
    for (let crash = 0; crash < times; crash++) {
      if (crash > 0) await this.trial.readsAfterRecovery(this.pod);
      if (crash > 0 && crash % lookEvery === 0) {
        const { anonymousBytes } = await this.session.cluster.agentUsage();
        samples.push(anonymousBytes);
        const text = `the agent holds ${anonymousBytes} bytes of its own after ${crash} crashes`;
        this.session.onEvent({ kind: 'note', at: Number(process.hrtime.bigint()), text });
      }
      await this.trial.crash(podDelete, this.dataset);
    }
  },
);

Then('not one write got through, to the pod, the node or the daemon', async function (this: RekindleWorld) {
  this.trial.judge(await noWriteGotThrough(this.subject));
});

Then('every mount of the dataset was read-only in every namespace', async function (this: RekindleWorld) {
  this.trial.judge(await everyMountIsReadOnly(this.subject));
});

Then("the agent's memory has not grown in {int} crashes", async function (this: RekindleWorld, crashes: number) {
  const { anonymousBytes } = await this.session.cluster.agentUsage();
  this.trial.judge(keepsMemorySteady({ samples: [...(memory.get(this) ?? []), anonymousBytes], crashes }));
});
