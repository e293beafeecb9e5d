import { type DataTable, Given, Then, When } from '@cucumber/cucumber';
import * as table from '../../src/scenario/read-only-table.ts';
import type { RekindleWorld } from '../support/world.ts';

const waysOf = new WeakMap<RekindleWorld, readonly table.Way[]>();
const known = (world: RekindleWorld) => waysOf.get(world) ?? [];

Given('pods that mount datasets in each of these ways:', async function (this: RekindleWorld, rows: DataTable) {
  waysOf.set(this, rows.hashes().map(table.parseWay));
  await table.mountInEachWay(this.trial, known(this));
});

When('the FUSE daemons of all these datasets are killed from the node', async function (this: RekindleWorld) {
  await table.killAllDaemons(this.trial, known(this));
});

When('read-write datasets are recovered too, as a flag allows', async function (this: RekindleWorld) {
  await this.trial.setAgent({ readWriteScope: 'recover' });
});

Then(
  'each pod is recovered or left alone, and can write or not, as the table says',
  async function (this: RekindleWorld) {
    this.trial.judge(await table.endsAsTheTableSays(this.trial, known(this)));
  },
);

Then('all these pods read again, and none can write that could not before', async function (this: RekindleWorld) {
  this.trial.judge(await table.allReadAndNoneCanWriteMore(this.trial, known(this)));
});
