import { parseMountLine } from '../../recovery/linux/mountinfo.ts';
import { type Consumer, containerName, probeName } from '../timeline/consumer.ts';
import type { EventOf } from '../timeline/record.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { defineCheck, fail, inconclusive, noCrash, pass } from './check.ts';
import { describeFailure } from './outage.ts';
import {
  type ConsumedVolume,
  csiVolumes,
  mountsIn,
  sourceOf,
  targetPathEnd,
  topMounts,
  visibleMount,
} from './volume-mounts.ts';

export interface SteadyTables {
  readonly consumers: readonly Consumer[];
  /** Labels of the tables to compare: the last `before` that precedes the first fault, and the last `after` of all. */
  readonly before: string;
  readonly after: string;
  /**
   * Whether the agent replaces a dead mount from beneath. Before Linux 6.5 it stacks the new mount on the dead one, so that
   * each mount site may keep one line more, however many crashes there are.
   */
  readonly mountsBeneath: boolean;
  /** How many pods of the node use the volumes, if there are more than consumers. */
  readonly pods?: number;
}

/**
 * No mount point of the node or of a consumer has more mounts of a type after recovery than before the crash. Mount points are
 * compared one by one, so that a leak does not hide behind a mount that went elsewhere.
 */
export const keepsMountTableSteady = defineCheck(
  { name: 'the mount table does not grow', claims: [] },
  (timeline: Timeline, { consumers, before, after, mountsBeneath, pods = consumers.length }: SteadyTables) => {
    const counts: string[] = [];
    let growth: string | undefined;
    const fault = timeline.ofKind('fault')[0]?.at ?? Number.POSITIVE_INFINITY;
    const paths = new Set(consumers.map(({ path }) => path));
    for (const where of ['node', ...consumers.map(containerName)]) {
      const tables = timeline.mountTables(where);
      const first =
        tables.findLast(({ label, at }) => label === before && at < fault) ??
        tables.find(({ label }) => label === before);
      const last = tables.findLast(({ label }) => label === after);
      if (first === undefined || last === undefined || first.lines.length === 0 || last.lines.length === 0) {
        return inconclusive(
          `${where} has no mount table ${last === undefined || last.lines.length === 0 ? `"${after}"` : `"${before}"`}`,
        );
      }
      const kept = mountsBeneath ? 0 : where === 'node' ? pods : 1;
      const allowed = kept === 0 ? '' : ` (${kept} more allowed: without MOVE_MOUNT_BENEATH)`;
      const count = `${where}: ${first.lines.length} lines before, ${last.lines.length} after${allowed}`;
      counts.push(count);
      const old = countMountPoints(first);
      for (const [mountPoint, number] of countMountPoints(last)) {
        const isSite = mountPoint.includes(csiVolumes) || paths.has(mountPoint.split(' (')[0] ?? '');
        const more = number - (old.get(mountPoint) ?? 0);
        if (more > (isSite ? kept : 0)) growth ??= `${count}; ${more} more at ${mountPoint}`;
      }
    }
    return growth === undefined ? pass(counts.join('; ')) : fail(`the mount table grew; ${growth}`);
  },
);

/** What differs if a pod was replaced meanwhile: its UID, and the name of the volume with its token. */
const ofOnePod = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\/kube-api-access-)[a-z0-9]{5}\b/g;

/** Number of mounts by mount point and type: `/data (fuse.jindofs-fuse)`. */
function countMountPoints({ lines }: EventOf<'snapshot'>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const mount = parseMountLine(line);
    const key = mount === undefined ? line : `${mount.mountPoint.replace(ofOnePod, '<id>')} (${mount.fstype})`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

export interface LayerLimit {
  readonly consumer: Consumer;
  /** The number of FUSE mounts that may be at the consumer's path. */
  readonly most: number;
  /** Label of a mount table that was recorded at the end. */
  readonly after: string;
}

/** The number of FUSE mounts at the consumer's path stays within a limit, however many crashes there are. */
export const keepsLayersWithin = defineCheck(
  { name: 'no more mounts than allowed stand at the pod’s path, however many crashes', claims: [] },
  (timeline: Timeline, { consumer, most, after }: LayerLimit) => {
    const { crashes } = timeline.observe(consumer);
    const crash = crashes.at(-1);
    if (crash === undefined) return inconclusive(noCrash);
    const where = containerName(consumer);
    const tables = timeline.mountTables(where);
    if (!tables.some(({ label, at }) => label === after && at > crash.from))
      return inconclusive(`${where} has no mount table "${after}" after the last crash`);
    const counts = tables.map(
      (table) =>
        mountsIn(table).filter(({ mountPoint, fstype }) => mountPoint === consumer.path && fstype.startsWith('fuse'))
          .length,
    );
    const sentence = `${counts.join(', ')} FUSE mounts at ${consumer.path}, in ${crashes.length} crashes; ${most} are allowed`;
    if (counts.at(-1) === 0) return fail(`no FUSE mount is left at ${consumer.path}`);
    return Math.max(...counts) > most ? fail(sentence) : pass(sentence);
  },
);

/**
 * After a recovery the pod sees the mount of the daemon that runs now: of the same type and the same directory in it as before, and
 * of the device at the volume's source, if that is on the node. A copy of the data would read as well.
 */
export const showsDaemonsMount = defineCheck(
  { name: 'the pod sees the file system of the daemon that runs', claims: ['C3'] },
  (timeline: Timeline, { consumer, volume }: ConsumedVolume) => {
    const { crashes } = timeline.observe(consumer);
    const [first, last] = [crashes[0], crashes.at(-1)];
    if (first === undefined || last === undefined) return inconclusive(noCrash);
    const tables = timeline.mountTables(containerName(consumer));
    const before = tables.findLast(({ at }) => at < first.from);
    const after = tables.findLast(({ at }) => at > last.from);
    const isAt = (path: string) => path === consumer.path;
    const old = before && visibleMount(before, isAt);
    if (old === undefined || after === undefined)
      return inconclusive('the pod’s mount table is not known before and after');
    const now = visibleMount(after, isAt);
    if (now === undefined) return fail(`nothing is mounted at ${consumer.path} any more`);
    const format = ({ root, fstype }: typeof old) => `${root} of a ${fstype}`;
    if (format(now) !== format(old)) return fail(`${consumer.path} was ${format(old)} and is ${format(now)}`);
    const node = timeline.mountTables('node').findLast(({ at }) => at > last.from);
    const sources = node ? topMounts(node, (path) => sourceOf(path)?.volume === volume) : [];
    const [source] = sources;
    if (source && !sources.some(({ device }) => device === now.device))
      return fail(`${consumer.path} is device ${now.device}, and the daemon serves device ${source.device}`);
    if (source === undefined && crashes.length === 1 && now.device === old.device)
      return fail(`${consumer.path} is still device ${old.device}, whose daemon crashed`);
    return pass(`${consumer.path} is ${format(now)}, device ${now.device}${source ? ', as the source mount is' : ''}`);
  },
);

/**
 * The pod's target path on the node and its container show the same file system, by the last tables. After an incomplete
 * recovery one of them still shows the dead one, and the container's next start fails.
 */
export const showsOneFilesystem = defineCheck(
  { name: 'the node’s target path and the container show the same filesystem', claims: ['C3'] },
  (timeline: Timeline, { consumer, volume }: ConsumedVolume) => {
    const podTable = timeline.mountTables(containerName(consumer)).at(-1);
    const nodeTable = timeline.mountTables('node').at(-1);
    if (podTable === undefined || nodeTable === undefined) return inconclusive('the mount tables are not known');
    const inPod = visibleMount(podTable, (path) => path === consumer.path);
    const onNode = visibleMount(nodeTable, (path) => path.endsWith(targetPathEnd(volume)));
    if (inPod === undefined) return fail(`nothing is mounted at ${consumer.path} of ${containerName(consumer)}`);
    if (onNode === undefined) return fail('nothing is mounted at the target path');
    return inPod.device === onNode.device
      ? pass(`both show device ${inPod.device}`)
      : fail(`the container shows device ${inPod.device}, and ${onNode.mountPoint} ${onNode.device}`);
  },
);

export interface InnerVolume {
  readonly consumer: Consumer;
  /** Mount path of the other volume, below the consumer's path: `/data/cache`. */
  readonly innerPath: string;
  /** Labels of the pod's mount tables. */
  readonly before: string;
  readonly after: string;
}

/**
 * Another volume that the pod mounts below this one is still there after the recovery: the same file system and directory, not
 * hidden by the new mount, and the last operation of its probe, if it has one, succeeds. Failures during the outage are
 * accepted, because its path leads through the dead mount.
 */
export const keepsInnerMount = defineCheck(
  { name: 'the volume mounted below survives', claims: ['C3'] },
  (timeline: Timeline, { consumer, innerPath, before, after }: InnerVolume) => {
    const [crash] = timeline.observe(consumer).crashes;
    if (crash === undefined) return inconclusive(noCrash);
    const tables = timeline.mountTables(containerName(consumer));
    const first = tables.find(({ label, at }) => label === before && at < crash.from);
    const last = tables.findLast(({ label, at }) => label === after && at > crash.from);
    if (first === undefined || last === undefined)
      return inconclusive('the pod’s mount table is not known before and after');
    const isInner = (path: string) => path === innerPath;
    const old = visibleMount(first, isInner);
    if (old === undefined) return inconclusive(`nothing was mounted at ${innerPath} before the crash`);
    const outer = visibleMount(last, (path) => path === consumer.path);
    const now = visibleMount(last, isInner, outer?.id);
    if (now === undefined) return fail(`nothing is mounted at ${innerPath} any more`);
    if (now.device !== old.device || now.root !== old.root) {
      return fail(`${innerPath} was ${old.root} of device ${old.device} and is ${now.root} of ${now.device}`);
    }
    if (outer !== undefined && now.parentId !== outer.id)
      return fail(`${innerPath} is hidden by the mount at ${consumer.path}`);

    const probed = { ...consumer, path: innerPath };
    const operations = timeline.observe(probed).operations.filter(({ finishedAt }) => finishedAt > crash.from);
    const end = operations.at(-1);
    if (end !== undefined && end.result !== 'ok')
      return fail(`the last operation on ${probeName(probed)} failed: ${describeFailure(end, crash.from)}`);
    const good = operations.filter(({ result }) => result === 'ok').length;
    const read = end === undefined ? '' : `, and ${good} operations on it were good`;
    return pass(`${innerPath} is still ${now.root} of device ${now.device}${read}`);
  },
);
