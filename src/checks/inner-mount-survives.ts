import type { Mount } from '../../recovery/engine/model.ts';
import { parseMountLine } from '../../recovery/linux/mountinfo.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, probeOf, whereOf } from './consumer.ts';
import { describeFailure } from './errors-seen.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { noCrash, watchedOf } from './watched.ts';

export interface InnerMount {
  readonly consumer: Consumer;
  /** Mount path of the other volume, below the consumer's path: `/data/cache`. */
  readonly innerPath: string;
  /** Labels of the snapshots of the pod's mount table. */
  readonly before: string;
  readonly after: string;
}

/**
 * Another volume that the pod mounts below this one is still there after the recovery: the same filesystem and directory, not
 * hidden by the new mount, and a probe of it, where there is one, reads it to the end. That it fails during the outage
 * is no fault: the way to it leads through the dead mount.
 */
export function keepsInnerMount(history: readonly HistoryEvent[], inner: InnerMount): CheckRecord {
  return concluded({ name: 'the volume mounted below survives', claims: ['C3'] }, judge(history, inner));
}

function judge(history: readonly HistoryEvent[], { consumer, innerPath, before, after }: InnerMount): Finding {
  const { events, crashes } = watchedOf(history, consumer);
  const [crash] = crashes;
  if (crash === undefined) return inconclusive(noCrash);
  const tables = events.flatMap((event) =>
    event.kind === 'snapshot' && event.where === whereOf(consumer) ? event : [],
  );
  const first = tables.find(({ label, at }) => label === before && at < crash.from);
  const last = tables.findLast(({ label, at }) => label === after && at > crash.from);
  if (first === undefined || last === undefined)
    return inconclusive('the pod’s mount table is not known before and after');
  const was = seenAt(first.lines, innerPath);
  if (was === undefined) return inconclusive(`nothing was mounted at ${innerPath} before the crash`);
  const above = seenAt(last.lines, consumer.path);
  const is = seenAt(last.lines, innerPath, above?.id);
  if (is === undefined) return fail(`nothing is mounted at ${innerPath} any more`);
  if (is.device !== was.device || is.root !== was.root) {
    return fail(`${innerPath} was ${was.root} of device ${was.device} and is ${is.root} of ${is.device}`);
  }
  if (above !== undefined && is.parentId !== above.id)
    return fail(`${innerPath} is hidden by the mount at ${consumer.path}`);

  const probe = { ...consumer, path: innerPath };
  const operations = watchedOf(history, probe).operations.filter(({ finishedAt }) => finishedAt > crash.from);
  const end = operations.at(-1);
  if (end !== undefined && end.result !== 'ok')
    return fail(`the last operation on ${probeOf(probe)} failed: ${describeFailure(end, crash.from)}`);
  const read =
    end === undefined
      ? ''
      : `, and ${operations.filter(({ result }) => result === 'ok').length} operations on it were good`;
  return pass(`${innerPath} is still ${is.root} of device ${is.device}${read}`);
}

/**
 * The mount that is seen at a path: of all mounts there, the one on which no other of them stands, and of several such the one
 * that stands on `parent`.
 */
function seenAt(lines: readonly string[], path: string, parent?: number): Mount | undefined {
  const here = lines.flatMap((line) => parseMountLine(line) ?? []).filter(({ mountPoint }) => mountPoint === path);
  const tops = here.filter(({ id }) => !here.some(({ parentId }) => parentId === id));
  return tops.find(({ parentId }) => parentId === parent) ?? tops[0];
}
