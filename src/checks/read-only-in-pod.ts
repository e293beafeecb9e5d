import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { mountsOfVolume } from './volume-mounts.ts';
import { noCrash, watchedOf } from './watched.ts';

/** Every FUSE mount at the consumer's path has `ro` from the moment it is seen, where no target path of a node is. */
export function isReadOnlyInPod(history: readonly HistoryEvent[], consumer: Consumer): CheckRecord {
  return concluded({ name: 'the volume is read-only in the pod throughout', claims: ['L2'] }, judge(history, consumer));
}

function judge(history: readonly HistoryEvent[], consumer: Consumer): Finding {
  const where = whereOf(consumer);
  const mounts = mountsOfVolume(history, { consumer, volume: '' }).filter((mount) => mount.where === where);
  const writable = mounts.find(({ readOnly }) => !readOnly);
  if (writable) return fail(`${writable.mountPoint} (${where}) was mounted with ${writable.options}`);
  const [crash] = watchedOf(history, consumer).crashes;
  if (crash === undefined) return inconclusive(noCrash);
  const after = mounts.filter(({ at, made }) => made && at > crash.from).length;
  if (after === 0) return inconclusive('no mount of the volume was seen to be made after the crash');
  return pass(`all ${mounts.length} mounts that were seen had ro, ${after} of them after the crash`);
}
