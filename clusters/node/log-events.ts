import { parseLine } from '../../fakes/lines.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';

type AgentDecision = Extract<HistoryEvent, { kind: 'agent' }>['event'];

/** Every decision of the schema, by type: one that is missing here would be lost. The schema itself would bring Zod to the node. */
const decisions: Readonly<Record<AgentDecision, true>> = {
  noticed: true,
  'standby-refused': true,
  'standby-differs': true,
  'failed-over': true,
  skipped: true,
  replaced: true,
  recovered: true,
  unproven: true,
  failed: true,
  fallback: true,
  passed: true,
};

const isDecision = (value: unknown): value is AgentDecision =>
  typeof value === 'string' && Object.hasOwn(decisions, value);

/** Converts a decision on the agent's log to an event, at the agent's own time stamp. */
export function toEvent(line: Readonly<Record<string, unknown>>): HistoryEvent | undefined {
  const { event } = line;
  if (!isDecision(event) || typeof line.ns !== 'string') return undefined;
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

const reportedByDaemons: ReadonlySet<unknown> = new Set(['write', 'resent', 'answer-refused', 'keeper-refused']);

/**
 * Converts a line of a FUSE daemon's output to an event, at the daemon's own time stamp: that it is ready, that it received a write,
 * which is a violation because volumes of the documented flow are read-only, or what happened to requests at a takeover. `name`: `<namespace>/<pod>/<container>`.
 */
export function daemonEvent(name: string, text: string): HistoryEvent | undefined {
  const line = parseLine(text);
  const at = Number(line?.ns);
  if (line?.event === 'ready') return { kind: 'process', at, role: 'daemon', name, change: 'ready' };
  if (line && reportedByDaemons.has(line.event)) return { kind: 'output', at, program: name, stream: 'stdout', text };
  return undefined;
}

/** Daemons are the containers of Fluid's FUSE pods, and its sidecars. */
export function roleOf(container: string): 'daemon' | 'container' {
  return /\/(jindofs-fuse|fluid-fuse-\d+)$/.test(container) ? 'daemon' : 'container';
}
