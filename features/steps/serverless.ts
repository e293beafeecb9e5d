import { deepStrictEqual, match, ok, strictEqual } from 'node:assert/strict';
import { Given, Then, When } from '@cucumber/cucumber';
import { kill1 } from '../../src/faults/kill-1.ts';
import { sigkill } from '../../src/faults/sigkill.ts';
import * as serverless from '../../src/scenario/serverless.ts';
import type { RekindleWorld } from '../support/world.ts';

Given('no node agent runs', async function (this: RekindleWorld) {
  await serverless.withoutAgent(this.trial);
});

Given(
  'pod {string} with the documented label and annotations of a serverless pod reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    Object.assign(this, { pod, dataset });
    const manifest = serverless.serverlessApplication(pod, dataset, { recovers: true });
    await serverless.startPod(this.trial, manifest, dataset);
  },
);

Given(
  'pod {string} with the documented label alone reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    Object.assign(this, { pod, dataset });
    const manifest = serverless.serverlessApplication(pod, dataset, { recovers: false });
    await serverless.startPod(this.trial, manifest, dataset);
  },
);

Given(
  'an ordinary pod {string} with the annotation of serverless pods reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    Object.assign(this, { pod, dataset });
    await serverless.startPod(this.trial, serverless.ordinaryWithAnnotation(pod, dataset), dataset);
  },
);

Given(
  'a serverless pod {string} on {string} whose container was started again after a crash of {string}',
  async function (this: RekindleWorld, pod: string, dataset: string, container: string) {
    Object.assign(this, { pod, dataset });
    await serverless.startRestarted(this.trial, { pod, dataset, container });
  },
);

When(
  '"kill 1" is run in the container {string}, which takes {duration} to start again',
  async function (this: RekindleWorld, container: string, holdMs: number) {
    await serverless.crashSidecar(this.trial, kill1, { pod: this.pod, container, holdMs });
  },
);

When('"kill 1" is run in the container {string}', async function (this: RekindleWorld, container: string) {
  await serverless.crashSidecar(this.trial, kill1, { pod: this.pod, container, holdMs: 0 });
});

When(
  'the sidecar {string} is killed {int} times, each time after the pod read again',
  async function (this: RekindleWorld, container: string, times: number) {
    for (let crash = 0; crash < times; crash++) {
      if (crash > 0) await this.trial.readsAfterRecovery(this.pod);
      await serverless.crashSidecar(this.trial, sigkill, { pod: this.pod, container, holdMs: 0 });
    }
  },
);

Then(
  '{string} is 2\\/2 Running with {int} restarts, and has a container {string}',
  async function (this: RekindleWorld, name: string, restarts: number, container: string) {
    const { containers, ...seen } = serverless.summaryOf(await this.trial.pod(name));
    deepStrictEqual(seen, { ready: '2/2', phase: 'Running', restarts });
    ok(containers.includes(container), `its containers are ${containers.join(', ')}`);
  },
);

Then(
  'the container {string} was started once {string} served the dataset, and no sooner',
  function (this: RekindleWorld, container: string, sidecar: string) {
    const { served, started } = serverless.beginningOf(this.trial, { pod: this.pod, container, sidecar });
    ok(
      served > 0 && started > served,
      `the sidecar served at ${served} ns, the container was started at ${started} ns`,
    );
  },
);

Then(
  'it is on a node labelled {string}, and uses no volume of a CSI driver',
  async function (this: RekindleWorld, label: string) {
    const { labels, claims } = await serverless.placeOf(this.trial, this.pod);
    match(labels.join(','), new RegExp(`(^|,)${label}(,|$)`));
    deepStrictEqual(claims, []);
  },
);

Then(
  'the pod reads the same files again, from the container as it was started last',
  async function (this: RekindleWorld) {
    await this.trial.readsAfterRecovery(this.pod);
    this.trial.judge(...serverless.judgeReading(this.subject));
  },
);

Then(
  'the container {string} was restarted {int} time(s)',
  async function (this: RekindleWorld, container: string, times: number) {
    strictEqual(await serverless.toldRestarts(this.trial, { pod: this.pod, container, times }), times);
  },
);

Then('at most {int} mounts stand at \\/data in the pod', async function (this: RekindleWorld, most: number) {
  this.trial.judge(await serverless.judgeLayers(this.subject, most));
});

Then('no mount at \\/data in the pod was ever writable', async function (this: RekindleWorld) {
  this.trial.judge(await serverless.judgeReadOnly(this.subject));
});
