import { Given, Then, When } from '@cucumber/cucumber';
import type { RekindleWorld } from '../support/world.ts';

Given('FUSE recovery is enabled', async function (this: RekindleWorld) {
  await this.trial.setGate(true);
});

Given('FUSE recovery is disabled, as it is by default', async function (this: RekindleWorld) {
  await this.trial.setGate(false);
});

When('the documented command turns the gate on', () => 'pending');
Then('the documented command shows {string}', (_line: string) => 'pending');
