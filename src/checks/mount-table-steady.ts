import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';

export interface TableSnapshots {
  readonly consumers: readonly Consumer[];
  /** Labels of the snapshots to compare: the last so labelled before the first fault, and the last of all. */
  readonly before: string;
  readonly after: string;
  /**
   * Whether the agent replaces a dead mount from beneath. Before Linux 6.5 it stacks the new mount on the dead one, so that
   * each mount site may keep one line more, however many crashes there are.
   */
  readonly mountsBeneath: boolean;
  /** How many pods of the node use the volumes, where that is more than there are consumers. */
  readonly pods?: number;
}

/** The mount tables of the node and of each consumer have no more lines after recovery than before the crash. */
export function keepsMountTableSteady(history: readonly HistoryEvent[], snapshots: TableSnapshots): CheckRecord {
  return concluded({ name: 'the mount table does not grow', claims: [] }, judge(history, snapshots));
}

function judge(
  history: readonly HistoryEvent[],
  { consumers, before, after, mountsBeneath, pods = consumers.length }: TableSnapshots,
): Finding {
  const tables = history.toSorted((a, b) => a.at - b.at).flatMap((event) => (event.kind === 'snapshot' ? event : []));
  const counted: string[] = [];
  let grew: string | undefined;
  const fault = history.find(({ kind }) => kind === 'fault')?.at ?? Number.POSITIVE_INFINITY;
  for (const where of ['node', ...consumers.map(whereOf)]) {
    const here = tables.filter((table) => table.where === where);
    const first =
      here.findLast(({ label, at }) => label === before && at < fault) ?? here.find(({ label }) => label === before);
    const last = here.findLast(({ label }) => label === after);
    if (first === undefined || last === undefined || first.lines.length === 0 || last.lines.length === 0) {
      return inconclusive(
        `${where} has no mount table ${last === undefined || last.lines.length === 0 ? `"${after}"` : `"${before}"`}`,
      );
    }
    const kept = mountsBeneath ? 0 : where === 'node' ? pods : 1;
    const allowed = kept === 0 ? '' : ` (${kept} more allowed: without MOVE_MOUNT_BENEATH)`;
    const said = `${where}: ${first.lines.length} lines before, ${last.lines.length} after${allowed}`;
    counted.push(said);
    if (last.lines.length > first.lines.length + kept) grew ??= said;
  }
  return grew === undefined ? pass(counted.join('; ')) : fail(`the mount table grew; ${grew}`);
}
