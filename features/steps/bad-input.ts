import { type DataTable, Given, Then, When } from '@cucumber/cucumber';
import { agentRunsOn } from '../../src/checks/agent-runs-on.ts';
import { sigkill } from '../../src/faults/sigkill.ts';
import {
  type CollidingTenant,
  collisionIsRefused,
  createCollidingTenant,
  givesNothing,
} from '../../src/scenario/colliding-tenant.ts';
import { parseFlaw } from '../../src/scenario/flaw.ts';
import { hostileVolumesAreRefused, parseHostileVolume } from '../../src/scenario/hostile-volume.ts';
import { refusedByTheApi } from '../../src/scenario/refused-by-the-api.ts';
import { innerPath, readsDatasetBelow } from '../../src/scenario/volume-below.ts';
import type { RekindleWorld } from '../support/world.ts';

const large = { 'example.com/large': 'x'.repeat(64 * 1024) };
/** Blank, tab, newline and backslash, as `seq_escape` of the kernel writes them, and `#`, which it escapes in sources. */
const oddPath = '/da ta/\t#tab/\nline/back\\slash';

const tenants = new WeakMap<RekindleWorld, CollidingTenant>();

function tenantOf(world: RekindleWorld): CollidingTenant {
  const tenant = tenants.get(world);
  if (!tenant) throw new Error('there is no other tenant in this scenario');
  return tenant;
}

Given('the dataset {string} with an annotation of 64 KB', async function (this: RekindleWorld, name: string) {
  await this.create(name, { annotations: large });
});

Given(
  'pod {string} with an annotation of 64 KB reads {string} at a path with every character that mountinfo escapes',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await this.start(pod, dataset, { labelled: true, annotations: large, mountPath: oddPath });
  },
);

Given(
  'pod {string} reads {string} at \\/data and {string} at \\/data\\/cache',
  async function (this: RekindleWorld, pod: string, dataset: string, claim: string) {
    await this.start(pod, dataset, { labelled: true, below: { mountPath: innerPath, medium: { claim } } });
    await readsDatasetBelow(this.trial, { pod, dataset: claim });
  },
);

When(
  "another tenant has a dataset whose volume would have the name of {string}'s",
  async function (this: RekindleWorld, dataset: string) {
    tenants.set(this, await createCollidingTenant(this.trial, dataset));
  },
);

When('the FUSE daemon of {string} is killed', async function (this: RekindleWorld, dataset: string) {
  await this.trial.crash(sigkill, dataset);
});

Then(
  'the API server refuses each of these with the name of its field:',
  async function (this: RekindleWorld, table: DataTable) {
    this.trial.judge(await refusedByTheApi(this.trial, table.hashes().map(parseFlaw)));
  },
);

Then(
  'pods of volumes that were made by hand wait, each with an event that says why:',
  async function (this: RekindleWorld, table: DataTable) {
    this.trial.judge(await hostileVolumesAreRefused(this.trial, table.hashes().map(parseHostileVolume)));
  },
);

Then('that dataset is refused with a sentence that names the volume', async function (this: RekindleWorld) {
  await collisionIsRefused(tenantOf(this));
});

Then("the other tenant's pod was given nothing", async function (this: RekindleWorld) {
  this.trial.judge(await givesNothing(tenantOf(this)));
});

Then('at \\/data\\/cache it reads the files of {string}', async function (this: RekindleWorld, dataset: string) {
  await readsDatasetBelow(this.trial, { pod: this.pod, dataset });
});

Then('at \\/data the pod reads on', async function (this: RekindleWorld) {
  await this.trial.reads(this.pod);
});

Then('the node agent ran all the time', function (this: RekindleWorld) {
  this.trial.judge(agentRunsOn(this.trial.history));
});
