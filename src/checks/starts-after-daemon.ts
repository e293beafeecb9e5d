import { parseMountLine } from '../../recovery/linux/mountinfo.ts';
import { formatNs } from '../timeline/duration.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';

export interface Start {
  readonly consumer: Consumer;
  /** The PersistentVolume's name. */
  readonly volume: string;
  /** The fault after which it starts, by its name. */
  readonly fault: string;
}

/**
 * A container that starts while the daemon is away starts when the daemon is back and not before, and its volume is the
 * daemon's mount: nothing else is ever mounted at the target path or shown in the container.
 */
export function startsAfterDaemon(history: readonly HistoryEvent[], start: Start): CheckRecord {
  return concluded(
    { name: 'a container starts on a living volume, and on nothing else', claims: ['L4'] },
    judge(history, start),
  );
}

function judge(history: readonly HistoryEvent[], { consumer, volume, fault }: Start): Finding {
  const where = whereOf(consumer);
  const from = history.find((event) => event.kind === 'fault' && event.fault === fault)?.at;
  if (from === undefined) return inconclusive(`the fault ${fault} was not done`);
  const later = history.filter(({ at }) => at > from).toSorted((a, b) => a.at - b.at);
  const ready = later.find((event) => event.kind === 'process' && event.role === 'daemon' && event.change === 'ready');
  const started = later.find((event) => event.kind === 'process' && event.name === where && event.change === 'started');
  if (started === undefined) return fail(`${where} was not started again`);
  if (ready === undefined || started.at < ready.at)
    return fail(`${where} was started ${formatNs(started.at - from)} after the fault, before the daemon was ready`);

  const target = `/kubernetes.io~csi/${volume}/mount`;
  const foreign = later.find(
    (event) =>
      event.kind === 'mount' &&
      event.change === 'added' &&
      event.where === 'node' &&
      event.mountPoint.endsWith(target) &&
      !event.fstype.startsWith('fuse'),
  );
  if (foreign?.kind === 'mount')
    return fail(`a filesystem of type ${foreign.fstype} was mounted at ${foreign.mountPoint}`);
  const table = later.findLast((event) => event.kind === 'snapshot' && event.where === where);
  if (table?.kind !== 'snapshot') return inconclusive('the container’s mount table is not known afterwards');
  const here = table.lines
    .flatMap((line) => parseMountLine(line) ?? [])
    .filter((line) => line.mountPoint === consumer.path);
  const seen = here.find(({ id }) => !here.some(({ parentId }) => parentId === id));
  if (!seen?.fstype.startsWith('fuse'))
    return fail(`${consumer.path} of ${where} is ${seen === undefined ? 'no mount' : `of type ${seen.fstype}`}`);
  return pass(`started ${formatNs(started.at - ready.at)} after the daemon was ready`);
}
