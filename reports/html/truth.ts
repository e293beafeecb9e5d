import type { ProbeColumns, ScenarioDigest } from '../../src/timeline/digest.ts';
import { podName, type ShownEvent } from './event-marks.ts';

/** The state at an instant, to compare claims with. */
export interface Truth {
  readonly says: string;
  /** Whether each probed pod could read. */
  readonly allRead: boolean;
  /** Pods whose last operation failed. */
  readonly failing: readonly string[];
}

/** Returns a function for the state at an instant. Instants must ascend. */
export function trackTruth({ events, probes }: ScenarioDigest): (at: number) => Truth {
  const next = new Map<ProbeColumns, number>(probes.map((probe) => [probe, 0]));
  const last = new Map<ProbeColumns, string>();
  const daemons = new Map<string, string>();
  const layers = new Map<string, Map<number, string>>();
  const hanging = new Set<string>();
  let event = 0;
  return (at) => {
    for (const probe of probes) {
      let i = next.get(probe) ?? 0;
      while (i < probe.count && probe.at(i) + probe.took(i) <= at) last.set(probe, probe.result(i++));
      next.set(probe, i);
    }
    for (; event < events.length; event++) {
      const one = events[event];
      if (one === undefined || one.at > at) break;
      if (one.kind === 'process' && one.role === 'daemon') daemons.set(one.name, states[one.change]);
      if (one.kind === 'hang' && !one.over) hanging.add(one.probe);
      if (one.kind === 'hang' && one.over) hanging.delete(one.probe);
      if (one.kind !== 'mount' || one.where === 'node' || !one.fstype.startsWith('fuse')) continue;
      const place = `${one.mountPoint} in ${podName(one.where)}`;
      const here = layers.get(place) ?? new Map<number, string>();
      if (one.change === 'added') here.set(one.id, one.device);
      else here.delete(one.id);
      layers.set(place, here);
    }
    const results = probes.map((probe) => ({
      pod: podName(probe.probe),
      result: hanging.has(probe.probe) ? 'hangs' : last.get(probe),
    }));
    const failing = results.filter(({ result }) => result !== undefined && result !== 'ok');
    return {
      says: [describePods(results), describeDaemons([...daemons.values()]), describeMounts(layers)]
        .filter((part) => part)
        .join(' · '),
      allRead: results.length > 0 && results.every(({ result }) => result === 'ok'),
      failing: failing.map(({ pod }) => pod),
    };
  };
}

/** Whether an event claims success while its pod cannot read. */
export function isContradicted(event: ShownEvent, truth: Truth): boolean {
  if (event.kind === 'agent')
    return event.event === 'recovered' && truth.failing.some((pod) => pod === podName(event.where ?? ''));
  if (event.kind !== 'event' || !/succe/i.test(event.reason)) return false;
  return truth.failing.some((pod) => event.message.includes(`/${pod}`) || event.object.endsWith(`/${pod}`));
}

const states = { started: 'starting', ready: 'ready', exited: 'gone' } as const;

interface PodResult {
  readonly pod: string;
  readonly result: string | undefined;
}

function describePods(results: readonly PodResult[]): string {
  const known = results.filter(({ result }) => result !== undefined);
  if (known.length === 0) return '';
  if (known.length <= 2) {
    return known.map(({ pod, result }) => `${pod} ${result === 'ok' ? 'reads' : result}`).join(', ');
  }
  const reading = known.filter(({ result }) => result === 'ok').length;
  return `${reading} of ${known.length} pods read`;
}

function describeDaemons(now: readonly string[]): string {
  if (now.length === 0) return '';
  if (now.length === 1) return `daemon ${now[0]}`;
  const ready = now.filter((state) => state === 'ready').length;
  return `${ready} of ${now.length} daemons ready`;
}

function describeMounts(layers: ReadonlyMap<string, ReadonlyMap<number, string>>): string {
  if (layers.size === 0 || layers.size > 2) return '';
  return [...layers]
    .map(([place, mounts]) => `${place}: ${mounts.size === 0 ? 'not mounted' : [...mounts.values()].join(' over ')}`)
    .join(', ');
}
