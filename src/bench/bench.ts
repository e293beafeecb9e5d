import { recoveries } from '../../reports/phases.ts';
import type { Recovery } from '../../reports/record.ts';
import { type Stage, stageNs } from '../../reports/stages.ts';
import { sigkill } from '../faults/sigkill.ts';
import { loadProfile } from '../profiles/load-profile.ts';
import { clusters, conclude, openRun, siteFacts } from '../scenario/run.ts';
import type { ScenarioNotes, Session } from '../scenario/session.ts';
import { Trial } from '../scenario/trial.ts';
import type { BenchOptions, Outcome } from '../verbs.ts';
import { type Distribution, distributionOf } from './distribution.ts';

const pod = 'demo-app';
const dataset = 'demo-dataset';
/** So fast a kubelet's clock that its back-off takes no time: what is measured is the daemon and the agent. */
const clockScale = 100_000;

const phases: readonly Stage[] = [
  { name: 'crash → pod reads', from: 'crash', to: 'readable' },
  { name: '  crash → daemon ready (kubelet and daemon)', from: 'crash', to: 'daemonReady' },
  { name: '  daemon ready → pod reads (agent)', from: 'daemonReady', to: 'readable' },
  // The agent says `replaced` of all mounts of a pass after the last of them, so node and pod are not told apart here.
  { name: '    daemon ready → replaced, node and pod', from: 'daemonReady', to: 'replacedInPod' },
  { name: '    replaced → verified in the pod', from: 'replacedInPod', to: 'verified' },
];

/** Crashes the daemon again and again under one pod and prints how long each phase took. */
export async function bench(options: BenchOptions): Promise<Outcome> {
  const { crashes, environment, rate } = options;
  const { stdout, stderr, signal } = environment;
  const cluster = clusters.get('sandbox');
  if (!cluster) throw new Error('no sandbox');
  const profile = await loadProfile('rekindle', environment.cwd);
  const agent = { fuseRecovery: true, ...(options.kernelTier && { kernelTier: options.kernelTier }) };
  const progress = (line: string) => void stderr.write(`… ${line}\n`);
  await using run = await openRun({ ...options, cluster, agent, clockScale, onProgress: progress });
  const { history } = run;
  const notes: ScenarioNotes = { id: 'bench', startedAt: history.now(), finishedAt: 0, checks: [] };
  const leftovers: string[] = [];
  const onEvent: Session['onEvent'] = (event) => history.append(event);
  const session = { cluster: run.cluster, history, profile, agent, signal, notes: new Map(), leftovers, onEvent };
  history.enter(notes.id);
  let usage = { first: await run.cluster.agentUsage(), last: await run.cluster.agentUsage() };
  {
    await using trial = new Trial(session, notes, { rate });
    await trial.begin();
    await trial.createDataset(dataset);
    await trial.startApplication(pod, dataset, { labelled: true });
    const first = await run.cluster.agentUsage();
    for (let done = 0; done < crashes && !signal.aborted; done++) {
      await trial.crash(sigkill, dataset);
      await trial.readsAfterRecovery(pod);
      if ((done + 1) % 10 === 0) progress(`${done + 1} of ${crashes} crashes`);
    }
    await trial.countMounts();
    usage = { first, last: await run.cluster.agentUsage() };
    notes.finishedAt = history.now();
  }

  const found = recoveries(history.events, notes.id);
  stdout.write(
    `\n${found.length} crashes (SIGKILL) under one pod; probe ${rate}/s, so ±${(1000 / rate).toFixed(1)} ms; kubelet's back-off taken out\n\n`,
  );
  stdout.write(
    `${'milliseconds'.padEnd(46)}${['min', 'median', 'p90', 'worst', 'n'].map((word) => word.padStart(9)).join('')}\n`,
  );
  for (const phase of phases) stdout.write(`${phase.name.padEnd(46)}${row(distributionOf(samplesOf(found, phase)))}\n`);
  const { before, after } = notes.mountLines ?? { before: 0, after: 0 };
  stdout.write(`\nmount table of node and pod: ${before} lines before, ${after} after ${found.length} crashes\n`);
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  stdout.write(
    `agent (${usage.last.processes} processes): anonymous ${megabytes(usage.first.anonymousBytes)} at first, ${megabytes(usage.last.anonymousBytes)} at last; resident ${megabytes(usage.last.residentBytes)}; ${((usage.last.cpuMs - usage.first.cpuMs) / Math.max(1, found.length)).toFixed(1)} ms of CPU a crash\n`,
  );
  // A crash after which the pod does not read again ends the run with an error that says so.
  const verdict = found.length > 0 ? 'pass' : 'inconclusive';
  const scenario = {
    id: notes.id,
    feature: 'rekindle bench',
    uri: '',
    line: 0,
    name: `${found.length} crashes`,
    tags: [],
    claims: [],
    status: verdict,
    startedAt: notes.startedAt,
    finishedAt: notes.finishedAt,
    steps: [],
    checks: [],
    recoveries: [],
    ...(notes.mountLines && { mountLines: notes.mountLines }),
  } as const;
  const record = await conclude({
    ...(await siteFacts(run)),
    options,
    profile: profile.name,
    command: ['rekindle', 'bench'],
    scenarios: [scenario],
    leftovers,
    verdict,
  });
  return { verdict: record.verdict, leftovers, resultsDir: run.resultsDir };
}

function samplesOf(found: readonly Recovery[], phase: Stage): readonly number[] {
  return found.flatMap((recovery) => stageNs(recovery, phase) ?? []).map((nanoseconds) => nanoseconds / 1e6);
}

function row(figures: Distribution | undefined): string {
  if (!figures) return '-'.padStart(9);
  const { min, median, p90, worst, count } = figures;
  return `${[min, median, p90, worst].map((value) => value.toFixed(2).padStart(9)).join('')}${String(count).padStart(9)}`;
}
