import { parseMountLine } from '../../recovery/linux/mountinfo.ts';
import { formatNs } from '../timeline/duration.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';

export interface Ending {
  readonly consumer: Consumer;
  /** The PersistentVolume's name. */
  readonly volume: string;
  /** The fault that deleted the pod, by its name. */
  readonly fault: string;
  /** The pod's grace period in real milliseconds. */
  readonly graceMs: number;
}

/** What the node may take beyond the grace period, which includes unpublishing the volume, in milliseconds. */
const beyondMs = 5_000;

/** A deleted pod ends within its grace and 5 s, whatever its volume does, and nothing stays mounted for the volume's last pod. */
export function endsInTime(history: readonly HistoryEvent[], ending: Ending): CheckRecord {
  return concluded(
    { name: 'a deleted pod is gone in time, and nothing of it is left', claims: ['L1'] },
    judge(history, ending),
  );
}

function judge(history: readonly HistoryEvent[], { consumer, volume, fault, graceMs }: Ending): Finding {
  const deleted = history.find((event) => event.kind === 'fault' && event.fault === fault)?.at;
  if (deleted === undefined) return inconclusive('the pod was not deleted');
  const gone = history.find(
    (event) =>
      event.kind === 'kubelet' &&
      event.event === 'pod-removed' &&
      event.pod === `${consumer.namespace}/${consumer.pod}` &&
      event.at > deleted,
  )?.at;
  if (gone === undefined) return fail(`${whereOf(consumer)} was not gone while anybody looked`);
  const took = gone - deleted;
  const allowed = (graceMs + beyondMs) * 1e6;
  if (took > allowed) return fail(`it took ${formatNs(took)}, and ${formatNs(allowed)} are allowed`);
  const table = history.findLast((event) => event.kind === 'snapshot' && event.where === 'node' && event.at > gone);
  if (table?.kind !== 'snapshot') return inconclusive('the node’s mount table is not known afterwards');
  const left = table.lines.find((line) =>
    parseMountLine(line)?.mountPoint.endsWith(`/kubernetes.io~csi/${volume}/mount`),
  );
  return left === undefined ? pass(`gone ${formatNs(took)} after it was deleted`) : fail(`the node still has ${left}`);
}
