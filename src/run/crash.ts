import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, RunningProgram } from '../../clusters/cluster.ts';
import { pollOrLast } from '../../clusters/poll.ts';
import { getsItsDataBack, type ObservedProgram } from '../checks/program.ts';
import { isNotRecovered } from '../checks/untouched.ts';
import { colourFor } from '../colour.ts';
import { faultNamed } from '../faults/catalogue.ts';
import { loadProfile } from '../profiles/load-profile.ts';
import { startLoop } from '../scenario/documented-loop.ts';
import type { ScenarioPod } from '../scenario/pod.ts';
import {
  recoveryChecks,
  untilPodFails,
  untilPodRecovers,
  untilRecoveryIsClaimed,
  watchUnrecovered,
} from '../scenario/pod-reads.ts';
import { CheckNotPassed, ignorePollTimeout, Scenario } from '../scenario/scenario.ts';
import type { ScenarioNotes, Session } from '../scenario/session.ts';
import type { CheckRecord, HistoryEvent, Recovery, ScenarioRecord, StepRecord } from '../timeline/record.ts';
import { momentNames, moments } from '../timeline/stages.ts';
import { Timeline } from '../timeline/timeline.ts';
import { deriveStatus } from '../timeline/verdict.ts';
import type { CrashOptions, RunOutcome } from '../verbs.ts';
import { cannotRunFrom } from './cannot-run-from.ts';
import { hold } from './hold.ts';
import { createNarrator } from './printer.ts';
import { clusterFor, conclude, type OpenRun, openRun, siteFacts } from './run.ts';

/** Time between the start of a program and the crash. */
const warmUpMs = 1500;

/**
 * Reproduces one crash in the sandbox and prints it as it happens. Whatever stops it, the record and the timeline up to then are
 * written. `loadCluster` is for tests.
 */
export async function crash(
  options: CrashOptions,
  loadCluster: () => Promise<Cluster> = () => clusterFor({ cluster: 'sandbox' }),
): Promise<RunOutcome> {
  const { environment, recovery } = options;
  const { stdout, stderr, env, signal } = environment;
  const paint = colourFor(stdout, env);
  const print = (line: string) => void stdout.write(`${line}\n`);
  const cluster = await loadCluster();
  const fault = faultNamed(options.fault);
  if (!fault) throw new Error(`unknown fault ${options.fault}`);
  const profile = await loadProfile('rekindle', environment.cwd);
  const agent = { fuseRecovery: recovery, ...(options.kernelTier && { kernelTier: options.kernelTier }) };

  let crashedAt: number | undefined;
  let isOver = false;
  const narrator = createNarrator({ write: print, crashedAt: () => crashedAt });
  const heading = (line: string) => {
    narrator.flush();
    print(`\n${paint('bold', line)}`);
  };
  const narrate = (event: HistoryEvent) => {
    if (!isOver) narrator(event);
  };
  const leftovers: string[] = [];
  await using life = new AsyncDisposableStack();
  /** The verdict is known by then, and what cannot be cleaned up must not hide it. Nothing answers after an interruption. */
  const endLater = <T extends AsyncDisposable>(resource: T): T =>
    life.adopt(resource, async () => {
      try {
        await resource[Symbol.asyncDispose]();
      } catch (error) {
        if (!signal.aborted && !(error instanceof CheckNotPassed)) leftovers.push(messageOf(error));
      }
    });
  const run = endLater(
    await openRun({
      ...options,
      cluster,
      agent,
      clockScale: 1,
      onProgress: (line) => void stderr.write(`… ${line}\n`),
      onEvent: narrate,
    }),
  );
  const { history } = run;
  const startedAt = history.now();
  const notes: ScenarioNotes = { id: 'crash', startedAt, finishedAt: 0, checks: [] };
  const onEvent = (event: HistoryEvent) => {
    if (event.kind === 'fault') crashedAt ??= event.at;
    history.append(event);
    narrate(event);
  };
  const session: Session = {
    cluster: run.cluster,
    history,
    profile,
    agent,
    signal,
    notes: new Map(),
    leftovers,
    onEvent,
  };
  history.enter(notes.id);
  const scenario = endLater(new Scenario(session, notes));
  await scenario.begin();
  const pod = scenario.namespace.pod('demo-app');
  const dataset = scenario.namespace.dataset('demo-dataset');

  const strike = async () => {
    heading(`Crash: ${fault.title}`);
    crashedAt = undefined;
    await dataset.daemon.inject(fault);
    await untilPodFails(pod);
    await scenario.faults.heal();
    const checks = await (recovery ? judgeRecovery(pod) : judgeUnrecovered(pod));
    await scenario.namespace.countMounts();
    notes.checks.push(...checks);
    narrator.flush();
    return checks;
  };

  let stop: StepRecord | undefined;
  try {
    heading(`A pod that reads /data from a FUSE mount, node agent with FuseRecovery=${recovery}`);
    await dataset.create();
    await pod.start(dataset, { labelled: true });
    const program = options.command.length > 0 ? await pod.run(options.command) : undefined;
    if (program) await untilWarm(program, signal);
    else await startLoop(pod);
    await strike();
    if (program && recovery) notes.checks.push(await judgeProgram(pod, program, options));
    else if (program) await delay(options.watchMs, undefined, { signal });
  } catch (error) {
    if (!signal.aborted && cannotRunFrom(error) !== undefined) throw error;
    const message = messageOf(error);
    if (!signal.aborted) stderr.write(`rekindle: ${message}\n`);
    stop = {
      keyword: 'When',
      text: fault.title,
      status: 'failed',
      at: startedAt,
      tookNs: history.now() - startedAt,
      error: message,
      cause: signal.aborted ? 'interruption' : 'error',
    };
  }
  const end = async () => {
    notes.finishedAt = history.now();
    return conclude({
      ...(await siteFacts(run)),
      options,
      profile: profile.name,
      command: ['rekindle', 'crash'],
      scenarios: [createScenarioRecord(options, notes, stop)],
      leftovers,
      errors: [],
    });
  };
  isOver = true;
  narrator.flush();
  let record = await end();
  const conclusion = formatConclusion(history.events, notes);
  if (conclusion.length > 0) heading('What came of it');
  for (const line of conclusion) print(`  ${line}`);
  print(`\n${run.resultsDir}/report.html  (run ${options.runId}, seed ${options.seed})`);
  if (options.hold && !signal.aborted) {
    isOver = false;
    const stepInside = await run.cluster.stepInside(pod.container);
    const lookCommands = await agentCommands(run, pod);
    const again = async () => (await strike()).map(formatCheck);
    await hold({ environment, stepInside, lookCommands, heading, print, crash: again });
    isOver = true;
    if (notes.finishedAt < scenario.lastFaultAt) record = await end();
  }
  return { verdict: record.verdict, leftovers, resultsDir: run.resultsDir };
}

/** The commands that show what the agent knows, and what happened to the pod; none if it serves no status. */
async function agentCommands({ cluster, resultsDir }: OpenRun, pod: ScenarioPod): Promise<readonly string[]> {
  const address = await cluster.agentStatusAddress?.().catch(() => undefined);
  if (address === undefined) return [];
  const kubeConfig = join(resultsDir, 'kubeconfig');
  writeFileSync(kubeConfig, cluster.kubeConfig.exportConfig(), { mode: 0o600 });
  const source = `--address ${address}`;
  return [
    `rekindle status ${source}`,
    `rekindle explain ${pod.name} -n ${pod.namespace.name} --kubeconfig ${kubeConfig} ${source}`,
  ];
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function judgeRecovery(pod: ScenarioPod): Promise<readonly CheckRecord[]> {
  await untilPodRecovers(pod).catch(ignorePollTimeout);
  const checks = await recoveryChecks(pod);
  // A pod that does not read is judged as it is: nothing will claim its recovery.
  if (checks.some(({ verdict }) => verdict !== 'pass')) return checks;
  await untilRecoveryIsClaimed(pod);
  return recoveryChecks(pod);
}

async function judgeUnrecovered(pod: ScenarioPod): Promise<readonly CheckRecord[]> {
  await watchUnrecovered(pod);
  const { consumer, dataset, namespace } = pod;
  const { timeline, watchMs, session } = namespace.scenario;
  const expected = { claims: ['E1'], scope: 'everything', watchMs, kernel: session.cluster.kernel } as const;
  return [isNotRecovered(timeline, { consumer, volume: dataset.volume, ...expected })];
}

/** What the checks found, the moments of each recovery, and the growth of the mount tables, a line each. */
export function formatConclusion(
  events: readonly HistoryEvent[],
  { id, checks, mountLines }: ScenarioNotes,
): readonly string[] {
  return [
    ...checks.map(formatCheck),
    ...Timeline.ofScenario(events, id).recoveries.flatMap(formatPhases),
    ...(mountLines
      ? [`mount table of node and pod: ${mountLines.before} lines before, ${mountLines.after} after`]
      : []),
  ];
}

const marks = { pass: '✔', fail: '✘', inconclusive: '?' } as const;
const formatCheck = ({ verdict, name, says }: CheckRecord) => `${marks[verdict]} ${name}: ${says}`;

/** The one scenario of `rekindle crash`. `stop`: what broke it off. */
export function createScenarioRecord(
  { fault, recovery }: Pick<CrashOptions, 'fault' | 'recovery'>,
  notes: ScenarioNotes,
  stop: StepRecord | undefined,
): ScenarioRecord {
  const steps = stop === undefined ? [] : [stop];
  const { checks } = notes;
  const reason = stop?.error ?? checks.find(({ verdict }) => verdict !== 'pass')?.says;
  return {
    id: notes.id,
    feature: 'rekindle crash',
    uri: '',
    line: 0,
    name: `${fault}, ${recovery ? 'with recovery' : 'without recovery'}`,
    tags: [`@fault:${fault}`],
    claims: recovery ? ['C2', 'C3', 'L1'] : ['E1'],
    status: deriveStatus({ steps, checks }),
    ...(reason !== undefined && { reason }),
    startedAt: notes.startedAt,
    finishedAt: notes.finishedAt,
    steps,
    checks,
    recoveries: [],
    ...(notes.mountLines && { mountLines: notes.mountLines }),
  };
}

/** Lists the moments of a recovery with their times since the crash. */
function formatPhases(recovery: Recovery): readonly string[] {
  return moments.flatMap((moment) => {
    const at = recovery[moment];
    if (moment === 'crash' || at === undefined) return [];
    return [`${`+${((at - recovery.crash) / 1e6).toFixed(1)} ms`.padStart(12)}  ${momentNames[moment]}`];
  });
}

/** Gives a program time to start. @throws Error if it ends, because nothing would then be read during the crash */
async function untilWarm({ name, exited }: RunningProgram, signal: AbortSignal): Promise<void> {
  const end = await Promise.race([exited, delay(warmUpMs, undefined, { signal })]);
  if (end === undefined) return;
  const reason =
    end.exitCode === 127 || end.exitCode === 126
      ? "the pod has no such program: it sees this machine's programs, with a /tmp of its own"
      : "let it run while the daemon crashes, as in: sh -c 'while :; do cat /data/myfile.txt; sleep 1; done'";
  throw new Error(`"${name}" ended with ${end.signal ?? `status ${end.exitCode}`} before the crash: ${reason}`);
}

/** Watches a program after the recovery, until it prints the expected text, or ends, or its time is over. */
async function judgeProgram(
  pod: ScenarioPod,
  { name, exited }: RunningProgram,
  { expect, watchMs, environment: { signal } }: CrashOptions,
): Promise<CheckRecord> {
  let end: ObservedProgram['end'];
  void exited.then((ended) => {
    end = ended;
  });
  const judge = () =>
    getsItsDataBack(pod.namespace.scenario.timeline, {
      name,
      consumer: pod.consumer,
      ...(expect !== undefined && { expect }),
      ...(end && { end }),
    });
  await pollOrLast({
    read: () => end !== undefined || (expect !== undefined && judge().verdict === 'pass'),
    until: (isOver) => isOver,
    timeoutMs: watchMs,
    intervalMs: 100,
    signal,
  });
  return judge();
}
