import { formatNs } from '../../src/timeline/duration.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type { Look, Shape } from '../page/packed.ts';

/** What happened, for the eye and in words: a mark on a lane, and a line in the list. */
export interface Told {
  /** Who did it: the lane, and the list's second column. */
  readonly who: string;
  readonly says: string;
  /** A word or two beside the mark. */
  readonly short: string;
  readonly shape: Shape;
  readonly look: Look;
}

/** Events that are told one by one; probe results and output have pictures and lists of their own. */
export type ToldEvent = Exclude<HistoryEvent, { kind: 'probe' | 'output' | 'snapshot' }>;

export function isTold(event: HistoryEvent): event is ToldEvent {
  return event.kind !== 'probe' && event.kind !== 'output' && event.kind !== 'snapshot';
}

export function tell(event: ToldEvent): Told {
  switch (event.kind) {
    case 'fault':
      return {
        who: 'Fault',
        says: `${event.fault} ${event.phase} in ${event.target}${suffix(event.detail)}`,
        short: event.phase === 'injected' ? event.fault : `${event.fault} healed`,
        shape: event.phase === 'injected' ? 'bolt' : 'ring',
        look: event.phase === 'injected' ? 'bad' : 'plain',
      };
    case 'process':
      return tellProcess(event);
    case 'mount':
      return {
        who: event.where === 'node' ? 'Mounts on the node' : `Mounts in ${podOf(event.where)}`,
        says: `${event.change}: ${event.mountPoint} (id ${event.id}, device ${event.device}, ${event.fstype}, ${event.options})`,
        short: event.change,
        shape: event.change === 'added' ? 'up' : 'down',
        look: event.change === 'added' ? 'calm' : 'plain',
      };
    case 'agent':
      return tellAgent(event);
    case 'event':
      return {
        who: 'Kubernetes events',
        says: `${event.type} ${event.reason} on ${event.object}${event.count > 1 ? ` (${event.count} times)` : ''}: ${event.message}`,
        short: event.reason,
        shape: event.type === 'Warning' ? 'up' : 'circle',
        look: event.type === 'Warning' ? 'warn' : 'calm',
      };
    case 'kubelet':
      return tellKubelet(event);
    case 'hang':
      return {
        who: `Probe in ${podOf(event.probe)}`,
        says: event.over
          ? `${event.op} came back after ${formatNs(event.at - event.since)}`
          : `${event.op} has not come back for ${formatNs(event.at - event.since)}`,
        short: 'hang',
        shape: 'bar',
        look: 'odd',
      };
    case 'note':
      return { who: 'Note', says: event.text, short: '', shape: 'ring', look: 'plain' };
  }
}

function tellProcess(event: Extract<HistoryEvent, { kind: 'process' }>): Told {
  const pid = event.pid === undefined ? '' : ` (pid ${event.pid})`;
  const how = event.signal
    ? ` by ${event.signal}`
    : event.exitCode === undefined
      ? ''
      : ` with status ${event.exitCode}`;
  const marks = { started: ['box', 'plain'], ready: ['circle', 'ok'], exited: ['cross', 'bad'] } as const;
  const [shape, look] = marks[event.change];
  return {
    who: processLane(event),
    says: `${event.name}${pid} ${event.change === 'ready' ? 'is ready' : `${event.change}${how}`}`,
    short: event.change,
    shape,
    look,
  };
}

/** The lane of a process: daemons and the agent have one of their own. */
export function processLane(event: Extract<HistoryEvent, { kind: 'process' }>): string {
  if (event.role === 'daemon') return 'FUSE daemon';
  if (event.role === 'agent') return 'Agent';
  return event.role === 'container' ? 'Containers' : 'Other processes';
}

function tellAgent(event: Extract<HistoryEvent, { kind: 'agent' }>): Told {
  const place = event.where === undefined ? '' : event.where === 'node' ? ' on the node' : ` in ${event.where}`;
  const took = event.tookNs === undefined ? '' : `, took ${formatNs(event.tookNs)}`;
  const marks = {
    noticed: ['diamond', 'calm'],
    skipped: ['ring', 'warn'],
    replaced: ['square', 'calm'],
    recovered: ['circle', 'ok'],
    failed: ['cross', 'bad'],
    passed: ['dot', 'plain'],
  } as const;
  const [shape, look] = marks[event.event];
  const says = [event.event, event.volume].filter(Boolean).join(' ');
  return { who: 'Agent', says: `${says}${place}${suffix(event.reason)}${took}`, short: event.event, shape, look };
}

function tellKubelet(event: Extract<HistoryEvent, { kind: 'kubelet' }>): Told {
  const marks = {
    'restart-scheduled': ['diamond', 'warn', 'back-off'],
    restarted: ['up', 'calm', 'restarted'],
    publish: ['plus', 'calm', 'publish'],
    unpublish: ['cross', 'plain', 'unpublish'],
    'pod-started': ['circle', 'ok', 'pod started'],
    'pod-removed': ['ring', 'plain', 'pod removed'],
  } as const;
  const [shape, look, short] = marks[event.event];
  const what = event.event.replace('-', ' ');
  const delay = event.delayNs === undefined ? '' : ` after ${formatNs(event.delayNs)} of the kubelet’s clock`;
  const restarts = event.restartCount === undefined ? '' : `, restart count ${event.restartCount}`;
  const container = event.container === undefined ? '' : `/${event.container}`;
  const says = `${what}: ${event.pod}${container}${delay}${restarts}${suffix(event.detail)}`;
  return { who: 'Kubelet', says, short, shape, look };
}

/** `<namespace>/<pod>/<container>[:<path>]` as a reader needs it: the pod's name. */
export function podOf(where: string): string {
  return where.split(':')[0]?.split('/')[1] ?? where;
}

function suffix(detail: string | undefined): string {
  return detail === undefined || detail === '' ? '' : `: ${detail}`;
}
