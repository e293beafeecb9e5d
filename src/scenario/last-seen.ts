import type { HistoryEvent } from '../timeline/record.ts';

/** How many events a time-out names, besides what the probes saw. */
const told = 4;

/** What a history ends with, for a time-out's message: the last result of each probe, and the last other things that happened. */
export function lastSeen(history: readonly HistoryEvent[]): string {
  const probes = new Map<string, string>();
  for (const event of history) if (event.kind === 'probe') probes.set(event.probe, `${event.op} ${event.result}`);
  const others = history.flatMap((event) => described(event) ?? []);
  const parts = [...[...probes].map(([probe, result]) => `${probe} ${result}`), ...others.slice(-told)];
  return parts.length === 0 ? 'nothing happened at all' : parts.join('; ');
}

function described(event: HistoryEvent): string | undefined {
  switch (event.kind) {
    case 'process':
      return `${event.role} ${event.name} ${event.change}${event.signal ? ` by ${event.signal}` : ''}`;
    case 'mount':
      // Others on the machine mount things, too.
      if (!event.fstype.startsWith('fuse')) return undefined;
      return `mount ${event.change} in ${event.where}: ${event.mountPoint}`;
    case 'agent':
      if (event.event === 'passed') return undefined;
      return ['agent', event.event, event.where, event.path, event.reason].filter((part) => part).join(' ');
    case 'event':
      return `event ${event.reason} on ${event.object}: ${event.message}`;
    case 'kubelet':
      return [`kubelet ${event.event}`, event.pod, event.detail].filter((part) => part).join(' ');
    case 'fault':
      return `fault ${event.fault} ${event.phase}`;
    case 'hang':
      return `${event.op} of ${event.probe} ${event.over ? 'came back' : 'hangs'}`;
    case 'output':
      return `${event.program} printed ${JSON.stringify(event.text.slice(0, 120))}`;
    case 'probe':
    case 'snapshot':
    case 'note':
      return undefined;
  }
}
