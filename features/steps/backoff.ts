import { Then, When } from '@cucumber/cucumber';
import { growsAsPredicted } from '../../src/checks/backoff-as-predicted.ts';
import { sigkill } from '../../src/faults/sigkill.ts';
import { CrashLoop } from '../../src/scenario/crash-loop.ts';
import type { RekindleWorld } from '../support/world.ts';

const loops = new WeakMap<RekindleWorld, CrashLoop>();

function loopOf(world: RekindleWorld): CrashLoop {
  const loop =
    loops.get(world) ?? new CrashLoop(world.trial, { fault: sigkill, dataset: world.dataset, pod: world.pod });
  loops.set(world, loop);
  return loop;
}

When(
  'the FUSE daemon crashes {int} times, each time as soon as the pod reads again',
  async function (this: RekindleWorld, times: number) {
    for (let crash = 0; crash < times; crash++) await loopOf(this).crash();
  },
);

When('it then runs for longer than the kubelet remembers', async function (this: RekindleWorld) {
  await loopOf(this).runsLong();
});

Then("each delay was predicted from the kubelet's source", async function (this: RekindleWorld) {
  await this.trial.readsAfterRecovery(this.pod);
  this.trial.judge(growsAsPredicted(loopOf(this).rows(), { shows: ['first', 'doubled'] }));
});

Then(
  "each delay was predicted from the kubelet's source, up to its cap and after its reset",
  async function (this: RekindleWorld) {
    await this.trial.readsAfterRecovery(this.pod);
    this.trial.judge(growsAsPredicted(loopOf(this).rows(), { shows: ['capped', 'reset'] }));
  },
);
