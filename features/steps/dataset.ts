import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { Given, Then } from '@cucumber/cucumber';
import type { RekindleWorld } from '../support/world.ts';

Given('the dataset {string} of the document', async function (this: RekindleWorld, name: string) {
  this.dataset = name;
  await this.trial.createDataset(name);
});

Given('a read-write dataset {string}', async function (this: RekindleWorld, name: string) {
  this.dataset = name;
  await this.trial.createDataset(name, { accessModes: ['ReadWriteMany'] });
});

Then(
  'the Dataset is Bound, with the claim {string} on a volume named after namespace and Dataset',
  async function (this: RekindleWorld, claim: string) {
    deepStrictEqual(await this.trial.claimOf(claim), { phase: 'Bound', volume: this.volume });
  },
);

Then('it has {int} workers, as "replicas" asks for', async function (this: RekindleWorld, count: number) {
  strictEqual((await this.trial.workersOf(this.dataset)).length, count);
});
