import type { HistoryEvent } from '../../src/timeline/record.ts';

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
