import { parseProbeName } from '../timeline/consumer.ts';
import { type Description, describe } from '../timeline/describe.ts';
import type { HistoryEvent } from '../timeline/record.ts';

export interface NarratorOptions {
  readonly write: (line: string) => void;
  /** CLOCK_MONOTONIC nanoseconds of the crash; undefined before it. */
  readonly crashedAt: () => number | undefined;
}

/**
 * Prints a crash as it happens: what the pod sees, what the node sees and what the agent does, one line per change, timed
 * from the crash. A probe gets a line if its result changes, not for each operation.
 */
export function createNarrator({ write, crashedAt }: NarratorOptions): (event: HistoryEvent) => void {
  const lastResults = new Map<string, string>();
  const print = (at: number, { actor, text }: Description): void => {
    const crash = crashedAt();
    write(`${(crash === undefined ? '' : formatSinceCrash(at - crash)).padStart(12)}  ${actor.padEnd(8)} ${text}`);
  };
  return (event) => {
    if (event.kind === 'probe') {
      const { probe, op, result, finishedAt } = event;
      const before = lastResults.get(probe);
      // A successful list or stat between failed reads proves little; a successful read ends the outage.
      if (before === result || (result === 'ok' && op !== 'read')) return;
      lastResults.set(probe, result);
      if (result !== 'ok') return print(finishedAt, describe(event));
      return print(finishedAt, {
        actor: 'pod',
        text: before === undefined ? `reads ${parseProbeName(probe).path}` : 'reads again',
      });
    }
    if (event.kind === 'output') return print(event.at, { actor: 'output', text: clip(event.text) });
    if (isWorthALine(event)) print(event.at, describe(event));
  };
}

/** A program may print lines of any length. */
const clip = (text: string) => (text.length > 100 ? `${text.slice(0, 99)}…` : text);

function isWorthALine(event: Exclude<HistoryEvent, { kind: 'probe' | 'output' }>): boolean {
  switch (event.kind) {
    case 'process':
      return event.role === 'daemon' || (event.role === 'agent' && event.change === 'exited');
    case 'mount':
      return event.fstype.startsWith('fuse');
    case 'agent':
      return event.event !== 'passed';
    case 'kubelet':
      return event.event === 'restart-scheduled';
    case 'snapshot':
    case 'note':
      return false;
    default:
      return true;
  }
}

function formatSinceCrash(nanoseconds: number): string {
  return `${nanoseconds < 0 ? '-' : '+'}${(Math.abs(nanoseconds) / 1e6).toFixed(1)} ms`;
}
