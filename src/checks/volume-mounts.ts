import { isReadOnly, parseMountLine } from '../../recovery/linux/mountinfo.ts';
import { type Consumer, containerName } from '../timeline/consumer.ts';
import type { EventOf } from '../timeline/record.ts';
import type { Timeline } from '../timeline/timeline.ts';

type TableMount = NonNullable<ReturnType<typeof parseMountLine>>;

/** A volume as one consumer uses it. */
export interface ConsumedVolume {
  readonly consumer: Consumer;
  /** The PersistentVolume's name, part of the target path. */
  readonly volume: string;
}

/** Part of every target path. */
export const csiVolumes = '/kubernetes.io~csi/';

/** The end of the volume's target paths on the node. */
export const targetPathEnd = (volume: string): string => `${csiVolumes}${volume}/mount`;

/** A source mount by its path: its volume, and the workload whose pods serve it. */
interface Source {
  readonly volume: string;
  /** `<namespace>/<name>`, without the generated end of a pod's name. */
  readonly workload: string;
}

/** The source mount at `.../<namespace>/<dataset>/<directory>`, or `.../<dataset>/standby-<N>/<directory>` for a standby. */
export function sourceOf(path: string): Source | undefined {
  const [, namespace, dataset, standby] = /([^/]+)\/([^/]+?)(?:\/(standby-\d+))?\/[^/]+$/.exec(path) ?? [];
  if (namespace === undefined || path.includes(csiVolumes)) return undefined;
  const workload = `${namespace}/${dataset}-jindofs-fuse${standby === undefined ? '' : `-${standby}`}`;
  return { volume: `${namespace}-${dataset}`, workload };
}

/** A mount of a volume: seen when it was made, or as a line of a mount table. */
export interface ObservedMount {
  readonly at: number;
  readonly where: string;
  readonly mountPoint: string;
  readonly options: string;
  readonly readOnly: boolean;
  readonly source: 'event' | 'table';
}

/** The FUSE mounts at a volume's target paths on the node and at the consumer's path; the source mount is not among them. */
export function volumeMounts(timeline: Timeline, { consumer, volume }: ConsumedVolume): readonly ObservedMount[] {
  const inPod = containerName(consumer);
  const isOfVolume = (
    where: string,
    { mountPoint, fstype }: { readonly mountPoint: string; readonly fstype: string },
  ) =>
    fstype.startsWith('fuse') &&
    (where === 'node' ? mountPoint.endsWith(targetPathEnd(volume)) : where === inPod && mountPoint === consumer.path);
  return timeline.events.flatMap((event): ObservedMount[] => {
    if (event.kind === 'mount' && event.change === 'added' && isOfVolume(event.where, event)) {
      const { at, where, mountPoint, options, readOnlySuperblock = false } = event;
      const readOnly = options.split(',').includes('ro') || readOnlySuperblock;
      return [{ at, where, mountPoint, options, readOnly, source: 'event' }];
    }
    if (event.kind !== 'snapshot') return [];
    const { at, where } = event;
    return mountsIn(event)
      .filter((mount) => isOfVolume(where, mount))
      .map((mount): ObservedMount => {
        const { mountPoint, options } = mount;
        return { at, where, mountPoint, options: options.join(), readOnly: isReadOnly(mount), source: 'table' };
      });
  });
}

/** Whether the mount table of a container or of the node was recorded at all: otherwise the absence of a mount means nothing. */
export const isTableKnown = (timeline: Timeline, where: string): boolean =>
  timeline.mountTables(where).length > 0 || timeline.ofKind('mount').some((event) => event.where === where);

export const mountsIn = ({ lines }: Pick<EventOf<'snapshot'>, 'lines'>): readonly TableMount[] =>
  lines.flatMap((line) => parseMountLine(line) ?? []);

/** The mounts at some paths that no other mount at these paths covers: on a cluster one for each node, whose tables are joined. */
export function topMounts(
  table: Pick<EventOf<'snapshot'>, 'lines'>,
  isAt: (path: string) => boolean,
): readonly TableMount[] {
  const mounts = mountsIn(table).filter(({ mountPoint }) => isAt(mountPoint));
  return mounts.filter(({ id }) => !mounts.some(({ parentId }) => parentId === id));
}

/**
 * The mount that is visible in a table at the paths for which `isAt` holds: one on which no other of them stands. If several
 * are, the one on the mount `parent` wins.
 */
export function visibleMount(
  table: Pick<EventOf<'snapshot'>, 'lines'>,
  isAt: (path: string) => boolean,
  parent?: number,
): TableMount | undefined {
  const tops = topMounts(table, isAt);
  return tops.find(({ parentId }) => parentId === parent) ?? tops[0];
}
