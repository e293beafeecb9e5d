import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { execaNode } from 'execa';
import { packageFlags } from '../../clusters/bundled-packages.ts';
import { CannotRun } from '../../clusters/cluster.ts';
import type { ScenarioRecord } from '../timeline/record.ts';
import { isOnlyTooSlow } from '../timeline/verdict.ts';
import type { ClusterSummary, Missing, Order, Report, RunnerOptions } from './runner-protocol.ts';

const program = fileURLToPath(new URL('./runner-main.ts', import.meta.url));

export interface PlannedScenario {
  /** `FILE:LINE`. */
  readonly location: string;
  /** Names of the conditions of the node that it must run on. */
  readonly conditions: readonly string[];
}

export interface RunAllOptions {
  /** The options of each runner, without its folder and the conditions of its node. */
  readonly options: Omit<RunnerOptions, 'folder' | 'conditions'>;
  /** Parent of the runners' folders. */
  readonly folder: string;
  /** In the order in which they start. */
  readonly scenarios: readonly PlannedScenario[];
  /** Number of scenarios that work at the same time. Those in which only time passes are not counted. */
  readonly jobs: number;
  /** Number of runners at most; by default as many as jobs. */
  readonly mostRunners?: number;
  readonly onProgress: (line: string) => void;
  readonly onStarted?: (location: string) => void;
  /** A scenario missed a budget, and is run once more when all others have finished, alone. */
  readonly onRepeat?: (location: string) => void;
  readonly onFinished: (scenario: ScenarioRecord) => void;
  readonly signal: AbortSignal;
  /** The program of a runner, which tests replace. */
  readonly program?: string;
}

export interface RanAll {
  readonly clusters: readonly ClusterSummary[];
  readonly folders: readonly string[];
  readonly errors: readonly string[];
  readonly leftovers: readonly string[];
  /** Ids of scenarios by the folder of the runner of which they were the last ones, and whose results do not count. */
  readonly discarded: ReadonlyMap<string, readonly string[]>;
}

/** Scenarios that wait for a node under conditions, before another such node is started. */
const scenariosPerNode = 3;

interface RunnerProcess {
  readonly folder: string;
  readonly conditions: readonly string[];
  /** `waits`: only time passes in its scenario. `idle`: it has none. `ends`: no scenario needs its node. `dead`: it failed. */
  state: 'starts' | 'idle' | 'works' | 'waits' | 'ends' | 'dead';
  scenario: string | undefined;
  /** Other runners had something to do during its scenario. */
  hasCompany: boolean;
  readonly send: (order: Order) => void;
  readonly ended: Promise<void>;
}

/**
 * Runs scenarios in parallel: each runner is a process with its own cluster and takes the next scenario when it is free. While
 * only time passes in a scenario, another runner works in its place. If a scenario only missed a budget while
 * others worked, it is run once more in the end, alone, and only this run counts; on Kubernetes not, where a new cluster takes minutes.
 * Resolves when all runners have disposed of their clusters, also after an abort. @throws CannotRun
 */
export async function runAll(all: RunAllOptions): Promise<RanAll> {
  const queue = [...all.scenarios];
  const repeated: PlannedScenario[] = [];
  const discarded = new Map<string, readonly string[]>();
  let isAlone = false;
  const found = { clusters: [] as ClusterSummary[], errors: [] as string[], leftovers: [] as string[] };
  let missing: readonly Missing[] = [];
  let finished = 0;
  const runners: RunnerProcess[] = [];
  const count = (state: RunnerProcess['state']) => runners.filter((runner) => runner.state === state).length;
  schedule();
  // One that waits may start another.
  for (let ended = 0; ended < runners.length; ) {
    ended = runners.length;
    await Promise.all(runners.map((runner) => runner.ended));
  }
  // A machine that lacks something from the start cannot run it; a need that arises later, such as disk space, loses no result.
  if (missing.length > 0 && finished === 0) throw new CannotRun(missing);
  found.errors.push(...missing.map(({ what, remedy }) => `${what}: ${remedy}`));
  if (queue.length > 0 && !all.signal.aborted)
    found.errors.push(
      `${queue.length} ${queue.length === 1 ? 'scenario was' : 'scenarios were'} not run, because no runner was left`,
    );
  return { ...found, discarded, folders: runners.map(({ folder }) => folder) };

  function schedule(): void {
    if (queue.length === 0 && count('starts') + count('works') + count('waits') === 0) {
      queue.push(...repeated.splice(0));
      isAlone = true;
    }
    while (queue.length > 0 && !all.signal.aborted && hasRoom()) {
      const idle = runners.find((runner) => runner.state === 'idle' && nextFor(runner) !== undefined);
      if (idle !== undefined) {
        const next = nextFor(idle) as PlannedScenario;
        queue.splice(queue.indexOf(next), 1);
        idle.state = 'works';
        idle.scenario = next.location;
        keepCompany(idle);
        idle.send({ order: 'run', scenario: idle.scenario });
        all.onStarted?.(idle.scenario);
        continue;
      }
      const [unserved] = queue.filter(({ conditions }) => needsRunner(conditions));
      // Runners whose nodes no scenario needs any more make room.
      endIdle();
      if (unserved === undefined || !mayStart()) return;
      const started = startRunner(unserved.conditions);
      runners.push(started);
      keepCompany(started);
    }
    if (queue.length === 0 || all.signal.aborted) endIdle();
  }

  function hasRoom(): boolean {
    const working = count('starts') + count('works');
    return isAlone ? working + count('waits') === 0 : working < all.jobs;
  }

  /** Notes that a runner and all others that have something to do take processors from each other. */
  function keepCompany(newcomer: RunnerProcess): void {
    const others = runners.filter(
      (runner) => runner !== newcomer && ['starts', 'works', 'waits'].includes(runner.state),
    );
    newcomer.hasCompany = others.length > 0;
    for (const other of others) other.hasCompany = true;
  }

  function nextFor({ conditions }: RunnerProcess): PlannedScenario | undefined {
    return queue.find((scenario) => isDeepStrictEqual(scenario.conditions, conditions));
  }

  function countUnder(conditions: readonly string[]): number {
    return queue.filter((scenario) => isDeepStrictEqual(scenario.conditions, conditions)).length;
  }

  /** To start a node under conditions takes as long as some scenarios, so these do not get one each. */
  function needsRunner(conditions: readonly string[]): boolean {
    const own = runners.filter((runner) => isDeepStrictEqual(runner.conditions, conditions));
    const isStarting = own.filter(({ state }) => state === 'starts').length;
    if (conditions.length === 0) return isStarting < countUnder(conditions);
    const alive = own.filter(({ state }) => state !== 'ends' && state !== 'dead').length;
    return alive < Math.ceil(countUnder(conditions) / scenariosPerNode);
  }

  function endIdle(): void {
    for (const runner of runners.filter((runner) => runner.state === 'idle')) {
      runner.state = 'ends';
      runner.send({ order: 'end' });
    }
  }

  function mayStart(): boolean {
    const most = Math.min(all.mostRunners ?? all.jobs, all.jobs + count('waits'));
    return runners.length - count('ends') < most;
  }

  function startRunner(conditions: readonly string[]): RunnerProcess {
    const folder = join(all.folder, `runner-${runners.length + 1}`);
    mkdirSync(folder);
    const { promise, resolve } = Promise.withResolvers<void>();
    const child = execaNode(all.program ?? program, {
      nodeOptions: packageFlags(),
      env: { ...all.options.env, REKINDLE_RUN_ID: all.options.runId },
      extendEnv: false,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      buffer: false,
      reject: false,
      // It cleans up when the channel closes.
      cleanup: false,
    });
    const send = (order: Order): void => {
      if (child.connected) child.send(order);
    };
    const runner: RunnerProcess = {
      folder,
      conditions,
      state: 'starts',
      scenario: undefined,
      hasCompany: false,
      send,
      ended: promise,
    };
    const enter = (state: RunnerProcess['state']): void => {
      runner.state = state;
      if (state === 'idle') runner.scenario = undefined;
      schedule();
    };
    /** On another runner, because the history of this one has the events of the first run. */
    const repeat = (scenarios: readonly ScenarioRecord[]): void => {
      const planned = all.scenarios.find(({ location }) => location === runner.scenario);
      if (planned) repeated.push(planned);
      discarded.set(
        folder,
        scenarios.map(({ id }) => id),
      );
      all.onRepeat?.(runner.scenario ?? '');
      send({ order: 'end' });
      enter('ends');
    };
    let settled = false;
    const stop = (): void => send({ order: 'end' });
    all.signal.addEventListener('abort', stop);
    child.on('message', (report: Report) => {
      switch (report.report) {
        case 'progress':
          return all.onProgress(report.line);
        case 'ready':
          found.clusters.push(report.cluster);
          return enter('idle');
        case 'waits':
          return enter(report.waits ? 'waits' : 'works');
        case 'finished':
          found.errors.push(...report.errors);
          finished += report.scenarios.length;
          if (runner.hasCompany && !all.options.kubernetes && report.scenarios.some(isOnlyTooSlow))
            return repeat(report.scenarios);
          for (const scenario of report.scenarios) all.onFinished(scenario);
          // Another cluster of Kubernetes would take minutes.
          if (!report.isStuck || all.options.kubernetes) return enter('idle');
          send({ order: 'end' });
          return enter('ends');
        case 'ended':
          settled = true;
          found.leftovers.push(...report.leftovers);
          return resolve();
        case 'failed':
          settled = true;
          // All runners lack the same.
          if (report.missing) missing = missing.length > 0 ? missing : report.missing;
          // An interruption takes its sandbox away while it starts.
          else if (!all.signal.aborted) found.errors.push(report.message);
          return resolve();
      }
    });
    void child.then(({ exitCode, signal }) => {
      all.signal.removeEventListener('abort', stop);
      // After `ended` or `failed` the promise is settled. Otherwise what was finished is kept, and other runners continue.
      if (!settled && !all.signal.aborted)
        found.errors.push(
          `a runner ended in ${runner.scenario ?? 'its start or end'}: ${signal ?? `status ${exitCode}`}`,
        );
      enter(runner.state === 'ends' ? 'ends' : 'dead');
      resolve();
    });
    const { kubernetes } = all.options;
    const own = kubernetes && { kubernetes: { ...kubernetes, ordinal: runners.length + 1 } };
    send({ order: 'start', options: { ...all.options, ...own, conditions, folder } });
    return runner;
  }
}
