import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CannotRun } from '../../../clusters/cluster.ts';
import { renderBench } from '../../../reports/bench/html.ts';
import { benchPhases, isRecovered } from '../../../reports/bench/phases.ts';
import { type BenchRecord, type BenchSeries, benchSchema } from '../../../reports/bench/record.ts';
import { seededRandom } from '../../../reports/bench/statistics.ts';
import { benchText } from '../../../reports/bench/text.ts';
import { loadProfile } from '../../profiles/load-profile.ts';
import type { ScenarioNotes } from '../../scenario/session.ts';
import type { HistoryEvent, ScenarioRecord } from '../../timeline/record.ts';
import type { BenchOptions, RunOutcome } from '../../verbs.ts';
import { clusterFor, conclude, type OpenRun, openRun, siteFacts, startCluster } from '../run.ts';
import { planOf, plansInSandbox, sandboxIn } from './plan.ts';
import { progressOf } from './progress.ts';
import { type Bench, runSeries, type SeriesPlan } from './series.ts';

/** Makes the kubelet's back-off negligible, so that only the daemon and the agent are measured. */
const negligible = 100_000;
/** In a crash loop the shortest delay is still longer than a recovery. */
const accelerated = 50;

/** Crashes daemons repeatedly, prints the duration of each phase of a recovery, and writes `bench.json`. */
export async function bench(options: BenchOptions): Promise<RunOutcome> {
  const { environment, seed } = options;
  const { stdout, stderr, signal } = environment;
  const cluster = await clusterFor(options);
  const profile = await loadProfile('rekindle', environment.cwd);
  const plans = [...planOf(options), ...plansInSandbox(options)];
  const [first] = plans;
  if (!first) throw new Error('a benchmark without a series');
  const tell = (line: string) => void stderr.write(`… ${line}\n`);
  const listeners = new Set<(event: HistoryEvent) => void>();
  const onEvent = (event: HistoryEvent) => {
    for (const listener of listeners) listener(event);
  };
  const { agent } = first.arm;
  const clockScale = options.crashLoop ? accelerated : negligible;
  const started = { ...options, agent, clockScale, onProgress: tell, onEvent };
  await using run = await openRun({ ...started, cluster });
  if (options.agentCpuMillis !== undefined && !run.cluster.capabilities.has('cpu-limit'))
    throw new CannotRun([
      {
        what: 'no CPU cgroup can be written',
        remedy: 'run as root where /sys/fs/cgroup is writable, or omit --agent-cpu',
      },
    ]);
  if (options.takeover && !run.cluster.capabilities.has('takeover'))
    throw new CannotRun([
      {
        what: 'this kernel does not send unanswered requests again',
        remedy: 'use Linux 6.9 or later, or omit --takeover',
      },
    ]);
  const random = seededRandom(seed);
  const leftovers: string[] = [];
  const record = (event: HistoryEvent) => {
    run.history.append(event);
    onEvent(event);
  };
  const session = { history: run.history, profile, signal, notes: new Map(), leftovers, onEvent: record };
  tell(
    `${plans.length} series, ${plans.reduce((sum, { arm }) => sum + arm.warmUp + arm.crashes, 0)} crashes; seed ${seed}, results in ${run.resultsDir}`,
  );

  const progress = progressOf(plans, { tell, place: options.cluster });
  const measured: { readonly series: BenchSeries; readonly notes: ScenarioNotes }[] = [];
  const measure = async (place: OpenRun, some: readonly SeriesPlan[]): Promise<void> => {
    for (const plan of some) {
      if (signal.aborted) break;
      const index = plans.indexOf(plan);
      const notes = { id: `bench-${index + 1}`, startedAt: run.history.now(), finishedAt: 0, checks: [] };
      progress.begins(index);
      const shared: Bench = {
        run: place,
        session: { ...session, cluster: place.cluster },
        listeners,
        random,
        onProgress: tell,
        onCrash: () => progress.crashed(index),
      };
      const series = await runSeries(shared, plan, notes);
      measured.push({ series, notes });
      // Its leftovers would disturb the series that follow. Earlier measurements count.
      if (series.stopped?.startsWith('broke') === true) break;
    }
  };
  await measure(
    run,
    plans.filter(({ inSandbox }) => !inSandbox),
  );
  const beside = plans.filter(({ inSandbox }) => inSandbox);
  const clusters = [...(await siteFacts(run)).clusters];
  if (beside.length > 0 && !signal.aborted) {
    const { cluster: sandbox, folder } = sandboxIn(run.resultsDir);
    // If the sandbox does not start, the measurements of the cluster still count.
    await using other = await startCluster({ ...started, cluster: sandbox, folder }, run.history).catch(
      (error: unknown) => void tell(`no figures of the sandbox for comparison: ${reasonOf(error)}`),
    );
    if (other) {
      await measure({ ...run, cluster: other, resultsDir: folder }, beside);
      clusters.push({ name: other.name, fidelity: other.fidelity, secret: other.store.accessKeySecret });
    }
  }

  const scenarios = measured.map(({ series, notes }) => scenarioOf(series, notes));
  const site = { ...(await siteFacts(run)), clusters };
  const errors = signal.aborted ? ['interrupted'] : [];
  const command = ['rekindle', 'bench'];
  const concluded = await conclude({ ...site, options, profile: profile.name, command, scenarios, leftovers, errors });
  const { schema: _, ...facts } = concluded;
  const result: BenchRecord = {
    schema: benchSchema,
    ...pick(facts),
    phases: benchPhases.map(({ name }) => name),
    series: measured.map(({ series }) => series),
  };
  writeFileSync(join(run.resultsDir, 'bench.json'), `${JSON.stringify(result)}\n`);
  writeFileSync(join(run.resultsDir, 'bench.html'), renderBench(result));
  for (const line of benchText(result)) stdout.write(`${line}\n`);
  stdout.write(`\n${run.resultsDir}/bench.json  (rekindle compare takes it; bench.html shows it)\n`);
  return { verdict: concluded.verdict, leftovers, resultsDir: run.resultsDir };
}

type Concluded = Awaited<ReturnType<typeof conclude>>;

function pick({
  runId,
  rekindle,
  startedAt,
  finishedAt,
  seed,
  cluster,
  fidelity,
  machine,
  interrupted,
}: Omit<Concluded, 'schema'>) {
  return { runId, rekindle, startedAt, finishedAt, seed, cluster, fidelity, machine, interrupted };
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** A series as a scenario of `record.json`. A baseline does not fail if it recovers nothing. */
function scenarioOf({ id, arm, crashes, stopped, title }: BenchSeries, notes: ScenarioNotes): ScenarioRecord {
  const lost = crashes.filter((crash) => !isRecovered(crash)).length;
  const isTested = arm === 'agent';
  const reason = lost > 0 ? `the pod did not read again after ${lost} of ${crashes.length} crashes` : stopped;
  const status =
    isTested && lost > 0
      ? 'fail'
      : crashes.length === 0 || stopped === 'interrupted' || stopped?.startsWith('broke')
        ? 'inconclusive'
        : 'pass';
  return {
    id: notes.id,
    feature: 'rekindle bench',
    uri: '',
    line: 0,
    name: `${id}: ${crashes.length} crashes, recovered by ${title}`,
    tags: [],
    claims: [],
    status,
    ...(status !== 'pass' && reason !== undefined && { reason }),
    startedAt: notes.startedAt,
    finishedAt: notes.finishedAt,
    steps: [],
    checks: [],
    recoveries: [],
  };
}
