import type { ScenarioDigest } from '../../src/timeline/digest.ts';
import { clockSeconds, formatNs, formatOffset } from '../../src/timeline/duration.ts';
import { groupBy } from '../../src/timeline/group-by.ts';
import type { HistoryEvent, Recovery, ScenarioRecord } from '../../src/timeline/record.ts';
import type { PackedLane, PackedTable, Span } from '../page/packed.ts';
import type { Axis } from './chart.ts';
import { podName } from './event-marks.ts';

type Snapshot = Extract<HistoryEvent, { kind: 'snapshot' }>;
type MountEvent = Extract<HistoryEvent, { kind: 'mount' }>;
type Line = PackedTable['lines'][number];

const shownChanges = 120;

/**
 * Mount tables over time: the volumes of the first snapshot, the differences of later ones, and the changes between them.
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
      return seen.length === 0 ? [] : [changesTable(where, seen, crash, zero)];
    };
    const tables = own.flatMap((snapshot, i): PackedTable[] => {
      const before = own[i - 1];
      const table = fullTable(where, snapshot, before, zero);
      return before === undefined ? [table] : [...changed(before.at, snapshot.at), table];
    });
    return [...tables, ...changed(own.at(-1)?.at ?? end, end)];
  });
}

function fullTable(where: string, snapshot: Snapshot, before: Snapshot | undefined, zero: number): PackedTable {
  const all = changes(before, snapshot);
  const lines = all.filter(([sign, line]) => sign !== '' || isVolumeLine(line));
  return {
    where,
    title: `${snapshot.label}, at ${clockSeconds(snapshot.at - zero)} s: ${snapshot.lines.length} lines`,
    lines,
    others: all.length - lines.length,
  };
}

function changesTable(where: string, mounts: readonly MountEvent[], crash: number, zero: number): PackedTable {
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

/** Whether a line of mountinfo is about a volume rather than the machine. */
function isVolumeLine(line: string): boolean {
  return / - fuse[. ]/.test(line) || line.includes('/volumes/kubernetes.io~') || line.includes('/runtime-mnt/');
}

/** Removed lines, then the table with new lines marked. Equal lines are counted. */
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

const shownLanes = 12;
/** A new mount and the one that it replaces may coexist for this time. */
const handOverNs = 20e6;

/** A lane for each mount point of a volume, with a span for each mount, in rows if they are stacked. */
export function mountLanes(events: readonly HistoryEvent[], axis: Axis): PackedLane[] {
  const mounts = events.filter((event) => event.kind === 'mount' && isVolume(event)) as MountEvent[];
  const places = [...groupBy(mounts, ({ where, mountPoint }) => `${where} ${mountPoint}`).values()];
  const lanes = places
    .slice(0, shownLanes)
    .map((own): PackedLane => ({ name: laneName(own), spans: mountSpans(own, axis), marks: [] }));
  const left = places.length - shownLanes;
  return left > 0 ? [...lanes, { name: `${left} more places`, spans: [], marks: [] }] : lanes;
}

/** Whether a mount is a volume, or is inside one. */
function isVolume({ fstype, mountPoint }: MountEvent): boolean {
  return fstype.startsWith('fuse') || mountPoint.includes('/volumes/kubernetes.io~');
}

function laneName([first]: readonly MountEvent[]): string {
  if (first === undefined) return 'Mounts';
  const { where, mountPoint } = first;
  if (where !== 'node') return `${mountPoint} in ${podName(where)}`;
  const target = /\/pods\/([^/]{1,8})[^/]*\/volumes\//.exec(mountPoint);
  if (target) return `Target ${target[1]}…`;
  const standby = /\/(standby-\d+)\/[^/]+$/.exec(mountPoint);
  return standby ? `Source of ${standby[1]}` : 'Source on the node';
}

/** A mount that was removed but never added existed from the beginning. */
function mountSpans(events: readonly MountEvent[], axis: Axis): Span[] {
  const place = (at: number) => Math.round((at - axis.zero) / 1e3);
  const spans: (Span & { readonly row: number })[] = [];
  const open = new Map<number, MountEvent & { readonly row: number }>();
  const goesAt = (mount: MountEvent) =>
    events.find(({ id, change, at }) => id === mount.id && change === 'removed' && at >= mount.at)?.at ??
    Number.POSITIVE_INFINITY;
  /** The row for a new mount: that of the mount that it replaces, if any. */
  const freeAt = (at: number) => {
    const staying = [...open.values()].filter((mount) => goesAt(mount) > at + handOverNs);
    const taken = new Set(staying.map(({ row }) => row));
    let row = 0;
    while (taken.has(row)) row++;
    return row;
  };
  const close = (mount: MountEvent & { readonly row: number }, from: number, to: number) =>
    spans.push({
      from: place(from),
      to: place(to),
      row: mount.row,
      weight: 'thick',
      look: lookForOptions(mount),
      title: `${mount.mountPoint}: id ${mount.id}, device ${mount.device}, ${mount.fstype}, ${mount.options}, for ${formatNs(to - from)}`,
      label: mount.device,
    });
  // In one reading of the table, removals come after additions. Only mounts stacked for longer need a row of their own.
  const sorted = events.toSorted((a, b) => a.at - b.at || (a.change === 'removed' ? -1 : 1));
  for (const event of sorted) {
    const before = open.get(event.id);
    if (event.change === 'added') {
      open.set(event.id, { ...event, row: freeAt(event.at) });
      continue;
    }
    open.delete(event.id);
    if (before) close(before, before.at, event.at);
    else close({ ...event, row: 0 }, axis.from, event.at);
  }
  for (const mount of open.values()) close(mount, mount.at, Math.max(axis.to, mount.at));
  return spans;
}

function lookForOptions({ options }: MountEvent): Span['look'] {
  return options.split(',').includes('ro') ? 'calm' : 'plain';
}
