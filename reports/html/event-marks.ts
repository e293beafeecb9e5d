import { describe } from '../../src/timeline/describe.ts';
import type { ScenarioDigest } from '../../src/timeline/digest.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type { Look, PackedEvent, Shape } from '../page/packed.ts';
import type { ToMicros } from './lanes.ts';
import { isContradicted, trackTruth } from './truth.ts';

/** How an event is shown: a mark on a lane, and a row in the list. */
export interface EventMark {
  /** The lane, and the second column of the list. */
  readonly who: string;
  readonly says: string;
  /** A label next to the mark. */
  readonly short: string;
  readonly shape: Shape;
  readonly look: Look;
}

/** Events that are shown one by one. Probe results, output and snapshots are shown elsewhere. */
export type ShownEvent = Exclude<HistoryEvent, { kind: 'probe' | 'output' | 'snapshot' }>;

export function isShown(event: HistoryEvent): event is ShownEvent {
  return event.kind !== 'probe' && event.kind !== 'output' && event.kind !== 'snapshot';
}

export function markFor(event: ShownEvent): EventMark {
  const { text, name, details } = describe(event);
  const isNamed = event.kind === 'process' || event.kind === 'kubelet';
  const says = `${isNamed && name ? `${name}: ` : ''}${text}${details ? ` (${details})` : ''}`;
  return { says, ...shapeFor(event) };
}

function shapeFor(event: ShownEvent): Omit<EventMark, 'says'> {
  switch (event.kind) {
    case 'fault':
      return event.phase === 'injected'
        ? { who: 'Fault', short: event.fault, shape: 'bolt', look: 'bad' }
        : { who: 'Fault', short: `${event.fault} healed`, shape: 'ring', look: 'plain' };
    case 'process': {
      const marks = { started: ['box', 'plain'], ready: ['circle', 'ok'], exited: ['cross', 'bad'] } as const;
      const [shape, look] = marks[event.change];
      return { who: processLane(event), short: event.change, shape, look };
    }
    case 'mount': {
      const who = event.where === 'node' ? 'Mounts on the node' : `Mounts in ${podName(event.where)}`;
      return event.change === 'added'
        ? { who, short: 'added', shape: 'up', look: 'calm' }
        : { who, short: 'removed', shape: 'down', look: 'plain' };
    }
    case 'agent': {
      const marks = {
        noticed: ['diamond', 'calm'],
        'standby-refused': ['ring', 'warn'],
        'standby-differs': ['ring', 'warn'],
        'failed-over': ['diamond', 'ok'],
        skipped: ['ring', 'warn'],
        replaced: ['square', 'calm'],
        recovered: ['circle', 'ok'],
        unproven: ['ring', 'warn'],
        failed: ['cross', 'bad'],
        fallback: ['diamond', 'warn'],
        passed: ['dot', 'plain'],
      } as const;
      const [shape, look] = marks[event.event];
      return { who: 'Agent', short: event.event, shape, look };
    }
    case 'event':
      return event.type === 'Warning'
        ? { who: 'Kubernetes events', short: event.reason, shape: 'up', look: 'warn' }
        : { who: 'Kubernetes events', short: event.reason, shape: 'circle', look: 'calm' };
    case 'kubelet': {
      const marks = {
        'restart-scheduled': ['diamond', 'warn', 'back-off'],
        restarted: ['up', 'calm', 'restarted'],
        publish: ['plus', 'calm', 'publish'],
        unpublish: ['cross', 'plain', 'unpublish'],
        'pod-started': ['circle', 'ok', 'pod started'],
        'pod-removed': ['ring', 'plain', 'pod removed'],
      } as const;
      const [shape, look, short] = marks[event.event];
      return { who: 'Kubelet', short, shape, look };
    }
    case 'hang':
      return { who: `Probe in ${podName(event.probe)}`, short: 'hang', shape: 'bar', look: 'odd' };
    case 'note':
      return { who: 'Note', short: '', shape: 'ring', look: 'plain' };
  }
}

/** The lane of a process. Daemons and the agent have lanes of their own. */
export function processLane(event: Extract<HistoryEvent, { kind: 'process' }>): string {
  if (event.role === 'daemon') return 'FUSE daemon';
  if (event.role === 'agent') return 'Agent';
  return event.role === 'container' ? 'Containers' : 'Other processes';
}

/** The pod's name in `<namespace>/<pod>/<container>[:<path>]`. */
export function podName(where: string): string {
  return where.split(':')[0]?.split('/')[1] ?? where;
}

const shown = 1000;

/** All shown events, each with the state at that instant. */
export function collectEvents(
  digest: ScenarioDigest,
  place: ToMicros,
): { readonly list: PackedEvent[]; readonly left: number } {
  const told = digest.events.filter(isShown).filter((event) => !(event.kind === 'agent' && event.event === 'passed'));
  const truthAt = trackTruth(digest);
  const shorten = shortener(digest);
  let crash: number | undefined;
  const list = told.slice(0, shown).map((event): PackedEvent => {
    if (event.kind === 'fault' && event.phase === 'injected') crash = event.at;
    const { who, says, shape, look } = markFor(event);
    const truth = truthAt(event.at);
    return {
      at: place(event.at),
      ...(crash === undefined ? {} : { after: place(event.at) - place(crash) }),
      who,
      says: shorten(says),
      shape,
      look,
      truth: truth.says,
      ...(isContradicted(event, truth) ? { contradicted: true } : {}),
    };
  });
  return { list, left: Math.max(0, told.length - shown) };
}

/** Removes the scenario's namespace, which is the same in all its events. */
function shortener({ probes }: ScenarioDigest): (text: string) => string {
  const [namespace = ''] = probes[0]?.probe.split('/') ?? [];
  if (!namespace.startsWith('rk-')) return (text) => text;
  return (text) => text.replaceAll(`${namespace}/`, '').replaceAll(`${namespace}-`, '').replaceAll(namespace, '…');
}
