import { formatNs } from '../../src/timeline/duration.ts';
import { groupBy } from '../../src/timeline/group-by.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type { Lane, Span } from '../page/packed.ts';
import type { Axis } from './axis.ts';
import { podOf } from './happening.ts';

type MountEvent = Extract<HistoryEvent, { kind: 'mount' }>;

const shownLanes = 12;
/** A new mount and the one that it replaces are there together for about as long. */
const handOverNs = 20e6;

/** Each place at which a FUSE volume is mounted: a span for each mount's life, lines below each other where they are stacked. */
export function mountLanes(events: readonly HistoryEvent[], axis: Axis): Lane[] {
  const mounts = events.filter((event) => event.kind === 'mount' && isVolume(event)) as MountEvent[];
  const places = [...groupBy(mounts, ({ where, mountPoint }) => `${where} ${mountPoint}`).values()];
  const lanes = places
    .slice(0, shownLanes)
    .map((own): Lane => ({ name: nameOf(own), spans: spansOf(own, axis), marks: [] }));
  const left = places.length - shownLanes;
  return left > 0 ? [...lanes, { name: `${left} more places`, spans: [], marks: [] }] : lanes;
}

/** A volume, or what a pod has mounted inside one. */
function isVolume({ fstype, mountPoint }: MountEvent): boolean {
  return fstype.startsWith('fuse') || mountPoint.includes('/volumes/kubernetes.io~');
}

function nameOf([first]: readonly MountEvent[]): string {
  if (first === undefined) return 'Mounts';
  const { where, mountPoint } = first;
  if (where !== 'node') return `${mountPoint} in ${podOf(where)}`;
  const target = /\/pods\/([^/]{1,8})[^/]*\/volumes\//.exec(mountPoint);
  return target ? `Target ${target[1]}…` : 'Source on the node';
}

/** Mounts that went without having come were there from the beginning. */
function spansOf(events: readonly MountEvent[], axis: Axis): Span[] {
  const place = (at: number) => Math.round((at - axis.zero) / 1e3);
  const spans: (Span & { readonly row: number })[] = [];
  const open = new Map<number, MountEvent & { readonly row: number }>();
  const goesAt = (mount: MountEvent) =>
    events.find(({ id, change, at }) => id === mount.id && change === 'removed' && at >= mount.at)?.at ??
    Number.POSITIVE_INFINITY;
  /** What gives way to the new one at once is on its line. */
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
      look: lookOf(mount),
      title: `${mount.mountPoint}: id ${mount.id}, device ${mount.device}, ${mount.fstype}, ${mount.options}, for ${formatNs(to - from)}`,
      label: mount.device,
    });
  // Within one look at the table what went is told after what came; a line of its own only for what is stacked for longer.
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

function lookOf({ options }: MountEvent): Span['look'] {
  return options.split(',').includes('ro') ? 'calm' : 'plain';
}
