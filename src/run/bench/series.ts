import { setTimeout as delay } from 'node:timers/promises';
import type { Usage } from '../../../clusters/cluster.ts';
import { PollTimeout, poll, pollOrLast } from '../../../clusters/poll.ts';
import { waitsForIdleAgent } from '../../../reports/bench/format.ts';
import type { ArmName, BenchCrash, BenchSeries, Conditions } from '../../../reports/bench/record.ts';
import { crashSamples } from '../../../reports/bench/samples.ts';
import { keeperEvent } from '../../checks/takeover.ts';
import { faults } from '../../faults/catalogue.ts';
import { podDelete } from '../../faults/daemon.ts';
import { Scenario } from '../../scenario/scenario.ts';
import type { ScenarioNotes, Session } from '../../scenario/session.ts';
import type { HistoryEvent } from '../../timeline/record.ts';
import { firstFailure } from '../cannot-run-from.ts';
import type { OpenRun } from '../run.ts';
import { RequestCount } from './api-requests.ts';
import type { Arm } from './plan.ts';
import { RecoveryWatch } from './recovery-watch.ts';
import { SeriesPods } from './series-pods.ts';

/** A series to measure. */
export interface SeriesPlan {
  readonly id: string;
  readonly arm: Arm;
  readonly conditions: Conditions;
  /** How long the agent's requests at rest are counted after the crashes. */
  readonly idleMs: number;
  /** Measured in the sandbox for comparison with the cluster of the run. */
  readonly inSandbox?: true;
}

/** What the series of a run share. */
export interface Bench {
  readonly run: OpenRun;
  readonly session: Omit<Session, 'agent'>;
  /** Functions that receive every event, with absolute times. */
  readonly listeners: Set<(event: HistoryEvent) => void>;
  /** Returns numbers in [0, 1). */
  readonly random: () => number;
  readonly onProgress: (line: string) => void;
  /** Called after each crash, warm-up crashes included. */
  readonly onCrash: () => void;
}

/** The series ends after this number of crashes in a row without a recovery. */
const maximumLost = 3;
const usageEvery = 10;
/** An agent that uses at most this CPU time between two measurements is idle. */
const idleCpuMs = 10;
const idleCheckMs = 300;

/** Observations of one crash besides those of the probes, in absolute monotonic nanoseconds. */
interface CrashObservation {
  readonly dataset: string;
  readonly at: number;
  readyAt?: number;
  firstError?: number;
  errno?: string;
  good: readonly number[];
  pods: number;
}

/** Crashes the daemons repeatedly under the same pods. After an interruption, returns what was measured before. */
export async function runSeries(bench: Bench, plan: SeriesPlan, notes: ScenarioNotes): Promise<BenchSeries> {
  const series = new SeriesRun(bench, plan, notes);
  await series.run();
  return series.result();
}

class SeriesRun {
  readonly #bench: Bench;
  readonly #plan: SeriesPlan;
  readonly #notes: ScenarioNotes;
  readonly #watch = new RecoveryWatch();
  readonly #strikes: CrashObservation[][] = [];
  /** Names of the daemons that have been ready. */
  readonly #readyDaemons = new Set<string>();
  /** Connections that the keeper has been given. */
  #kept = 0;
  #waitedFor = 0;
  #pods: SeriesPods | undefined;
  #stopped: string | undefined;
  #readyBy: 'statfs' | undefined;
  #lines: { before: number; after: number } | undefined;
  #requests: RequestCount | undefined;
  #usage: { first: Usage; last: Usage; began: number; ended: number } | undefined;

  constructor(bench: Bench, plan: SeriesPlan, notes: ScenarioNotes) {
    this.#bench = bench;
    this.#plan = plan;
    this.#notes = notes;
  }

  async run(): Promise<void> {
    const { run, session, listeners } = this.#bench;
    const { arm } = this.#plan;
    const listen = (event: HistoryEvent) => this.#take(event);
    listeners.add(listen);
    run.history.enter(this.#notes.id);
    try {
      await run.cluster.restartAgent(arm.agent);
      await using scenario = new Scenario({ ...session, agent: arm.agent }, this.#notes);
      await scenario.begin();
      await this.#crashAll(scenario);
      await this.#measureUsage();
    } catch (error) {
      // The sandbox ends with the signal, so pending operations fail.
      if (!session.signal.aborted) this.#stopped = `broke: ${reasonOf(error)}`;
    } finally {
      if (session.signal.aborted) this.#stopped = 'interrupted';
      listeners.delete(listen);
      this.#notes.finishedAt = run.history.now();
    }
  }

  result(): BenchSeries {
    const { arm, conditions, id, inSandbox } = this.#plan;
    const apiRequests = this.#requests?.result;
    const agent = this.#usage && {
      first: this.#usage.first,
      last: this.#usage.last,
      overMs: this.#usage.ended - this.#usage.began,
    };
    return {
      id,
      arm: arm.name,
      title: arm.title,
      conditions: {
        ...conditions,
        pacingMs: arm.pacingMs,
        ...(this.#freshPods && { freshPods: true as const }),
        ...(arm.standbys !== undefined && { standbys: arm.standbys }),
      },
      ...(inSandbox && { fidelity: this.#bench.run.cluster.fidelity }),
      ...(arm.program && { program: arm.program }),
      ...(this.#readyBy && { readyBy: this.#readyBy }),
      warmUp: arm.warmUp,
      asked: arm.crashes,
      deadlineMs: arm.deadlineMs,
      ...(this.#stopped !== undefined && { stopped: this.#stopped }),
      crashes: this.#samples(),
      ...(this.#lines && { mountLines: this.#lines }),
      ...(agent && { agent }),
      ...(apiRequests && { apiRequests }),
    };
  }

  /** Whether each crash needs a new FUSE pod, because a real kubelet delays every restart but a container's first. */
  get #freshPods(): boolean {
    return this.#bench.run.cluster.capabilities.has('real-kubelet');
  }

  async #crashAll(scenario: Scenario): Promise<void> {
    const { bench, arm, conditions } = { bench: this.#bench, ...this.#plan };
    const { datasets, pods, rate } = conditions;
    const { standbys = 0, takesOver = false } = arm;
    const probed = arm.acts !== 'harness';
    const pod = { scenario, watch: this.#watch, datasets, pods, rate, standbys, takesOver, probed };
    this.#pods = new SeriesPods({ ...pod, folder: bench.run.resultsDir, onProgress: bench.onProgress });
    await this.#pods.start();
    await this.#steady('the probes read', arm.deadlineMs);
    const daemons = datasets * (1 + standbys);
    await this.#until('the standbys are ready', () => this.#readyDaemons.size >= daemons, arm.deadlineMs);
    if (takesOver) await this.#until('the keeper has the connections', () => this.#kept >= datasets);
    const { cluster } = bench.run;
    if (arm.acts === 'agent' && !arm.agent.command)
      this.#requests = new RequestCount(() => cluster.agentMetrics(), bench.session.signal);
    let lost = 0;
    for (let crash = 1 - arm.warmUp; crash <= arm.crashes && lost < maximumLost; crash++) {
      if (this.#freshPods && this.#strikes.length > 0) await this.#renewDaemons(scenario, this.#pods);
      if (crash === 1) await this.#measureUsage();
      if (crash === 1 || (crash > 1 && this.#freshPods)) await this.#requests?.begin();
      await delay(bench.random() * 2 * arm.pacingMs, undefined, { signal: bench.session.signal });
      await this.#agentIsIdle();
      const recovered = await this.#crash(scenario, this.#pods);
      lost = recovered ? 0 : lost + 1;
      if (crash > 0 && this.#freshPods) await this.#requests?.end(1);
      if (!recovered && (crash < arm.crashes || arm.acts === 'nobody')) await this.#pods.renew();
      if (crash > 0 && crash % usageEvery === 0) await this.#measureUsage();
      bench.onCrash();
    }
    if (!this.#freshPods) await this.#requests?.end(this.#strikes.length - arm.warmUp);
    if (this.#plan.idleMs > 0) await this.#requests?.rest(this.#plan.idleMs);
    if (lost === maximumLost && this.#strikes.length - arm.warmUp < arm.crashes)
      this.#stopped = `the pod did not read again after ${lost} crashes in a row`;
  }

  /** Replaces the FUSE pods. The pods that read stay. */
  async #renewDaemons(scenario: Scenario, pods: SeriesPods): Promise<void> {
    await pods.begin();
    for (const { name } of pods.datasets) await scenario.namespace.dataset(name).daemon.inject(podDelete);
    if (!(await this.#steady('every pod reads from a fresh FUSE pod', this.#plan.arm.deadlineMs)))
      throw new Error(`no pod reads from a fresh FUSE pod after ${this.#plan.arm.deadlineMs / 1000} s`);
  }

  /** Waits until the agent is idle, at most for the crash deadline. */
  async #agentIsIdle(): Promise<void> {
    const { conditions, arm } = this.#plan;
    if (!waitsForIdleAgent(conditions)) return;
    const { cluster } = this.#bench.run;
    let before = Number.NEGATIVE_INFINITY;
    await pollOrLast({
      read: async () => {
        const { cpuMs } = await cluster.agentUsage();
        const used = cpuMs - before;
        before = cpuMs;
        return used;
      },
      until: (used) => used <= idleCpuMs,
      timeoutMs: arm.deadlineMs,
      intervalMs: idleCheckMs,
      signal: this.#bench.session.signal,
    });
  }

  /** Returns whether everything was steady again in time. */
  async #crash(scenario: Scenario, pods: SeriesPods): Promise<boolean> {
    const { arm, conditions } = this.#plan;
    const fault = faults.get(conditions.fault);
    if (!fault) throw new Error(`unknown fault ${conditions.fault}`);
    await pods.begin();
    const all: CrashObservation[] = [];
    this.#strikes.push(all);
    for (const { name } of pods.datasets) {
      const { daemon } = scenario.namespace.dataset(name);
      await (arm.standbys ? pods.activeDaemon(name) : daemon).inject(fault);
      const at = scenario.lastFaultAt + this.#bench.run.origin;
      all.push({ dataset: name, at, good: [], pods: conditions.pods });
    }
    if (arm.acts === 'harness') await this.#restartPods(pods);
    const recovered = await this.#steady('every pod reads again', arm.deadlineMs);
    // The next crash is a failover only if the daemon is back, as its standby.
    if (arm.standbys) await this.#until('the daemon is back', () => Number.isFinite(this.#watch.readyAt));
    this.#waitedFor++;
    for (const [index, { sweep }] of pods.datasets.entries()) {
      const strike = all[index];
      if (!strike || !sweep) continue;
      const { firstError, errno, good } = sweep.seen;
      Object.assign(strike, { ...(firstError && { firstError, errno }), good: Object.values(good) });
    }
    if (Number.isFinite(this.#watch.readyAt)) for (const strike of all) strike.readyAt = this.#watch.readyAt;
    await scenario.faults.heal();
    return recovered;
  }

  /** Restarts the pods at the first error, as an operator would. */
  async #restartPods(pods: SeriesPods): Promise<void> {
    await this.#until('the pod fails', () => pods.datasets.some(({ sweep }) => sweep?.seen.firstError !== undefined));
    await pods.renew();
  }

  async #steady(what: string, timeoutMs: number): Promise<boolean> {
    // Before the first crash, only the probes have read.
    const is = () => (this.#strikes.length === 0 ? this.#watch.steady : this.#pods?.complete === true);
    return this.#until(what, is, timeoutMs);
  }

  /** Returns false on timeout. */
  async #until(what: string, is: () => boolean, timeoutMs = this.#plan.arm.deadlineMs): Promise<boolean> {
    const { signal } = this.#bench.session;
    try {
      await poll({ condition: what, read: is, until: (yes) => yes, format: String, timeoutMs, intervalMs: 5, signal });
      return true;
    } catch (error) {
      if (error instanceof PollTimeout) return false;
      throw error;
    }
  }

  async #measureUsage(): Promise<void> {
    const { cluster } = this.#bench.run;
    const [now, lines] = await Promise.all([cluster.agentUsage(), this.#pods?.mountLines() ?? 0]);
    const at = performance.now();
    this.#usage = this.#usage
      ? { ...this.#usage, last: now, ended: at }
      : { first: now, last: now, began: at, ended: at };
    this.#lines = { before: this.#lines?.before ?? lines, after: lines };
  }

  #take(event: HistoryEvent): void {
    if (event.kind === 'process' && event.role === 'daemon' && event.by) this.#readyBy = event.by;
    if (event.kind === 'process' && event.role === 'daemon' && event.change === 'ready')
      this.#readyDaemons.add(event.name);
    if (keeperEvent(event) === 'kept') this.#kept++;
    this.#watch.take(event);
    this.#pods?.take(event);
  }

  #samples(): readonly BenchCrash[] {
    const { run } = this.#bench;
    const { arm } = this.#plan;
    const watched = this.#pods?.watched ?? [];
    // A crash that was interrupted proves nothing.
    const counted = (crash: BenchCrash): readonly BenchCrash[] =>
      crash.crash > arm.warmUp && crash.crash <= this.#waitedFor ? [{ ...crash, crash: crash.crash - arm.warmUp }] : [];
    if (arm.acts === 'harness')
      return this.#strikes.flatMap((all, index) => all.map((strike) => sweptOnly(strike, index + 1))).flatMap(counted);
    const strikes = this.#strikes.flat();
    const numbers = new Map(this.#strikes.flatMap((all, index) => all.map(({ at }) => [at - run.origin, index + 1])));
    return crashSamples(run.history.events, this.#notes.id, watched)
      .flatMap(({ at, ...sample }) => {
        const strike = strikes.find((one) => one.at - run.origin === at);
        const crash = numbers.get(at);
        return strike && crash ? [withSweep({ ...sample, crash }, strike)] : [];
      })
      .toSorted((a, b) => a.crash - b.crash)
      .map((crash) => momentsOf[arm.name](crash))
      .flatMap(counted);
  }
}

/** The restart of the daemon is no part of a failover, unless the pod read only after it. */
function withoutRestart(crash: BenchCrash): BenchCrash {
  const { daemonStarted: _, daemonReady, mountVisible: ___, ...moments } = crash.moments;
  const { readable = Number.POSITIVE_INFINITY } = moments;
  if (daemonReady !== undefined && daemonReady < readable) return crash;
  return { ...crash, moments };
}

/** A connection that was taken over has not ended, and nothing was replaced. If operations failed, it was not taken over. */
function continued(crash: BenchCrash): BenchCrash {
  if (Object.keys(crash.errors).length > 0) return crash;
  const { firstError: _, connectionEnded: __, replacedInPod: ___, replacedOnNode: ____, ...moments } = crash.moments;
  return { ...crash, moments };
}

/** Drops moments from the agent's log: in a baseline, our agent runs without recovery and its log describes nothing. */
function withoutLogMoments({ moments: { noticed: _, verified: __, ...moments }, ...crash }: BenchCrash): BenchCrash {
  return { ...crash, moments };
}

const asSeen = (crash: BenchCrash): BenchCrash => crash;
/** What counts of a crash, by arm. */
const momentsOf: Readonly<Record<ArmName, (crash: BenchCrash) => BenchCrash>> = {
  agent: asSeen,
  rekindle: asSeen,
  standby: withoutRestart,
  takeover: continued,
  poll: withoutLogMoments,
  restart: withoutLogMoments,
  nothing: withoutLogMoments,
};

function reasonOf(thrown: unknown): string {
  const error = firstFailure(thrown);
  return error instanceof Error ? error.message : String(error);
}

/** Adds the observations of the sweep, which reads in all pods, to those of a probe in one of them. */
function withSweep(crash: BenchCrash, { at, good, pods }: CrashObservation): BenchCrash {
  if (pods < 2) return crash;
  const lastReadable = Math.max(...good) - at;
  if (good.length < pods) return { ...crash, podsLost: pods - good.length };
  return { ...crash, moments: { ...crash.moments, lastReadable } };
}

/** A crash that only the sweep observed, because the pods with probes are gone. */
function sweptOnly(
  { at, dataset, readyAt, firstError, errno, good, pods }: CrashObservation,
  crash: number,
): BenchCrash {
  const since = (moment: number | undefined) => (moment === undefined ? undefined : moment - at);
  const moments = {
    firstError: since(firstError),
    daemonReady: since(readyAt),
    ...(good.length > 0 && { readable: Math.min(...good) - at }),
    ...(good.length === pods && pods > 1 && { lastReadable: Math.max(...good) - at }),
  };
  return {
    crash,
    pod: dataset,
    moments: Object.fromEntries(Object.entries(moments).filter(([, moment]) => moment !== undefined)),
    errors: errno === undefined ? {} : { [errno]: 1 },
    late: 0,
    longestStallNs: 0,
    ...(good.length < pods && { podsLost: pods - good.length }),
  };
}
