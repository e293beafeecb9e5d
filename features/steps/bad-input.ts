import { type DataTable, Given, Then, When } from '@cucumber/cucumber';
import type { RunningCluster } from '../../clusters/cluster.ts';
import { agentRunsOn } from '../../src/checks/agent-process.ts';
import { fail, pass, recordCheck } from '../../src/checks/check.ts';
import { formatDatasetStatus } from '../../src/scenario/dataset.ts';
import { type Flaw, formatFieldPath, formatFlawValue, insertFlaw, parseFlaw } from '../../src/scenario/flaw.ts';
import { application, applicationLabel, dataset, type Manifest } from '../../src/scenario/manifests.ts';
import type { ScenarioPod } from '../../src/scenario/pod.ts';
import { formatPodState } from '../../src/scenario/pod-state.ts';
import { createVolume } from '../../src/scenario/volume.ts';
import type { CheckRecord } from '../../src/timeline/record.ts';
import type { RekindleWorld } from '../support/world.ts';

const largeAnnotation = { 'example.com/large': 'x'.repeat(64 * 1024) };
/** Blank, tab, newline and backslash, which the kernel's `seq_escape` escapes, and `#`, which it escapes in sources. */
const oddPath = '/da ta/\t#tab/\nline/back\\slash';

Given('the dataset {string} with an annotation of 64 KB', async function (this: RekindleWorld, name: string) {
  await this.create(name, { annotations: largeAnnotation });
});

Given(
  'pod {string} with an annotation of 64 KB reads {string} at a path with every character that mountinfo escapes',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await this.start(pod, dataset, { labelled: true, annotations: largeAnnotation, mountPath: oddPath });
  },
);

/** The API server's answers to the invalid objects; undefined if it created one. */
const answers = new WeakMap<RekindleWorld, readonly { readonly flaw: Flaw; readonly refusal: string | undefined }[]>();

When('objects are created that each have one of these flaws:', async function (this: RekindleWorld, table: DataTable) {
  const manifests = validManifests(this.session.cluster.store);
  const received = [];
  for (const flaw of table.hashes().map(parseFlaw)) {
    const manifest = manifests.find(({ kind }) => kind === flaw.kind);
    if (!manifest) throw new Error(`the document has no ${flaw.kind}`);
    const created = this.namespace.createObject(insertFlaw(manifest, flaw));
    received.push({ flaw, refusal: await created.then(() => undefined, formatBody) });
  }
  answers.set(this, received);
});

Then('the API server has refused each with the name of its field', function (this: RekindleWorld) {
  const title = { name: 'what Kubernetes does not take is refused with the name of the field', claims: [] };
  const all = answers.get(this) ?? [];
  const bad = all.find(({ flaw, refusal }) => {
    const field = formatFieldPath(flaw.path);
    // For a subPath, Kubernetes does not name the volumeMount.
    const spellings = [field, field.replace(/\[\d+\](?=\.subPath)/, '')];
    return !spellings.some((spelling) => refusal?.includes(spelling));
  });
  const format = ({ kind, path }: Flaw) => `${kind} ${formatFieldPath(path)}`;
  const finding = bad
    ? fail(`${format(bad.flaw)} ${formatFlawValue(bad.flaw)}: ${bad.refusal ?? 'was created'}`)
    : pass(`${all.length} refusals, each with the field: ${all.map(({ flaw }) => format(flaw)).join(', ')}`);
  this.scenario.judge(recordCheck(title, finding));
});

Then('the node agent ran all the time', function (this: RekindleWorld) {
  this.scenario.judge(agentRunsOn(this.timeline));
});

/** A claim and a volume as Fluid creates them, written by hand. */
const claimAndVolume: readonly Manifest[] = [
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'flawed' },
    spec: { accessModes: ['ReadOnlyMany'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'fluid' },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'flawed' },
    spec: {
      accessModes: ['ReadOnlyMany'],
      capacity: { storage: '1Gi' },
      csi: { driver: 'fuse.csi.fluid.io', volumeHandle: 'flawed' },
    },
  },
];

function validManifests(store: RunningCluster['store']): readonly Manifest[] {
  return [
    // Without the label, so that only the API server judges it.
    application({ name: 'flawed', dataset: 'flawed', labels: {} }),
    ...dataset({ name: 'flawed', store, directory: 'flawed' }),
    ...claimAndVolume,
  ];
}

function formatBody(error: { readonly body?: unknown; readonly message?: string }): string {
  return typeof error.body === 'string' ? error.body : JSON.stringify(error.body ?? error.message);
}

/** Volume attributes that do not lead to a FUSE mount, and the expected words of the refusal. */
interface HostileVolume {
  readonly name: string;
  /** `fluid_path`, or undefined to leave it out. */
  readonly path: string | undefined;
  readonly words: string;
}

const hostileVolumes = new WeakMap<RekindleWorld, readonly HostileVolume[]>();

When(
  'pods are created on volumes that were made by hand with these paths:',
  async function (this: RekindleWorld, table: DataTable) {
    const volumes = table.hashes().map(({ path = '', words = '' }, index) => ({
      name: `hostile-${index}`,
      path: path === '(missing)' ? undefined : path,
      words,
    }));
    for (const { name, path } of volumes) {
      await createVolume(this.namespace, name, path === undefined ? {} : { fluid_path: path });
      const labels = { [applicationLabel]: 'true' };
      await this.namespace.createObject(application({ name, dataset: name, labels }));
    }
    hostileVolumes.set(this, volumes);
  },
);

Then('each of these pods waits, with an event that gives the reason', async function (this: RekindleWorld) {
  const title = { name: 'a volume that leads nowhere is refused, and nothing is mounted for it', claims: [] };
  const volumes = hostileVolumes.get(this) ?? [];
  for (const { name, words } of volumes) {
    const object = `Pod ${this.namespace.name}/${name}`;
    await this.scenario.judgeWait(title.name, () =>
      this.scenario.happens(
        `an event of ${object} contains “${words}”`,
        (event) => event.kind === 'event' && event.object === object && event.message.includes(words),
      ),
    );
  }
  const table = await this.session.cluster.mountTable();
  const mounted = table.filter((line) => volumes.some(({ name }) => line.includes(`${this.namespace.name}-${name}/`)));
  const finding =
    mounted.length > 0
      ? fail(`it is mounted: ${mounted.join('; ')}`)
      : pass(volumes.map(({ path, words }) => `${path ?? '(none)'}: ${words}`).join('; '));
  this.scenario.judge(recordCheck(title, finding));
});

/** A pod and a dataset of another tenant, whose volume would have the same name: `a-b`/`c` and `a`/`b-c`. */
interface CollidingTenant {
  readonly pod: ScenarioPod;
  readonly dataset: string;
  readonly volume: string;
}

const tenants = new WeakMap<RekindleWorld, CollidingTenant>();

function tenantOf(world: RekindleWorld): CollidingTenant {
  const tenant = tenants.get(world);
  if (!tenant) throw new Error('there is no other tenant in this scenario');
  return tenant;
}

When(
  "another tenant has a dataset whose volume would have the name of {string}'s",
  async function (this: RekindleWorld, name: string) {
    const [first = '', ...rest] = name.split('-');
    const namespace = await this.scenario.createTenant(`${this.namespace.name}-${first}`);
    const dataset = namespace.dataset(rest.join('-'));
    await dataset.createObjects({ files: { intruder: Buffer.from('of another tenant\n') } });
    const pod = namespace.pod('intruder');
    // The webhook would refuse it with the label.
    await pod.create(dataset, { labelled: false });
    tenants.set(this, { pod, dataset: dataset.name, volume: this.namespace.dataset(name).volume });
  },
);

Then('that dataset is refused with a sentence that names the volume', async function (this: RekindleWorld) {
  const { pod, dataset, volume } = tenantOf(this);
  await this.scenario.judgeWait('a dataset whose volume would be another tenant’s is refused', () =>
    this.scenario.eventually({
      condition: `Dataset ${dataset} is refused because of the volume ${volume}`,
      read: () => pod.namespace.datasetStatus(dataset),
      until: ({ phase, message }) => phase === 'Failed' && message.includes(volume),
      format: formatDatasetStatus,
    }),
  );
});

Then("the other tenant's pod was given nothing", async function (this: RekindleWorld) {
  this.scenario.judge(await hasNothing(tenantOf(this).pod));
});

/** No container of the pod was started, and no volume was published for it. */
async function hasNothing(pod: ScenarioPod): Promise<CheckRecord> {
  const title = { name: 'a tenant is given nothing of another’s', claims: [] };
  const found = await pod.read();
  const name = `${pod.namespace.name}/${pod.name}`;
  const given = pod.namespace.scenario.history.find(
    (event) =>
      (event.kind === 'kubelet' && event.event === 'publish' && event.pod === name) ||
      (event.kind === 'process' && event.name.startsWith(`${name}/`)),
  );
  if (given) return recordCheck(title, fail(`${given.kind} of ${name}: ${JSON.stringify(given)}`));
  if (found.status?.phase !== 'Pending') return recordCheck(title, fail(`${name}: ${formatPodState(found)}`));
  return recordCheck(title, pass(`${name} has no volume and no container: ${formatPodState(found)}`));
}
