import { strict as assert } from 'node:assert';
import { Given, Then } from '@cucumber/cucumber';
import { requireMember } from '../../clusters/cluster.ts';
import type { RekindleWorld } from '../support/world.ts';

Given('the neighbours of the node are in place', unharmed);

Then('the neighbours of the node are as they were', unharmed);

async function unharmed(this: RekindleWorld): Promise<void> {
  const harmed = await requireMember(this.session.cluster, 'harmedNeighbours')();
  assert.deepEqual(harmed, [], 'mounts of other programs on the node were touched');
}
