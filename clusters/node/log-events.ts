import type { HistoryEvent } from '../../src/timeline/record.ts';
import { parseLine } from './lines.ts';

const decisions = ['noticed', 'skipped', 'replaced', 'recovered', 'failed', 'passed'] as const;

/** A decision on the agent's log as an event of the history; its own time stamp counts, not when the line was read. */
export function toEvent(line: Readonly<Record<string, unknown>>): HistoryEvent | undefined {
  const event = decisions.find((name) => name === line.event);
  if (!event || typeof line.ns !== 'string') return undefined;
  const text = (key: string) => (typeof line[key] === 'string' ? { [key]: line[key] as string } : {});
  const where =
    line.place === 'container' ? `${line.pod}/${line.container}` : line.place === 'target' ? 'node' : undefined;
  return {
    kind: 'agent',
    at: Number(line.ns),
    event,
    ...text('volume'),
    ...text('path'),
    ...text('reason'),
    ...(where && { where }),
    ...(typeof line.tookNs === 'number' && { tookNs: line.tookNs }),
    line,
  };
}

/**
 * What a line of a FUSE daemon's output says for the history, at the daemon's own time: that it is ready; that it was
 * written to, which is a finding because no volume of the documented flow can be. `name`: `<namespace>/<pod>/<container>`.
 */
export function daemonEvent(name: string, text: string): HistoryEvent | undefined {
  const line = parseLine(text);
  const at = Number(line?.ns);
  if (line?.event === 'ready') return { kind: 'process', at, role: 'daemon', name, change: 'ready' };
  if (line?.event === 'write') return { kind: 'output', at, program: name, stream: 'stdout', text };
  return undefined;
}

/** By the names of their containers: Fluid's FUSE pods and its sidecars. */
export function roleOf(container: string): 'daemon' | 'container' {
  return /\/(jindofs-fuse|fluid-fuse-\d+)$/.test(container) ? 'daemon' : 'container';
}
