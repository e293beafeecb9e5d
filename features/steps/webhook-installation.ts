import { Given } from '@cucumber/cucumber';
import { withoutWebhook, withWebhookDown } from '../../src/scenario/webhook-registration.ts';
import type { RekindleWorld } from '../support/world.ts';

/** Disposing of it twice does no harm. */
const removed = new WeakMap<RekindleWorld, AsyncDisposable>();

Given('the webhook is not installed yet', async function (this: RekindleWorld) {
  const removal = await withoutWebhook(this.trial);
  removed.set(this, removal);
  this.trial.use(removal);
});

Given('the webhook is installed', async function (this: RekindleWorld) {
  await removed.get(this)?.[Symbol.asyncDispose]();
});

Given('the webhook does not answer', async function (this: RekindleWorld) {
  this.trial.use(await withWebhookDown(this.trial));
});
