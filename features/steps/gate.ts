import { strictEqual } from 'node:assert/strict';
import { Given, Then, When } from '@cucumber/cucumber';
import { generation, printed, showGate, turnOnAsDocumented } from '../../src/scenario/documented-gate.ts';
import type { RekindleWorld } from '../support/world.ts';

Given('FUSE recovery is enabled', async function (this: RekindleWorld) {
  await this.trial.setGate(true);
});

Given('FUSE recovery is disabled, as it is by default', async function (this: RekindleWorld) {
  await this.trial.setGate(false);
});

When(
  'the documented command turns the gate on, and prints {string}',
  async function (this: RekindleWorld, line: string) {
    strictEqual(await turnOnAsDocumented(this.trial), `${line}\n`);
  },
);

Then('run once more it changes nothing', async function (this: RekindleWorld) {
  const before = await generation(this.trial);
  await turnOnAsDocumented(this.trial);
  strictEqual(await generation(this.trial), before);
});

Then('the documented command shows {string}', async function (this: RekindleWorld, line: string) {
  strictEqual((await printed(this.trial, showGate)).trim(), line);
});
