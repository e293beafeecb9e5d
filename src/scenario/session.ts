import type { AgentSettings, RunningCluster } from '../../clusters/cluster.ts';
import type { Profile } from '../profiles/profile.ts';
import type { History } from '../timeline/history.ts';
import type { BackoffRow, CheckRecord, HistoryEvent } from '../timeline/record.ts';

/** The part of a scenario's record that does not come from Cucumber's messages. */
export interface ScenarioNotes {
  readonly id: string;
  startedAt: number;
  finishedAt: number;
  /** Reason why it was skipped or is inconclusive. */
  reason?: string;
  readonly checks: CheckRecord[];
  mountLines?: { readonly before: number; readonly after: number };
  backoff?: readonly BackoffRow[];
}

/** State that all scenarios of a runner share. */
export interface Session {
  readonly cluster: RunningCluster;
  readonly history: History;
  readonly profile: Profile;
  /** The agent's flags at the beginning of each scenario. */
  readonly agent: AgentSettings;
  readonly signal: AbortSignal;
  /** By pickle id. */
  readonly notes: Map<string, ScenarioNotes>;
  readonly leftovers: string[];
  readonly onEvent: (event: HistoryEvent) => void;
  /** Only time passes in the scenario from now on, or no longer: others may use the processors. */
  readonly onWait?: (waits: boolean) => void;
}

// Cucumber copies its world parameters by value and loads steps by path, so only a name can be passed through.
const sessions = new Map<string, Session>();

/** Makes a session available to step definitions until disposed of. */
export function registerSession(name: string, session: Session): Disposable {
  sessions.set(name, session);
  return { [Symbol.dispose]: () => void sessions.delete(name) };
}

/** Timeout of a step, which may contain several waits with the registered clusters' timeout. */
export function longestStepMs(): number {
  const timeouts = [...sessions.values()].map(({ cluster }) => cluster.patienceMs);
  return 10 * Math.max(20_000, ...timeouts);
}

export function sessionOf(name: string): Session {
  const session = sessions.get(name);
  if (!session) throw new Error(`no session ${name}: scenarios are run by "rekindle conform"`);
  return session;
}
