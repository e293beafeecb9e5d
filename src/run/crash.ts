import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../clusters/cluster.ts';
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
import { createNarrator } from './narrator.ts';
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
  const heading = (line: string) => print(`\n${paint('bold', line)}`);
  const cluster = await loadCluster();
  const fault = faultNamed(options.fault);
  if (!fault) throw new Error(`unknown fault ${options.fault}`);
  const profile = await loadProfile('rekindle', environment.cwd);
  const agent = { fuseRecovery: recovery, ...(options.kernelTier && { kernelTier: options.kernelTier }) };

  let crashedAt: number | undefined;
  let isOver = false;
  const narrator = createNarrator({ write: print, crashedAt: () => crashedAt });
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

  let stop: StepRecord | undefined;
  try {
    heading(`A pod that reads /data from a FUSE mount, node agent with FuseRecovery=${recovery}`);
    await dataset.create();
    await pod.start(dataset, { labelled: true });
    const program = options.command.length > 0 ? await pod.run(options.command) : undefined;
    if (program) await delay(warmUpMs, undefined, { signal });
    else await startLoop(pod);

    heading(`Crash: ${fault.title}`);
    await dataset.daemon.inject(fault);
    await untilPodFails(pod);
    await scenario.faults.heal();
    notes.checks.push(...(await (recovery ? judgeRecovery(pod) : judgeUnrecovered(pod))));
    await scenario.namespace.countMounts();
    if (program) notes.checks.push(await judgeSurvival(options.command, program.exited, signal));
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
  notes.finishedAt = history.now();
  isOver = true;

  const scenarioRecord = createScenarioRecord(options, notes, stop);
  const command = ['rekindle', 'crash'];
  const record = await conclude({
    ...(await siteFacts(run)),
    options,
    profile: profile.name,
    command,
    scenarios: [scenarioRecord],
    leftovers,
    errors: [],
  });
  heading('What came of it');
  for (const line of conclusionOf(run, notes)) print(`  ${line}`);
  print(`\n${run.resultsDir}/report.html  (run ${options.runId})`);
  if (options.hold) {
    heading('Held until Ctrl-C. To step inside the pod, in another terminal:');
    print(`  ${await run.cluster.stepInside(pod.container)}`);
    await delay(2 ** 31 - 1, undefined, { signal }).catch(() => {});
  }
  return { verdict: record.verdict, leftovers, resultsDir: run.resultsDir };
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

function conclusionOf({ history }: OpenRun, { id, checks, mountLines }: ScenarioNotes): readonly string[] {
  return [
    ...checks.map(({ verdict, name, says }) => `${verdict === 'pass' ? '✔' : '✘'} ${name}: ${says}`),
    ...Timeline.ofScenario(history.events, id).recoveries.flatMap(formatPhases),
    `mount table of node and pod: ${mountLines?.before} lines before, ${mountLines?.after} after`,
  ];
}

/** The one scenario of `rekindle crash`. `stop`: what broke it off. */
function createScenarioRecord(
  { fault, recovery }: CrashOptions,
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

/** How long a program is watched after the recovery. */
const survivalMs = 10_000;

/** A program survives if it still runs well after the recovery, or ended by itself with status 0. */
async function judgeSurvival(
  command: readonly string[],
  exited: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>,
  signal: AbortSignal,
): Promise<CheckRecord> {
  const timeout = delay(survivalMs, undefined, { signal });
  const end = await Promise.race([exited, timeout]);
  const name = 'the application survives the recovery';
  const program = command.join(' ');
  if (!end)
    return { name, claims: ['L1'], verdict: 'pass', says: `"${program}" still ran ${survivalMs / 1000} s later` };
  const ending = end.signal ?? `status ${end.exitCode}`;
  return {
    name,
    claims: ['L1'],
    verdict: end.exitCode === 0 ? 'pass' : 'fail',
    says: `"${program}" ended with ${ending}`,
  };
}
