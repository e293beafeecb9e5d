import { formatNs } from '../../src/timeline/duration.ts';
import { groupBy } from '../../src/timeline/group-by.ts';
import type { HistoryEvent, Recovery } from '../../src/timeline/record.ts';
import type { Window } from '../page/packed.ts';
import type { Axis } from './axis.ts';

/** From a crash until all pods could read again; two pods that share a crash share a window. */
export function outages(recoveries: readonly Recovery[], axis: Axis): Window[] {
  return [...groupBy(recoveries, (recovery) => recovery.crash)].flatMap(([crash, all]): Window[] => {
    const disturbed = all.filter((recovery) => recovery.firstError !== undefined);
    if (disturbed.length === 0) return [];
    const next = recoveries.find((recovery) => recovery.crash > crash)?.crash ?? Number.POSITIVE_INFINITY;
    const healed = disturbed.every((recovery) => recovery.readable !== undefined);
    const to = Math.max(...disturbed.map((recovery) => recovery.readable ?? Math.min(next, axis.to)));
    if (to < axis.from || crash > axis.to) return [];
    const unread = Number.isFinite(next) ? 'overtaken by the next crash' : 'not readable again';
    const took = healed ? `outage of ${formatNs(to - crash)}` : unread;
    return [{ from: crash, to, kind: 'outage', says: `${took}, ${offset(crash, axis)}` }];
  });
}

/** From a fault's injection until it was healed; a fault that is over at once has no width. */
export function faultWindows(events: readonly HistoryEvent[], axis: Axis): Window[] {
  const faults = events.filter((event) => event.kind === 'fault');
  return faults.flatMap((fault): Window[] => {
    if (fault.phase !== 'injected' || fault.at > axis.to) return [];
    const healed = faults.find(
      (one) => one.phase === 'healed' && one.fault === fault.fault && one.target === fault.target && one.at >= fault.at,
    );
    if ((healed?.at ?? fault.at) < axis.from) return [];
    const until = healed ? `, healed after ${formatNs(healed.at - fault.at)}` : '';
    const says = `${fault.fault} in ${fault.target}, ${offset(fault.at, axis)}${until}`;
    return [{ from: fault.at, to: healed?.at ?? fault.at, kind: 'fault', says }];
  });
}

function offset(at: number, { zero }: Axis): string {
  return `at ${formatNs(at - zero)}`;
}
