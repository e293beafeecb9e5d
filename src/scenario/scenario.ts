import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentSettings, ProgramRun, RunningProgram } from '../../clusters/cluster.ts';
import { type PollOptions, PollTimeout, poll } from '../../clusters/poll.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import { fail, recordCheck } from '../checks/check.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { formatNotPassed } from '../timeline/verdict.ts';
import { FaultInjection } from './fault-injection.ts';
import { lastSeen } from './last-seen.ts';
import { Namespace } from './namespace.ts';
import type { ScenarioNotes, Session } from './session.ts';

/** Stops a scenario at a check. What the check found is in the notes; the message is for other formatters of Cucumber. */
export class CheckNotPassed extends Error {}

interface ScenarioOptions {
  /** Operations per second of each probe. */
  readonly probeRate?: number;
  /** Multiplies the cluster's timeout for one condition. */
  readonly timeoutMultiplier?: number;
}

/** Longer than the time-outs of most implementations, after which they may do what they did not do at once. */
const shortestWatchMs = 10_000;

/** One running scenario: its namespace, its faults, the agent's flags, and its part of the history. */
export class Scenario implements AsyncDisposable {
  readonly session: Session;
  readonly notes: ScenarioNotes;
  readonly namespace: Namespace;
  readonly faults: FaultInjection;
  readonly probeRate: number;
  readonly #timeoutMs: number;
  readonly #resources = new AsyncDisposableStack();
  readonly #tenants = new AsyncDisposableStack();
  #agentOptions: AgentSettings;
  #agentChanged = false;
  #timeline: Timeline | undefined;

  constructor(
    session: Session,
    notes: ScenarioNotes,
    { probeRate = 200, timeoutMultiplier = 1 }: ScenarioOptions = {},
  ) {
    this.session = session;
    this.notes = notes;
    this.probeRate = probeRate;
    this.#timeoutMs = timeoutMultiplier * session.cluster.patienceMs;
    this.#agentOptions = session.agent;
    this.namespace = new Namespace(this, namespaceName(notes.id));
    this.faults = new FaultInjection(session);
  }

  /** Creates the scenario's namespace. */
  async begin(): Promise<void> {
    await this.namespace.create();
    this.#resources.use(this.namespace);
  }

  /** Creates the namespace of another tenant; it is released after everything else of the scenario. */
  async createTenant(name: string): Promise<Namespace> {
    const tenant = new Namespace(this, name);
    await tenant.create();
    return this.#tenants.use(tenant);
  }

  /** All events of this scenario so far, in order of time. */
  get history(): readonly HistoryEvent[] {
    return this.session.history.ofScenario(this.notes.id);
  }

  /** The events of this scenario so far, with what follows from them. */
  get timeline(): Timeline {
    const { history } = this;
    if (this.#timeline?.events.length !== history.length) this.#timeline = new Timeline(history);
    return this.#timeline;
  }

  /** How long to watch for what must not happen, in milliseconds: twice the implementation's period, and at least this. */
  get watchMs(): number {
    return Math.max(shortestWatchMs, 2 * this.session.profile.periodMs);
  }

  get #lastInjection() {
    return this.history.filter((event) => event.kind === 'fault').findLast(({ phase }) => phase === 'injected');
  }

  /** Time of the last injected fault in nanoseconds since the run began, or 0. */
  get lastFaultAt(): number {
    return this.#lastInjection?.at ?? 0;
  }

  /** Name of the last injected fault, or an empty text. */
  get lastFault(): string {
    return this.#lastInjection?.fault ?? '';
  }

  /** The agent's flags in force. */
  get agentOptions(): AgentSettings {
    return this.#agentOptions;
  }

  async setRecovery(fuseRecovery: AgentSettings['fuseRecovery'], { standby = false } = {}): Promise<void> {
    if (this.session.profile.gate === 'none') return;
    const { fuseRecovery: recovers, standby: hasStandby = false } = this.#agentOptions;
    if (recovers !== fuseRecovery || hasStandby !== standby) await this.restartAgent({ fuseRecovery, standby });
  }

  /** Restarts the agent with other flags; those of the session return with the end of the scenario. */
  async restartAgent(change: Partial<AgentSettings>): Promise<void> {
    this.agentWasChanged(change);
    await this.session.cluster.restartAgent(this.#agentOptions);
  }

  /** Notes that something else changes the agent's flags, for example `kubectl apply`. */
  agentWasChanged(change: Partial<AgentSettings>): void {
    this.#agentChanged = true;
    this.#agentOptions = { ...this.#agentOptions, ...change };
  }

  /** Polls until a condition is met, for the cluster's timeout, and for `atLeastMs` if that is longer. @throws PollTimeout */
  eventually<T>({
    atLeastMs = 0,
    ...condition
  }: Pick<PollOptions<T>, 'condition' | 'read' | 'until' | 'format' | 'intervalMs'> & {
    readonly atLeastMs?: number;
  }): Promise<T> {
    return poll({ ...condition, timeoutMs: Math.max(this.#timeoutMs, atLeastMs), signal: this.session.signal });
  }

  /**
   * Waits for an outcome of what is judged. That it does not come in time is its failure, also in a step before the first When, where a
   * timeout would otherwise be ours. @throws CheckNotPassed
   */
  async judgeWait<T>(name: string, wait: () => Promise<T>): Promise<T> {
    try {
      return await wait();
    } catch (error) {
      if (error instanceof PollTimeout) this.judge(recordCheck({ name, claims: [] }, fail(error.message)));
      throw error;
    }
  }

  /** Waits until the history contains an event. */
  async happens(condition: string, isEvent: (event: HistoryEvent) => boolean): Promise<void> {
    await this.eventually({
      condition,
      read: () => this.history,
      until: (events) => events.some(isEvent),
      format: lastSeen,
    });
  }

  /** Waits until a daemon has become ready after a moment, in nanoseconds since the run began. */
  daemonReadyAfter(since: number): Promise<void> {
    return this.happens(
      'the daemon is ready again',
      (event) => event.kind === 'process' && event.role === 'daemon' && event.change === 'ready' && event.at > since,
    );
  }

  /** Watches for what must not happen, and records the mount tables at the end. */
  async watch(): Promise<void> {
    // The last operation that a check takes into account is slightly older than the present.
    await this.watchFor(this.watchMs + 500);
    await this.namespace.snapshotMounts('watched');
  }

  /** Lets time pass while the observers record. */
  async watchFor(milliseconds: number): Promise<void> {
    const { signal } = this.session;
    await this.onlyWaiting(() => delay(milliseconds, undefined, { signal }));
  }

  /** Marks a time in which the scenario only waits, so that another one may work. */
  async onlyWaiting(wait: () => Promise<void>): Promise<void> {
    const { onWait } = this.session;
    onWait?.(true);
    try {
      await wait();
    } finally {
      onWait?.(false);
    }
  }

  /** Whether the agent is Rekindle's own, which also logs what it claims. */
  get judgesOwnAgent(): boolean {
    const { cluster, profile } = this.session;
    return cluster.capabilities.has('agent-flags') && profile.agent?.command === undefined;
  }

  /** Whether the profile promises that refusals are explained; if not, notes what is not asked for. */
  promisesExplanations(explanation: string): boolean {
    const { explainsRefusals } = this.session.profile.promises;
    const text = `not asked for, because the profile does not promise it: ${explanation}`;
    if (!explainsRefusals) this.session.onEvent({ kind: 'note', at: monotonicNow(), text });
    return explainsRefusals;
  }

  /** Records verdicts. @throws CheckNotPassed if one of them is not a pass */
  judge(...checks: readonly CheckRecord[]): void {
    this.notes.checks.push(...checks);
    if (checks.some(({ verdict }) => verdict !== 'pass')) throw new CheckNotPassed(formatNotPassed(checks));
  }

  /** Starts one of the harness's own programs in a container or on the node, until the end of the scenario. */
  async runProgram(program: ProgramRun): Promise<RunningProgram> {
    return this.use(await this.session.cluster.runProgram(program));
  }

  /** Disposes of a resource at the end of the scenario. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    return this.#resources.use(resource);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.faults.allowRestarts();
    await this.faults.heal();
    // The scenario's own namespace is checked for leftovers while the other tenants still exist.
    await using _ = this.#tenants;
    await this.#resources.disposeAsync();
    if (this.#agentChanged) await this.session.cluster.restartAgent(this.session.agent);
  }
}

/** For a condition that the checks judge once it was waited for long enough. */
export function ignorePollTimeout(error: unknown): void {
  if (!(error instanceof PollTimeout)) throw error;
}

/** A unique name, short enough for the labels that a dataset derives from it. */
function namespaceName(scenario: string): string {
  const name = `rk-${scenario}`.slice(0, 32).replace(/-+$/, '');
  return `${name}-${createHash('sha256').update(scenario).digest('hex').slice(0, 6)}`;
}
