import { parseMountLine } from '../../recovery/linux/mountinfo.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { noCrash, watchedOf } from './watched.ts';

export interface Layers {
  readonly consumer: Consumer;
  /** FUSE mounts that may stand at the consumer's path. */
  readonly most: number;
  /** Label of a snapshot that was taken at the end. */
  readonly after: string;
}

/** However many crashes there were, so many FUSE mounts stand at the consumer's path at most. */
export function keepsLayersWithin(history: readonly HistoryEvent[], layers: Layers): CheckRecord {
  const name = `no more than ${layers.most} mounts stand at the pod’s path, however many crashes`;
  return concluded({ name, claims: [] }, judge(history, layers));
}

function judge(history: readonly HistoryEvent[], { consumer, most, after }: Layers): Finding {
  const { crashes } = watchedOf(history, consumer);
  const crash = crashes.at(-1);
  if (crash === undefined) return inconclusive(noCrash);
  const where = whereOf(consumer);
  const tables = history.flatMap((event) => (event.kind === 'snapshot' && event.where === where ? event : []));
  if (!tables.some(({ label, at }) => label === after && at > crash.from))
    return inconclusive(`${where} has no mount table "${after}" after the last crash`);
  const counts = tables.map(
    ({ lines }) =>
      lines
        .flatMap((line) => parseMountLine(line) ?? [])
        .filter(({ mountPoint, fstype }) => mountPoint === consumer.path && fstype.startsWith('fuse')).length,
  );
  const said = `${counts.join(', ')} FUSE mounts at ${consumer.path}, in ${crashes.length} crashes`;
  if (counts.at(-1) === 0) return fail(`no FUSE mount is left at ${consumer.path}`);
  return Math.max(...counts) > most ? fail(said) : pass(said);
}
