import type { AgentOptions, RunningCluster } from '../../clusters/cluster.ts';
import type { Profile } from '../profiles/profile.ts';
import type { History } from '../timeline/history.ts';
import type { BackoffRow, CheckRecord, HistoryEvent } from '../timeline/record.ts';

/** What a scenario adds to its record beyond what Cucumber knows. */
export interface ScenarioNotes {
  readonly id: string;
  startedAt: number;
  finishedAt: number;
  /** Why it was skipped, or is inconclusive. */
  reason?: string;
  readonly checks: CheckRecord[];
  mountLines?: { readonly before: number; readonly after: number };
  backoff?: readonly BackoffRow[];
}

/** A run in progress: what all its scenarios share. */
export interface Session {
  readonly cluster: RunningCluster;
  readonly history: History;
  readonly profile: Profile;
  /** The agent's flags that every scenario begins with. */
  readonly agent: AgentOptions;
  readonly signal: AbortSignal;
  /** By pickle id. */
  readonly notes: Map<string, ScenarioNotes>;
  readonly leftovers: string[];
  readonly onEvent: (event: HistoryEvent) => void;
}

// Cucumber copies its world parameters by value and loads steps by path, so a name is all that can be handed through.
const sessions = new Map<string, Session>();

/** Makes a session reachable for step definitions until disposed of. */
export function registerSession(name: string, session: Session): Disposable {
  sessions.set(name, session);
  return { [Symbol.dispose]: () => void sessions.delete(name) };
}

/** How long a step may take at all, where sessions are registered: several waits, each as patient as its cluster asks for. */
export function longestStepMs(): number {
  const patience = [...sessions.values()].map(({ cluster }) => cluster.patienceMs);
  return 10 * Math.max(20_000, ...patience);
}

export function sessionOf(name: string): Session {
  const session = sessions.get(name);
  if (!session) throw new Error(`no session ${name}: scenarios are run by "rekindle conform"`);
  return session;
}
