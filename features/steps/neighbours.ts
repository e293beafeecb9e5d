import { strict as assert } from 'node:assert';
import { Then } from '@cucumber/cucumber';
import { requireMember } from '../../clusters/cluster.ts';
import type { RekindleWorld } from '../support/world.ts';

Then('the neighbours of the node are as they were', async function (this: RekindleWorld) {
  const harmed = await requireMember(this.session.cluster, 'harmedNeighbours')();
  assert.deepEqual(harmed, [], 'mounts of other programs on the node were touched');
});
