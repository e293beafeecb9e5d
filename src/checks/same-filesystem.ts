import type { Mount } from '../../recovery/engine/model.ts';
import { parseMountLine } from '../../recovery/linux/mountinfo.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';

export interface TwoPlaces {
  readonly consumer: Consumer;
  /** The PersistentVolume's name. */
  readonly volume: string;
}

/**
 * The pod's target path on the node and its container show the same filesystem by the last tables: a recovery that stopped
 * half-way leaves one of them with the dead one, and the container's next start fails.
 */
export function showsOneFilesystem(history: readonly HistoryEvent[], places: TwoPlaces): CheckRecord {
  return concluded(
    { name: 'the node’s target path and the container show the same filesystem', claims: ['C3'] },
    judge(history, places),
  );
}

function judge(history: readonly HistoryEvent[], { consumer, volume }: TwoPlaces): Finding {
  const inPod = seenAt(history, whereOf(consumer), (path) => path === consumer.path);
  const onNode = seenAt(history, 'node', (path) => path.endsWith(`/kubernetes.io~csi/${volume}/mount`));
  if (inPod === 'unknown' || onNode === 'unknown') return inconclusive('the mount tables are not known');
  if (inPod === undefined) return fail(`nothing is mounted at ${consumer.path} of ${whereOf(consumer)}`);
  if (onNode === undefined) return fail('nothing is mounted at the target path');
  return inPod.device === onNode.device
    ? pass(`both show device ${inPod.device}`)
    : fail(`the container shows device ${inPod.device}, and ${onNode.mountPoint} ${onNode.device}`);
}

/** What is seen at a place in the last table of a namespace. */
function seenAt(
  history: readonly HistoryEvent[],
  where: string,
  at: (path: string) => boolean,
): Mount | undefined | 'unknown' {
  const table = history.findLast((event) => event.kind === 'snapshot' && event.where === where);
  if (table?.kind !== 'snapshot') return 'unknown';
  const here = table.lines.flatMap((line) => parseMountLine(line) ?? []).filter(({ mountPoint }) => at(mountPoint));
  return here.find(({ id }) => !here.some(({ parentId }) => parentId === id));
}
