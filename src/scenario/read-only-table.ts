import { isReadOnly, parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { concluded, fail, pass } from '../checks/finding.ts';
import { sigkill } from '../faults/sigkill.ts';
import type { CheckRecord } from '../timeline/record.ts';
import { application, applicationLabel } from './manifests.ts';
import type { Trial } from './trial.ts';

type Writable = 'ro' | 'rw';

/** One way of mounting a dataset, and what has to come of it. */
export interface Way {
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

export function parseWay(row: Readonly<Record<string, string>>, index: number): Way {
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

export async function mountInEachWay(trial: Trial, ways: readonly Way[]): Promise<void> {
  for (const { dataset, accessMode, superblock } of new Map(ways.map((way) => [way.dataset, way])).values())
    await trial.createDataset(dataset, {
      accessModes: [accessMode],
      behaviour: { readOnlySuperblock: superblock === 'ro' },
    });
  for (const { pod, dataset, claimReadOnly, mountReadOnly } of ways)
    await trial.objects.create(
      application({ name: pod, dataset, labels: { [applicationLabel]: 'true' }, claimReadOnly, mountReadOnly }),
    );
  for (const { pod } of ways) await trial.waitForPod(pod);
}

export async function killAllDaemons(trial: Trial, ways: readonly Way[]): Promise<void> {
  for (const dataset of new Set(ways.map((way) => way.dataset))) await trial.crash(sigkill, dataset);
}

/** What is seen of a way: whether the pod reads, and where the mount or its superblock is read-only. */
interface Seen {
  readonly reads: boolean;
  readonly onNode: Writable;
  readonly inPod: Writable;
}

/** Waits for the recoveries that have to be, and a while longer for those that must not. */
export async function endsAsTheTableSays(trial: Trial, ways: readonly Way[]): Promise<CheckRecord> {
  await allRead(
    trial,
    ways.filter(({ recovered }) => recovered),
  );
  await trial.watchFor(trial.watchMs);
  return judge(trial, ways, ({ recovered }) => recovered);
}

export async function allReadAndNoneCanWriteMore(trial: Trial, ways: readonly Way[]): Promise<CheckRecord> {
  await allRead(trial, ways);
  return judge(trial, ways, () => true);
}

async function judge(trial: Trial, ways: readonly Way[], reads: (way: Way) => boolean): Promise<CheckRecord> {
  const title = { name: 'each way of mounting ends as the table says', claims: ['L2'] };
  for (const way of ways) {
    const wanted = text({ ...way, reads: reads(way) });
    const seen = text(await look(trial, way));
    if (seen !== wanted) return concluded(title, fail(`${describe(way)}: ${wanted} expected, ${seen} seen`));
  }
  return concluded(title, pass(`${ways.length} ways, ${ways.filter(reads).length} of them read again`));
}

const text = ({ reads, onNode, inPod }: Seen) =>
  `${reads ? 'reads' : 'does not read'}, ${onNode} on the node, ${inPod} in the pod`;

const describe = ({ accessMode, claimReadOnly, superblock, mountReadOnly }: Way) =>
  `${accessMode}, claim ${claimReadOnly ? 'readOnly' : 'as it is'}, superblock ${superblock}, volumeMount ${mountReadOnly ? 'readOnly' : 'as it is'}`;

function allRead(trial: Trial, ways: readonly Way[]): Promise<readonly Way[]> {
  return trial.poll({
    what: 'these pods read again',
    look: async () => {
      const reading = await Promise.all(ways.map((way) => reads(trial, way)));
      return ways.filter((_, index) => !reading[index]);
    },
    until: (failing) => failing.length === 0,
    say: (failing) => `not ${failing.map(describe).join('; ')}`,
  });
}

async function reads({ namespace, session }: Trial, { pod }: Way): Promise<boolean> {
  const { exitCode } = await session.cluster.exec({ namespace, pod, container: 'demo' }, ['cat', '/data/myfile']);
  return exitCode === 0;
}

async function look(trial: Trial, way: Way): Promise<Seen> {
  const { cluster } = trial.session;
  const { metadata } = await trial.pod(way.pod);
  const target = `/pods/${metadata?.uid}/volumes/kubernetes.io~csi/${trial.namespace}-${way.dataset}/mount`;
  const container = { namespace: trial.namespace, pod: way.pod, container: 'demo' };
  return {
    reads: await reads(trial, way),
    onNode: writableAt(await cluster.mountTable(), (path) => path.endsWith(target)),
    inPod: writableAt(await cluster.mountTable(container), (path) => path === '/data'),
  };
}

/** Of the topmost mount: read-only by its own options, or by its superblock's. */
function writableAt(table: readonly string[], at: (path: string) => boolean): Writable {
  const mount = parseMountinfo(table.join('\n')).findLast(({ mountPoint }) => at(mountPoint));
  return mount !== undefined && isReadOnly(mount) ? 'ro' : 'rw';
}
