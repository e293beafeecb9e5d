import type { HistoryEvent } from '../timeline/record.ts';

export interface NarratorOptions {
  readonly write: (line: string) => void;
  /** CLOCK_MONOTONIC nanoseconds of the crash; undefined before it. */
  readonly crashedAt: () => number | undefined;
}

/**
 * Tells a crash as it happens, a line for each thing that changed, timed from the crash: what the pod sees, what the node
 * sees, what the agent does. The probe is told when its result changes, not for each of its operations.
 */
export function createNarrator({ write, crashedAt }: NarratorOptions): (event: HistoryEvent) => void {
  const seenByPod = new Map<string, string>();
  const tell = (at: number, who: string, what: string): void => {
    const crash = crashedAt();
    write(`${(crash === undefined ? '' : sinceCrash(at - crash)).padStart(12)}  ${who.padEnd(8)} ${what}`);
  };
  return (event) => {
    switch (event.kind) {
      case 'probe': {
        const result = event.result === 'ok' ? 'ok' : event.result;
        const before = seenByPod.get(event.probe);
        // A good listing or stat between failed reads says little; a read that worked says that it is over.
        if (before === result || (result === 'ok' && event.op !== 'read')) return;
        seenByPod.set(event.probe, result);
        if (before === undefined && result === 'ok') return tell(event.finishedAt, 'pod', 'reads /data');
        return tell(event.finishedAt, 'pod', result === 'ok' ? 'reads again' : `${event.op} fails: ${result}`);
      }
      case 'hang':
        return tell(event.at, 'pod', event.over ? 'the call came back' : `a ${event.op} hangs`);
      case 'process':
        if (event.role === 'daemon') return tell(event.at, 'daemon', daemonLine(event));
        if (event.role === 'agent' && event.change === 'exited') return tell(event.at, 'agent', 'ended');
        return;
      case 'mount':
        if (!event.fstype.startsWith('fuse')) return;
        return tell(
          event.at,
          event.where === 'node' ? 'node' : 'pod',
          `mount ${event.change}: ${event.mountPoint} (${event.device}, ${event.options.split(',')[0]})`,
        );
      case 'agent':
        if (event.event === 'passed') return;
        return tell(event.at, 'agent', agentLine(event));
      case 'event':
        return tell(event.at, 'event', `${event.type} ${event.reason} on ${event.object}: ${event.message}`);
      case 'fault':
        return tell(event.at, 'fault', `${event.fault}: ${event.target}`);
      case 'kubelet':
        if (event.event === 'restart-scheduled')
          return tell(event.at, 'kubelet', `starts the container again in ${(event.delayNs ?? 0) / 1e9} s`);
        return;
      case 'output':
        return tell(event.at, 'output', event.text);
      default:
        return;
    }
  };
}

function daemonLine({ change, exitCode, signal }: Extract<HistoryEvent, { kind: 'process' }>): string {
  if (change !== 'exited') return change;
  return signal === undefined ? `ended with status ${exitCode ?? '?'}` : `was ended by ${signal}`;
}

function agentLine({ event, where, path, reason, tookNs, line }: Extract<HistoryEvent, { kind: 'agent' }>): string {
  const place = [where, path].filter((part) => part !== undefined).join(' ');
  const took = tookNs === undefined ? '' : ` in ${(tookNs / 1e6).toFixed(2)} ms`;
  const why = reason ?? (typeof line.errno === 'string' ? `${line.errno} at ${line.step}` : '');
  return `${event} ${place}${took}${why ? ` (${why})` : ''}`.trim();
}

function sinceCrash(nanoseconds: number): string {
  return `${nanoseconds < 0 ? '-' : '+'}${(Math.abs(nanoseconds) / 1e6).toFixed(1)} ms`;
}
