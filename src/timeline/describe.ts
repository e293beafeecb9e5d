import { formatNs } from './duration.ts';
import type { EventOf, HistoryEvent } from './record.ts';

/** An event in English. `<actor> <text>` is a line of a log. */
export interface Description {
  /** One word: `pod`, `daemon`, `agent`, `kubelet` ... */
  readonly actor: string;
  /** Which of several actors, if the event names it. */
  readonly name?: string;
  /** What happened, as a predicate of the actor. */
  readonly text: string;
  /** Figures and identifiers for readers who look closer. */
  readonly details?: string;
}

/** The only place that turns an event into English. */
export function describe(event: HistoryEvent): Description {
  switch (event.kind) {
    case 'probe': {
      const { probe, op, result } = event;
      return { actor: 'pod', name: probe, text: result === 'ok' ? `${op} succeeds` : `${op} fails: ${result}` };
    }
    case 'hang': {
      const lasted = formatNs(event.at - event.since);
      const text = event.over ? `${event.op} returned after ${lasted}` : `${event.op} has not returned for ${lasted}`;
      return { actor: 'pod', name: event.probe, text };
    }
    case 'process':
      return {
        actor: event.role,
        name: event.name,
        text:
          event.change === 'exited'
            ? describeExit(event)
            : `${event.change}${event.by === 'statfs' ? ' (first successful statfs of ours)' : ''}`,
        ...(event.pid !== undefined && { details: `pid ${event.pid}` }),
      };
    case 'mount':
      return describeMount(event);
    case 'agent':
      return describeAgent(event);
    case 'event': {
      const { type, reason, object, message, count } = event;
      const text = `${type} ${reason} on ${object}: ${message}`;
      return { actor: 'event', text, ...(count > 1 && { details: `${count} times` }) };
    }
    case 'kubelet':
      return describeKubelet(event);
    case 'fault': {
      const { fault, phase, target, detail } = event;
      const text = `${fault}${phase === 'healed' ? ' healed' : ''}: ${target}`;
      return { actor: 'fault', text, ...(detail && { details: detail }) };
    }
    case 'output':
      return { actor: 'output', name: event.program, text: event.text };
    case 'snapshot': {
      const { where, label, lines } = event;
      return {
        actor: where === 'node' ? 'node' : 'pod',
        name: where,
        text: `mount table “${label}”: ${lines.length} lines`,
      };
    }
    case 'note':
      return { actor: 'note', text: event.text };
  }
}

/** The whole description on one line: `daemon default/demo/jindofs-fuse: exited with status 0`. */
export function formatDescription({ actor, name, text }: Description): string {
  return name === undefined || name === actor ? `${actor} ${text}` : `${actor} ${name}: ${text}`;
}

function describeExit({ exitCode, signal }: EventOf<'process'>): string {
  if (signal !== undefined) return `killed by ${signal}`;
  return exitCode === undefined ? 'exited' : `exited with status ${exitCode}`;
}

function describeMount({ where, change, mountPoint, device, options, id, fstype }: EventOf<'mount'>): Description {
  return {
    actor: where === 'node' ? 'node' : 'pod',
    name: where,
    text: `mount ${change}: ${mountPoint} (${device}, ${options.split(',')[0]})`,
    details: `id ${id}, ${fstype}, ${options}`,
  };
}

function describeAgent({ event, volume, where, path, reason, tookNs, line }: EventOf<'agent'>): Description {
  const site = [where, path].filter((part) => part !== undefined).join(' ');
  const took = tookNs === undefined ? '' : ` in ${formatNs(tookNs)}`;
  const cause = reason ?? (typeof line.errno === 'string' ? `${line.errno} at ${line.step}` : '');
  return {
    actor: 'agent',
    text: `${event} ${site}${took}${cause ? ` (${cause})` : ''}`.trim(),
    ...(volume !== undefined && { details: `volume ${volume}` }),
  };
}

function describeKubelet({ event, pod, container, delayNs, restartCount, detail }: EventOf<'kubelet'>): Description {
  const details = [restartCount === undefined ? '' : `restart count ${restartCount}`, detail ?? ''].filter(Boolean);
  const text =
    event === 'restart-scheduled'
      ? `restarts the container in ${(delayNs ?? 0) / 1e9} s`
      : {
          restarted: 'restarted the container',
          publish: 'publishes the volume',
          unpublish: 'unpublishes the volume',
          'pod-started': 'started the pod',
          'pod-removed': 'removed the pod',
        }[event];
  return {
    actor: 'kubelet',
    name: container === undefined ? pod : `${pod}/${container}`,
    text,
    ...(details.length > 0 && { details: details.join(', ') }),
  };
}
