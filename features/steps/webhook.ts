import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { Given, Then, When } from '@cucumber/cucumber';
import { type Admitted, createAndListen } from '../../src/scenario/admission.ts';
import * as judgements from '../../src/scenario/judgements.ts';
import { application, applicationLabel, type Manifest } from '../../src/scenario/manifests.ts';
import { serverlessApplication } from '../../src/scenario/serverless.ts';
import * as subPath from '../../src/scenario/sub-path.ts';
import type { RekindleWorld } from '../support/world.ts';

/** What the API server said to the pod that a scenario tried to create last. */
const answers = new WeakMap<RekindleWorld, Admitted>();

/** Refusals that the agent had counted before the scenario's pod was given its label. */
const refusedBefore = new WeakMap<RekindleWorld, number>();

async function create(world: RekindleWorld, pod: Manifest): Promise<void> {
  const { cluster } = world.trial.session;
  answers.set(world, await createAndListen(cluster.kubeConfig, world.trial.namespace, pod));
}

Given(
  'the dataset {string} with a directory {string}',
  async function (this: RekindleWorld, dataset: string, directory: string) {
    await this.create(dataset, { directories: [directory] });
  },
);

Given(
  'the dataset {string}, in which {string} is a symbolic link to {string}',
  async function (this: RekindleWorld, dataset: string, name: string, to: string) {
    await this.create(dataset, { behaviour: { links: { [name]: to } } });
  },
);

Given(
  'pod {string} without the label reads directory {string} of {string} by {subPathKind}',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string, kind: subPath.SubPathKind) {
    Object.assign(this, { pod: name, dataset });
    await subPath.startOnDirectory(this.trial, { name, dataset, directory, kind, labelled: false });
  },
);

Given(
  'labelled pod {string} reads directory {string} of {string} by {subPathKind}',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string, kind: subPath.SubPathKind) {
    Object.assign(this, { pod: name, dataset });
    refusedBefore.set(this, await subPath.countRefusals(this.trial, 'sub-path'));
    await subPath.startOnDirectory(this.trial, { name, dataset, directory, kind, labelled: true });
  },
);

Given('pod {string} is given the label', async function (this: RekindleWorld, pod: string) {
  await this.trial.objects.labelPod(pod, { [applicationLabel]: 'true' });
  this.pod = pod;
  refusedBefore.set(this, await subPath.countRefusals(this.trial, 'sub-path'));
});

Given(
  'from its next FUSE pod on, {string} in {string} is a symbolic link to {string}',
  async function (this: RekindleWorld, name: string, dataset: string, to: string) {
    await this.trial.objects.annotateDataset(dataset, {
      'rekindle.dev/fuse-behaviour': JSON.stringify({ links: { [name]: to } }),
    });
  },
);

When(
  'a labelled pod {string} is created that mounts directory {string} of {string} by {subPathKind}',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string, kind: subPath.SubPathKind) {
    await create(this, subPath.subPathApplication({ name, dataset, directory, kind, labelled: true }));
  },
);

When(
  'a pod {string} without the label is created that mounts directory {string} of {string}',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string) {
    this.pod = name;
    const manifest = { name, dataset, directory, kind: 'subPath', labelled: false } as const;
    await this.trial.objects.create(subPath.subPathApplication(manifest));
  },
);

When(
  'a labelled pod {string} is created on {string}',
  async function (this: RekindleWorld, name: string, dataset: string) {
    await create(this, application({ name, dataset, labels: { [applicationLabel]: 'true' } }));
  },
);

When(
  'a serverless pod {string} with the annotation is created on {string}',
  async function (this: RekindleWorld, name: string, dataset: string) {
    await create(this, serverlessApplication(name, dataset, { recovers: true }));
  },
);

When(
  'a serverless pod {string} with the annotation is created that mounts directory {string} of {string}',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string) {
    const { metadata } = serverlessApplication(name, dataset, { recovers: true });
    const manifest = subPath.subPathApplication({ name, dataset, directory, kind: 'subPath', labelled: false });
    await create(this, { ...manifest, ...(metadata && { metadata }) });
  },
);

Then(
  /^it is denied with a sentence that names (init )?container "([^"]*)", volume "([^"]*)", (subPath|subPathExpr) and what to change$/,
  function (this: RekindleWorld, init: string | undefined, container: string, volume: string, field: string) {
    const { code, denied = '' } = answers.get(this) ?? { code: 0 };
    strictEqual(code, 403);
    const expected = [
      'admission webhook "',
      '" denied the request: ',
      `${init ?? ''}container "${container}" mounts ${field} "`,
      `of volume "${volume}"`,
      'mount the whole volume',
    ];
    deepStrictEqual(
      expected.filter((part) => !denied.includes(part)),
      [],
      denied,
    );
  },
);

Then('it is not created, because of {string}', function (this: RekindleWorld, why: string) {
  const { code, denied = '' } = answers.get(this) ?? { code: 0 };
  ok(code >= 400 && denied.includes(why), `${code} ${denied}`);
});

Then('it is created with a warning that names {string}', function (this: RekindleWorld, word: string) {
  const { code, warnings = [] } = answers.get(this) ?? { code: 0 };
  strictEqual(code, 201);
  ok(
    warnings.some((warning) => warning.includes(word)),
    `the warnings: ${warnings.join('; ') || 'none'}`,
  );
});

Then(
  'pod {string} is not recovered, by the limit {string}',
  async function (this: RekindleWorld, pod: string, claim: string) {
    this.pod = pod;
    await this.trial.staysBroken(pod, this.trial.watchMs);
    this.trial.judge(judgements.notRecovered(this.subject, { claims: [claim], scope: 'pod' }));
  },
);

Then("the agent's metrics count the refusal {string}", async function (this: RekindleWorld, reason: string) {
  await subPath.refusalIsCounted(this.trial, reason, refusedBefore.get(this) ?? 0);
});

Then('nothing of the node shows in the pod below \\/data', async function (this: RekindleWorld) {
  deepStrictEqual(await subPath.foreignMounts(this.trial, this.pod), []);
});
