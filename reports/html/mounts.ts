import type { ScenarioDigest } from '../../src/timeline/digest.ts';
import { clockSeconds, formatOffset } from '../../src/timeline/duration.ts';
import { groupBy } from '../../src/timeline/group-by.ts';
import type { HistoryEvent, Recovery, ScenarioRecord } from '../../src/timeline/record.ts';
import type { PackedTable } from '../page/packed.ts';

type Snapshot = Extract<HistoryEvent, { kind: 'snapshot' }>;
type MountEvent = Extract<HistoryEvent, { kind: 'mount' }>;
type Line = PackedTable['lines'][number];

const shownChanges = 120;

/**
 * Mount tables before, during and after: the first as far as it concerns volumes, each later one as a difference to the one
 * before it at the same place, and in between what came and went from the first crash until all could read again.
 */
export function mountTables(
  { events }: Pick<ScenarioDigest, 'events'>,
  recoveries: readonly Recovery[],
  { startedAt: zero, finishedAt: end }: Pick<ScenarioRecord, 'startedAt' | 'finishedAt'>,
): PackedTable[] {
  const snapshots = groupBy(
    events.filter((event) => event.kind === 'snapshot'),
    ({ where }) => where,
  );
  const mounts = events.filter((event) => event.kind === 'mount');
  const crash = recoveries.reduce((first, one) => Math.min(first, one.crash), Number.POSITIVE_INFINITY);
  return [...snapshots].flatMap(([where, own]) => {
    const changed = (after: number, until: number): PackedTable[] => {
      const seen = mounts.filter((mount) => mount.where === where && mount.at > after && mount.at <= until);
      return seen.length === 0 ? [] : [duringOf(where, seen, crash, zero)];
    };
    const tables = own.flatMap((snapshot, i): PackedTable[] => {
      const before = own[i - 1];
      const table = tableOf(where, snapshot, before, zero);
      return before === undefined ? [table] : [...changed(before.at, snapshot.at), table];
    });
    return [...tables, ...changed(own.at(-1)?.at ?? end, end)];
  });
}

function tableOf(where: string, snapshot: Snapshot, before: Snapshot | undefined, zero: number): PackedTable {
  const all = changes(before, snapshot);
  const lines = all.filter(([sign, line]) => sign !== '' || isVolumeLine(line));
  return {
    where,
    title: `${snapshot.label}, at ${clockSeconds(snapshot.at - zero)} s: ${snapshot.lines.length} lines`,
    lines,
    others: all.length - lines.length,
  };
}

function duringOf(where: string, mounts: readonly MountEvent[], crash: number, zero: number): PackedTable {
  const fromCrash = mounts.some(({ at }) => at >= crash);
  const origin = fromCrash ? crash : zero;
  const lines = mounts.slice(0, shownChanges).map((mount): Line => {
    const { at, change, id, device, mountPoint, fstype, options } = mount;
    return [
      change === 'added' ? '+' : '−',
      `${formatOffset(at - origin)}: ${id} ${device} ${mountPoint} ${options} - ${fstype}`,
    ];
  });
  return {
    where,
    title: `during: ${mounts.length} changes, timed from ${fromCrash ? 'the first crash' : 'the beginning'}`,
    lines,
    others: Math.max(0, mounts.length - shownChanges),
  };
}

/** A line of mountinfo that is about a volume, and not about the machine that all runs on. */
function isVolumeLine(line: string): boolean {
  return / - fuse[. ]/.test(line) || line.includes('/volumes/kubernetes.io~') || line.includes('/runtime-mnt/');
}

/** Lines that went, then the table as it is, new lines marked. A line that stands twice counts twice. */
export function changes(before: Pick<Snapshot, 'lines'> | undefined, now: Pick<Snapshot, 'lines'>): Line[] {
  if (before === undefined) return now.lines.map((line) => ['', line]);
  const left = new Map<string, number>();
  for (const line of before.lines) left.set(line, (left.get(line) ?? 0) + 1);
  const shown = now.lines.map((line): Line => {
    const known = left.get(line) ?? 0;
    left.set(line, known - 1);
    return [known > 0 ? '' : '+', line];
  });
  const gone = [...left].flatMap(([line, times]) =>
    Array.from({ length: Math.max(0, times) }, (): Line => ['−', line]),
  );
  return [...gone, ...shown];
}
