import { type DataTable, Then } from '@cucumber/cucumber';
import { credentialsStayInTheSecret } from '../../src/run/secrecy.ts';
import { bucketIsThere } from '../../src/scenario/bucket.ts';
import { parseFlaw } from '../../src/scenario/flaw.ts';
import { refusedByName } from '../../src/scenario/refused-datasets.ts';
import type { RekindleWorld } from '../support/world.ts';

Then(
  'each of these is refused with the name of its field, by {string}:',
  async function (this: RekindleWorld, claim: string, table: DataTable) {
    this.trial.judge(await refusedByName(this.trial, { flaws: table.hashes().map(parseFlaw), claim }));
  },
);

Then(
  'no process of the node has the credentials in its arguments or environment',
  async function (this: RekindleWorld) {
    this.trial.judge(await credentialsStayInTheSecret(this.trial));
  },
);

Then(
  'object storage is enabled and the bucket exists, for those who have the key',
  async function (this: RekindleWorld) {
    this.trial.judge(await bucketIsThere(this.session.cluster));
  },
);
