import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { concluded, fail, pass } from './finding.ts';

/** In the whole scenario no process of the agent ended: whatever it was given, it neither crashed nor had to be started again. */
export function agentRunsOn(history: readonly HistoryEvent[]): CheckRecord {
  const ends = history.flatMap((event) =>
    event.kind === 'process' && event.role === 'agent' && event.change === 'exited' ? [event] : [],
  );
  const [first] = ends;
  const title = { name: 'the node agent runs all the time', claims: [] };
  if (first === undefined) return concluded(title, pass('no process of it ended'));
  return concluded(title, fail(`${first.name} ended with ${first.signal ?? `status ${first.exitCode ?? '?'}`}`));
}
