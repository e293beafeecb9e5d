import { type DataTable, Given, Then, When } from '@cucumber/cucumber';
import { isReadOnly, parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { fail, pass, recordCheck } from '../../src/checks/check.ts';
import { sigkill } from '../../src/faults/daemon.ts';
import { application, applicationLabel } from '../../src/scenario/manifests.ts';
import type { ScenarioPod } from '../../src/scenario/pod.ts';
import type { CheckRecord } from '../../src/timeline/record.ts';
import type { RekindleWorld } from '../support/world.ts';

type Writable = 'ro' | 'rw';

/** One row: a way of mounting a dataset, and its expected result. */
interface MountWay {
  readonly pod: string;
  readonly dataset: string;
  readonly accessMode: string;
  readonly claimReadOnly: boolean;
  readonly superblock: Writable;
  readonly mountReadOnly: boolean;
  readonly recovered: boolean;
  readonly onNode: Writable;
  readonly inPod: Writable;
}

const waysByWorld = new WeakMap<RekindleWorld, readonly MountWay[]>();
const waysOf = (world: RekindleWorld) => waysByWorld.get(world) ?? [];

Given('pods that mount datasets in each of these ways:', async function (this: RekindleWorld, rows: DataTable) {
  const ways = rows.hashes().map(parseWay);
  waysByWorld.set(this, ways);
  for (const { dataset, accessMode, superblock } of new Map(ways.map((way) => [way.dataset, way])).values())
    await this.namespace.dataset(dataset).create({
      accessModes: [accessMode],
      behaviour: { readOnlySuperblock: superblock === 'ro' },
    });
  for (const { pod, dataset, claimReadOnly, mountReadOnly } of ways)
    await this.namespace.createObject(
      application({ name: pod, dataset, labels: { [applicationLabel]: 'true' }, claimReadOnly, mountReadOnly }),
    );
  for (const { pod } of ways) await this.namespace.pod(pod).ready();
});

When('the FUSE daemons of all these datasets are killed from the node', async function (this: RekindleWorld) {
  for (const dataset of new Set(waysOf(this).map((way) => way.dataset)))
    await this.namespace.dataset(dataset).daemon.inject(sigkill);
});

Then(
  'each pod is recovered or left alone, and can write or not, as the table says',
  async function (this: RekindleWorld) {
    const ways = waysOf(this);
    await untilAllRead(
      this,
      ways.filter(({ recovered }) => recovered),
    );
    await this.scenario.watch();
    this.scenario.judge(await judge(this, ({ recovered }) => recovered));
  },
);

When('a flag allows recovery of read-write datasets', async function (this: RekindleWorld) {
  await this.scenario.restartAgent({ readWriteScope: 'recover' });
});

Then('all these pods read again, and none can write that could not before', async function (this: RekindleWorld) {
  await untilAllRead(this, waysOf(this));
  this.scenario.judge(await judge(this, () => true));
});

function parseWay(row: Readonly<Record<string, string>>, index: number): MountWay {
  const { 'access mode': accessMode = '', superblock } = row;
  const writable = (text: string | undefined): Writable => (text === 'ro' ? 'ro' : 'rw');
  return {
    pod: `way-${index + 1}`,
    dataset: `${accessMode.toLowerCase()}-${superblock}`,
    accessMode,
    claimReadOnly: row['claim in the pod'] === 'readOnly',
    superblock: writable(superblock),
    mountReadOnly: row.volumeMount === 'readOnly',
    recovered: row.recovered === 'yes',
    onNode: writable(row['on the node']),
    inPod: writable(row['in the pod']),
  };
}

async function judge(world: RekindleWorld, mustRead: (way: MountWay) => boolean): Promise<CheckRecord> {
  const title = { name: 'each way of mounting ends as the table says', claims: ['L2'] };
  const ways = waysOf(world);
  for (const way of ways) {
    const expected = formatState({ ...way, reads: mustRead(way) });
    const seen = formatState(await readState(world, way));
    if (seen !== expected) return recordCheck(title, fail(`${formatWay(way)}: ${expected} expected, ${seen} seen`));
  }
  return recordCheck(title, pass(`${ways.length} ways, ${ways.filter(mustRead).length} of them read again`));
}

/** Whether the pod reads, and on which sides the mount or its superblock is read-only. */
interface WayState {
  readonly reads: boolean;
  readonly onNode: Writable;
  readonly inPod: Writable;
}

async function readState({ namespace, session }: RekindleWorld, { pod: name, dataset }: MountWay): Promise<WayState> {
  const pod = namespace.pod(name);
  const { metadata } = await pod.read();
  const target = `/pods/${metadata?.uid}/volumes/kubernetes.io~csi/${namespace.dataset(dataset).volume}/mount`;
  return {
    reads: await canRead(pod),
    onNode: writableAt(await session.cluster.mountTable(), (path) => path.endsWith(target)),
    inPod: writableAt(await pod.mountTable(), (path) => path === '/data'),
  };
}

/** Judges the topmost mount. */
function writableAt(table: readonly string[], isMountPoint: (path: string) => boolean): Writable {
  const mount = parseMountinfo(table.join('\n')).findLast(({ mountPoint }) => isMountPoint(mountPoint));
  return mount !== undefined && isReadOnly(mount) ? 'ro' : 'rw';
}

async function untilAllRead({ namespace, scenario }: RekindleWorld, ways: readonly MountWay[]): Promise<void> {
  await scenario.eventually({
    condition: 'these pods read again',
    read: async () => {
      const reading = await Promise.all(ways.map(({ pod }) => canRead(namespace.pod(pod))));
      return ways.filter((_, index) => !reading[index]);
    },
    until: (failing) => failing.length === 0,
    format: (failing) => `not ${failing.map(formatWay).join('; ')}`,
  });
}

async function canRead(pod: ScenarioPod): Promise<boolean> {
  const { exitCode } = await pod.exec(['cat', '/data/myfile']);
  return exitCode === 0;
}

const formatState = ({ reads, onNode, inPod }: WayState) =>
  `${reads ? 'reads' : 'does not read'}, ${onNode} on the node, ${inPod} in the pod`;

const formatWay = ({ accessMode, claimReadOnly, superblock, mountReadOnly }: MountWay) =>
  `${accessMode}, claim ${claimReadOnly ? 'readOnly' : 'as it is'}, superblock ${superblock}, volumeMount ${mountReadOnly ? 'readOnly' : 'as it is'}`;
