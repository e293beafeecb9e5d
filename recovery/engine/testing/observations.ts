import type { NodeObservation } from '../diagnose.ts';
import { lookUpKey } from '../look-ups.ts';
import type {
  Container,
  DeviceId,
  Liveness,
  Mount,
  Nanoseconds,
  Pod,
  SourceState,
  Volume,
  VolumeRecord,
} from '../model.ts';
import { MountTree } from '../mount-sites.ts';
import { NodeSnapshot } from '../snapshot.ts';
import { kubeletRoot, recordOf, sourcePath } from './world.ts';

export const live = '0:51' as DeviceId;
export const dead = '0:50' as DeviceId;
/** Of an earlier daemon, too. */
export const hung = '0:52' as DeviceId;

/** A mount table from layers, bottom first. Each is mounted on the top mount at its path or on the deepest mount above. */
export function tableOf(layers: readonly (Partial<Mount> & Pick<Mount, 'mountPoint' | 'device'>)[]): readonly Mount[] {
  const table: Mount[] = [];
  for (const layer of [{ mountPoint: '/', device: '8:1' as DeviceId, fstype: 'ext4' }, ...layers]) {
    const { stack, above } = new MountTree(table).at(layer.mountPoint);
    const parentId = (stack.at(-1) ?? above.at(-1))?.id ?? 0;
    const facts = { root: '/', options: ['ro'], fstype: 'fuse.fake', mountSource: 'fake', superOptions: [] };
    table.push({ id: table.length + 1, parentId, ...facts, ...layer });
  }
  return table;
}

/** A container `app`. */
export function containerOf(podUid: string, mounts: readonly Mount[], facts: Partial<Container> = {}): Container {
  const user = { uid: 1000, gid: 1000, groups: [] };
  const terminationLog = '/dev/termination-log';
  return { podUid, name: 'app', terminationLog, pid: 1000, mountNamespace: 'mnt:[1]', user, mounts, ...facts };
}

export const disconnected: Liveness = { status: 'dead', errno: 'ENOTCONN' };

export interface ObservationFacts {
  readonly mounts: readonly Mount[];
  readonly volumes: readonly Volume[];
  readonly pods?: readonly Pod[];
  readonly containers?: readonly Container[];
  readonly sources?: ReadonlyMap<string, readonly SourceState[]>;
  readonly liveness?: ReadonlyMap<DeviceId, Liveness>;
  /** What the kubelet has recorded beside target paths, by default that they are of the volumes whose names they bear. */
  readonly records?: ReadonlyMap<string, VolumeRecord>;
}

/** An observation in which each volume's source is live unless the facts differ. */
export function observationWith(facts: ObservationFacts): NodeObservation {
  const { mounts, volumes, pods = [], containers = [] } = facts;
  const takenAt = 0n as Nanoseconds;
  const records = facts.records ?? recordsOf(mounts, volumes);
  const known = {
    lookUps: new Map([...records].map(([target, record]) => [lookUpKey({ kind: 'record', target }), record])),
    earlierDevices: new Map(
      volumes.map(({ name }) => [name, new Map([dead, hung].map((each) => [each, 'fuse.fake fake']))]),
    ),
  };
  const liveSource = ({ name }: Volume): [string, SourceState[]] => [
    name,
    [{ state: 'live', path: sourcePath(name), device: live }],
  ];
  return {
    snapshot: new NodeSnapshot({ tier: '6.5', takenAt, kubeletRoot, mounts, containers, volumes, pods, ...known }),
    sources: facts.sources ?? new Map(volumes.map(liveSource)),
    liveness: facts.liveness ?? new Map([[dead, disconnected]]),
  };
}

function recordsOf(mounts: readonly Mount[], volumes: readonly Volume[]): ReadonlyMap<string, VolumeRecord> {
  const paths = mounts.map(({ mountPoint }) => mountPoint);
  return new Map(
    volumes.flatMap(({ name, handle }) =>
      paths
        .filter((path) => path.endsWith(`/volumes/kubernetes.io~csi/${name}/mount`))
        .map((path) => [path, recordOf(name, handle)] as const),
    ),
  );
}
