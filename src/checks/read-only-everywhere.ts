import { isReadOnly, parseMountLine } from '../../recovery/linux/mountinfo.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import type { VolumePlaces } from './volume-mounts.ts';

export interface EverywhereOptions extends VolumePlaces {
  /** The program that reads all tables. */
  readonly program: string;
}

/**
 * Each FUSE mount of each mount namespace that was seen had `ro`, but for the daemon's own: the one that it makes, and its
 * copies in the namespace of its container.
 */
export function isReadOnlyEverywhere(history: readonly HistoryEvent[], options: EverywhereOptions): CheckRecord {
  return concluded({ name: 'every mount is read-only in every namespace', claims: ['L2'] }, judge(history, options));
}

interface Scanned {
  readonly event: string;
  readonly namespace?: string;
  readonly line?: string;
  readonly scans?: number;
}

function judge(history: readonly HistoryEvent[], { program, volume, consumer }: EverywhereOptions): Finding {
  const said = history.flatMap((event): Scanned[] =>
    event.kind === 'output' && event.program === program ? [JSON.parse(event.text)] : [],
  );
  const seen = said.flatMap(({ namespace = '', line = '' }) => {
    const mount = parseMountLine(line);
    return mount === undefined ? [] : [{ namespace, ...mount }];
  });
  const published = seen.filter(({ mountPoint }) => !mountPoint.endsWith('/jindofs-fuse'));
  const writable = published.find((mount) => !isReadOnly(mount));
  if (writable)
    return fail(`${writable.mountPoint} in ${writable.namespace} was there with ${writable.options.join()}`);
  const places = [`/kubernetes.io~csi/${volume}/mount`, consumer.path];
  const unseen = places.find((place) => !published.some(({ mountPoint }) => mountPoint.endsWith(place)));
  if (unseen !== undefined) return inconclusive(`no mount at ${unseen} was seen`);
  const scans = said.findLast(({ event }) => event === 'scanned')?.scans ?? 0;
  const namespaces = new Set(published.map(({ namespace }) => namespace)).size;
  return pass(`${published.length} mounts in ${namespaces} namespaces, looked at ${scans} times, all had ro`);
}
