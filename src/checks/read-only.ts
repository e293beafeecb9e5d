import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { whereOf } from './consumer.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { mountsOfVolume, type VolumePlaces } from './volume-mounts.ts';
import { noCrash, watchedOf } from './watched.ts';

/**
 * Every mount of a read-only volume, on the node's target paths and in the pod, is read-only from the moment it is seen,
 * by its own options or by its superblock's. How short
 * an instant this can see is how fast mount events are recorded; a writer that spins sees shorter ones.
 */
export function staysReadOnly(history: readonly HistoryEvent[], places: VolumePlaces): CheckRecord {
  return concluded({ name: 'the volume is read-only throughout', claims: ['L2'] }, judge(history, places));
}

function judge(history: readonly HistoryEvent[], places: VolumePlaces): Finding {
  const mounts = mountsOfVolume(history, places);
  const writable = mounts.filter(({ readOnly }) => !readOnly);
  const [first] = writable;
  if (first !== undefined)
    return fail(
      `${writable.length} of ${mounts.length} mounts were writable: ${first.mountPoint} (${first.where}) with ${first.options}`,
    );
  const [crash] = watchedOf(history, places.consumer).crashes;
  if (crash === undefined) return inconclusive(noCrash);
  for (const [where, called] of [
    ['node', 'node'],
    [whereOf(places.consumer), 'pod'],
  ] as const) {
    if (!mounts.some((mount) => mount.where === where))
      return inconclusive(`no mount of the volume was seen on the ${called}`);
  }
  const replaced = mounts.filter(({ at }) => at > crash.from).length;
  if (replaced === 0) return inconclusive('no mount of the volume was seen after the crash');
  return pass(`all ${mounts.length} mounts that were seen had ro, ${replaced} of them after the crash`);
}
