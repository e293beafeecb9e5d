import { isReadOnly, parseMountLine } from '../../recovery/linux/mountinfo.ts';
import { type Consumer, containerName } from '../timeline/consumer.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { defineCheck, fail, inconclusive, noCrash, pass } from './check.ts';
import { type ConsumedVolume, type ObservedMount, targetPathEnd, volumeMounts } from './volume-mounts.ts';

/**
 * Every mount of a read-only volume, on the node's target paths and in the pod, is read-only from the moment it is seen, by
 * its own options or those of its superblock. The shortest writable instant that this can see depends on how fast mount
 * events are recorded; a writer that spins sees shorter ones.
 */
export const staysReadOnly = defineCheck(
  { name: 'the volume is read-only throughout', claims: ['L2'] },
  (timeline: Timeline, site: ConsumedVolume) => {
    const mounts = volumeMounts(timeline, site);
    const writable = findWritable(mounts);
    if (writable) return fail(writable);
    const [crash] = timeline.observe(site.consumer).crashes;
    if (crash === undefined) return inconclusive(noCrash);
    for (const [name, where] of [
      ['node', 'node'],
      ['pod', containerName(site.consumer)],
    ]) {
      if (!mounts.some((mount) => mount.where === where))
        return inconclusive(`no mount of the volume was seen on the ${name}`);
    }
    const later = mounts.filter(({ at }) => at > crash.from).length;
    if (later === 0) return inconclusive('no mount of the volume was seen after the crash');
    return pass(`all ${mounts.length} mounts that were seen had ro, ${later} of them after the crash`);
  },
);

/** Every FUSE mount at the consumer's path is read-only from the moment it is seen, for volumes without a target path on a node. */
export const isReadOnlyInPod = defineCheck(
  { name: 'the volume is read-only in the pod throughout', claims: ['L2'] },
  (timeline: Timeline, consumer: Consumer) => {
    const container = containerName(consumer);
    const mounts = volumeMounts(timeline, { consumer, volume: '' }).filter(({ where }) => where === container);
    const writable = findWritable(mounts);
    if (writable) return fail(writable);
    const [crash] = timeline.observe(consumer).crashes;
    if (crash === undefined) return inconclusive(noCrash);
    const later = mounts.filter(({ at, source }) => source === 'event' && at > crash.from).length;
    if (later === 0) return inconclusive('no mount of the volume was seen to be made after the crash');
    return pass(`all ${mounts.length} mounts that were seen had ro, ${later} of them after the crash`);
  },
);

function findWritable(mounts: readonly ObservedMount[]): string | undefined {
  const writable = mounts.filter(({ readOnly }) => !readOnly);
  const [first] = writable;
  return (
    first &&
    `${writable.length} of ${mounts.length} mounts were writable: ${first.mountPoint} (${first.where}) with ${first.options}`
  );
}

export interface EverywhereOptions extends ConsumedVolume {
  /** The program that reads the mount tables of all namespaces. */
  readonly program: string;
}

interface Scanned {
  readonly event: string;
  readonly namespace?: string;
  readonly line?: string;
  readonly scans?: number;
}

/**
 * Each FUSE mount that was seen in any mount namespace had `ro`, except for the daemon's own source mount and the copies of
 * it in the namespace of its container.
 */
export const isReadOnlyEverywhere = defineCheck(
  { name: 'every mount is read-only in every namespace', claims: ['L2'] },
  (timeline: Timeline, { program, volume, consumer }: EverywhereOptions) => {
    const lines = timeline
      .ofKind('output')
      .flatMap((event): Scanned[] => (event.program === program ? [JSON.parse(event.text)] : []));
    const published = lines.flatMap(({ namespace = '', line = '' }) => {
      const mount = parseMountLine(line);
      return mount === undefined || mount.mountPoint.endsWith('/jindofs-fuse') ? [] : [{ namespace, ...mount }];
    });
    const writable = published.find((mount) => !isReadOnly(mount));
    if (writable)
      return fail(`${writable.mountPoint} in ${writable.namespace} was there with ${writable.options.join()}`);
    const paths = [targetPathEnd(volume), consumer.path];
    const unseen = paths.find((path) => !published.some(({ mountPoint }) => mountPoint.endsWith(path)));
    if (unseen !== undefined) return inconclusive(`no mount at ${unseen} was seen`);
    const scans = lines.findLast(({ event }) => event === 'scanned')?.scans ?? 0;
    const namespaces = new Set(published.map(({ namespace }) => namespace)).size;
    return pass(`${published.length} mounts in ${namespaces} namespaces, scanned ${scans} times, all had ro`);
  },
);
