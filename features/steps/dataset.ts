import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { type DataTable, Given, Then, When } from '@cucumber/cucumber';
import aws4 from 'aws4';
import type { RunningCluster } from '../../clusters/cluster.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { fail, pass, recordCheck } from '../../src/checks/check.ts';
import { isKeptOutOfNode, type NodeSearch } from '../../src/checks/secret-kept.ts';
import { formatDatasetStatus } from '../../src/scenario/dataset.ts';
import { type Flaw, formatFieldPath, formatFlawValue, insertFlaw, parseFlaw } from '../../src/scenario/flaw.ts';
import { dataset, type Manifest, secret } from '../../src/scenario/manifests.ts';
import type { Namespace } from '../../src/scenario/namespace.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import type { CheckRecord } from '../../src/timeline/record.ts';
import type { RekindleWorld } from '../support/world.ts';

Given('the dataset {string} of the document( is created)', async function (this: RekindleWorld, name: string) {
  await this.create(name);
});

Given('a read-write dataset {string}', async function (this: RekindleWorld, name: string) {
  await this.create(name, { accessModes: ['ReadWriteMany'] });
});

Then(
  'the Dataset is Bound, with the claim {string} on a volume named after namespace and Dataset',
  async function (this: RekindleWorld, name: string) {
    const { core, name: namespace } = this.namespace;
    const { spec, status } = await core.readNamespacedPersistentVolumeClaim({ name, namespace });
    deepStrictEqual(
      { phase: status?.phase, volume: spec?.volumeName },
      { phase: 'Bound', volume: this.dataset.volume },
    );
  },
);

Then('it has {int} workers, as "replicas" asks for', async function (this: RekindleWorld, count: number) {
  const workers = await this.namespace.listPods(`role=jindofs-worker,release=${this.dataset.name}`);
  strictEqual(workers.length, count);
});

/** The datasets that a scenario created with a flaw each. */
const flawedDatasets = new WeakMap<RekindleWorld, readonly FlawedDataset[]>();

When('datasets are created that each have one of these flaws:', async function (this: RekindleWorld, table: DataTable) {
  flawedDatasets.set(this, await createFlawed(this.namespace, table.hashes().map(parseFlaw)));
});

Then('each of them is refused with the name of its field', async function (this: RekindleWorld) {
  const datasets = flawedDatasets.get(this) ?? [];
  this.scenario.judge(await datasetsAreRefused(this.namespace, { datasets, claims: this.claims }));
});

Then('no other process and no file of the node has the credentials', async function (this: RekindleWorld) {
  this.scenario.judge(isKeptOutOfNode(await searchNode(this.scenario)));
});

Then(
  'object storage is enabled and the bucket exists, for those who have the key',
  async function (this: RekindleWorld) {
    this.scenario.judge(await bucketExists(this.session.cluster));
  },
);

interface FlawedDataset {
  readonly name: string;
  readonly flaw: Flaw;
  /** Of the API server itself, which validates by the custom resource's schema. */
  readonly refusal?: string;
}

async function createFlawed(namespace: Namespace, flaws: readonly Flaw[]): Promise<readonly FlawedDataset[]> {
  const { store } = namespace.scenario.session.cluster;
  await namespace.createObject(secret(store));
  const created: FlawedDataset[] = [];
  for (const [index, flaw] of flaws.entries()) {
    const name = `flawed-${index}`;
    const refusals: string[] = [];
    for (const manifest of dataset({ name, store, directory: name })) {
      const flawed = manifest.kind === flaw.kind ? insertFlaw(manifest, flaw) : manifest;
      refusals.push(...(await createOrRefuse(namespace, flawed)));
    }
    created.push({ name, flaw, ...(refusals[0] !== undefined && { refusal: refusals[0] }) });
  }
  return created;
}

async function datasetsAreRefused(
  namespace: Namespace,
  { datasets, claims }: { readonly datasets: readonly FlawedDataset[]; readonly claims: readonly string[] },
): Promise<CheckRecord> {
  const title = { name: 'what the document does not have is refused with the name of the field', claims };
  for (const { name, flaw, refusal } of datasets) {
    const field = formatFieldPath(flaw.path);
    const refused = () =>
      namespace.scenario.eventually({
        condition: `the dataset with ${field} ${formatFlawValue(flaw)} is refused`,
        read: () => namespace.datasetStatus(name),
        until: ({ phase }) => phase === 'Failed' || phase === 'Bound',
        format: formatDatasetStatus,
      });
    const message = refusal ?? (await refused()).message;
    if (!message.includes(field))
      return recordCheck(title, fail(`${field} ${formatFlawValue(flaw)} was answered with: ${message}`));
  }
  const fields = datasets.map(({ flaw }) => formatFieldPath(flaw.path));
  return recordCheck(title, pass(`${datasets.length} refusals, each with the field: ${fields.join(', ')}`));
}

/** Returns the API server's refusal, or nothing; throws other errors. */
async function createOrRefuse(namespace: Namespace, manifest: Manifest): Promise<readonly string[]> {
  return namespace.createObject(manifest).then(
    () => [],
    (error: { readonly code?: number; readonly body?: unknown }) => {
      if (error.code !== 422) throw error;
      return [String(error.body)];
    },
  );
}

/** Searches the processes and files of the node for the credentials of its pods. */
async function searchNode(scenario: Scenario): Promise<NodeSearch> {
  const name = 'search for credentials';
  const table = await scenario.session.cluster.mountTable();
  const target = parseMountinfo(table.join('\n')).find(({ mountPoint }) => mountPoint.includes('/kubernetes.io~csi/'));
  const [kubeletRoot = ''] = target?.mountPoint.split('/pods/') ?? [];
  await scenario.runProgram({ program: 'secrets', args: [kubeletRoot], name });
  await scenario
    .happens('the search for credentials is over', (event) => event.kind === 'output' && event.program === name)
    .catch((cause: Error) => {
      // The search is ours, and the implementation is not to blame if it takes long.
      throw new Error(cause.message, { cause });
    });
  const output = scenario.history.findLast((event) => event.kind === 'output' && event.program === name);
  return JSON.parse(output?.kind === 'output' ? output.text : '{}');
}

/** The object store answers, has the bucket, and opens it only to the run's credentials. */
async function bucketExists(cluster: RunningCluster): Promise<CheckRecord> {
  const title = { name: 'object storage is enabled and the bucket exists', claims: ['P4'] };
  const { store } = cluster;
  const bucket = await listStatus(cluster, store.bucket, store.accessKeySecret);
  const otherBucket = await listStatus(cluster, `not-${store.bucket}`, store.accessKeySecret);
  const otherKey = await listStatus(cluster, store.bucket, 'another-key');
  const answers = `${store.bucket} answered ${bucket}, a bucket that is not there ${otherBucket}, another key ${otherKey}`;
  const isRight = bucket === 200 && otherBucket === 404 && otherKey === 403;
  return recordCheck(title, isRight ? pass(answers) : fail(answers));
}

/** HTTP status of a request for the bucket's list (S3 ListObjectsV2). */
async function listStatus(cluster: RunningCluster, bucket: string, secretAccessKey: string): Promise<number> {
  const { endpoint, accessKeyId } = cluster.store;
  const { host } = new URL(endpoint);
  const path = `/${bucket}?list-type=2&max-keys=1`;
  const { headers = {} } = aws4.sign(
    { host, path, service: 's3', region: 'us-east-1' },
    { accessKeyId, secretAccessKey },
  );
  const { Host: _, ...own } = headers as Record<string, string>;
  return cluster.askStore(path, own);
}
