import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { recoveries } from '../../reports/phases.ts';
import type { CheckRecord, HistoryEvent, Recovery, ScenarioRecord } from '../../reports/record.ts';
import { crashFaults } from '../faults/catalogue.ts';
import { loadProfile } from '../profiles/load-profile.ts';
import type { CrashOptions, Outcome } from '../verbs.ts';
import { notRecovered, recovered, type Subject, watchMs } from './judgements.ts';
import { createNarrator } from './narrator.ts';
import { clusters, conclude, openRun, verdictOf } from './run.ts';
import type { ScenarioNotes, Session } from './session.ts';
import { Trial } from './trial.ts';

const pod = 'demo-app';
const dataset = 'demo-dataset';
/** How long a program is left alone before the crash, and how long after the recovery it may take to end by itself. */
const programWarmUpMs = 1500;
const programPatienceMs = 10_000;

/** Reproduces one crash in the sandbox and tells it as it happens. */
export async function crash(options: CrashOptions): Promise<Outcome> {
  const { environment, recovery, runId } = options;
  const { stdout, stderr, env, signal } = environment;
  const colourful = stdout.isTTY === true && !env.NO_COLOR;
  const say = (line: string) => void stdout.write(`${line}\n`);
  const heading = (line: string) => say(`\n${colourful ? styleText('bold', line) : line}`);
  const cluster = clusters.get('sandbox');
  const fault = crashFaults.get(options.fault);
  if (!cluster || !fault) throw new Error(`unknown fault ${options.fault}`);
  const profile = await loadProfile('rekindle', environment.cwd);
  const agent = { fuseRecovery: recovery, ...(options.kernelTier && { kernelTier: options.kernelTier }) };

  let crashedAt: number | undefined;
  let isOver = false;
  const narrator = createNarrator({ write: say, crashedAt: () => crashedAt });
  const narrate = (event: HistoryEvent) => {
    if (!isOver) narrator(event);
  };
  await using run = await openRun({
    ...options,
    cluster,
    agent,
    clockScale: 1,
    onProgress: (line) => void stderr.write(`… ${line}\n`),
    onEvent: narrate,
  });
  const { history } = run;
  const notes: ScenarioNotes = { id: 'crash', startedAt: history.now(), finishedAt: 0, checks: [] };
  const leftovers: string[] = [];
  const session: Session = {
    cluster: run.cluster,
    history,
    profile,
    agent,
    signal,
    notes: new Map(),
    leftovers,
    onEvent(event: HistoryEvent) {
      if (event.kind === 'fault') crashedAt ??= event.at;
      history.append(event);
      narrate(event);
    },
  };
  history.enter(notes.id);
  let program: CheckRecord | undefined;
  {
    await using trial = new Trial(session, notes);
    await trial.begin();
    heading(`A pod that reads /data from a FUSE mount, node agent with FuseRecovery=${recovery}`);
    await trial.createDataset(dataset);
    await trial.startApplication(pod, dataset, { labelled: true });
    const consumer = { ...trial.application(pod).target, path: '/data' };
    const subject: Subject = { trial, consumer, volume: `${trial.namespace}-${dataset}` };
    const started = options.command.length > 0 ? await trial.run(pod, options.command) : undefined;
    if (started) await delay(programWarmUpMs, undefined, { signal });
    else await trial.startLoop(pod);

    heading(`Crash: ${fault.title}`);
    await trial.crash(fault, dataset);
    if (recovery) {
      await trial.readsAfterRecovery(pod);
      await trial.claimArrives(pod);
      notes.checks.push(...(await recovered(subject)));
    } else {
      await trial.staysBroken(pod, watchMs);
      notes.checks.push(notRecovered(subject, { claims: ['E1'], scope: 'everything' }));
    }
    await trial.countMounts();
    if (started) {
      program = await judgeProgram(options.command, started.exited, signal);
      notes.checks.push(program);
    }
    if (options.hold) {
      heading('Held until Ctrl-C. To step inside the pod, in another terminal:');
      say(`  ${await run.cluster.stepInside(consumer)}`);
      await delay(2 ** 31 - 1, undefined, { signal }).catch(() => {});
    }
    notes.finishedAt = history.now();
    isOver = true;
  }

  const scenario = scenarioOf(options, notes);
  const verdict = verdictOf([scenario], []);
  conclude({
    run,
    options,
    profile: profile.name,
    command: ['rekindle', 'crash'],
    scenarios: [scenario],
    leftovers,
    verdict,
  });
  heading('What came of it');
  for (const { verdict: found, name, says } of notes.checks) say(`  ${found === 'pass' ? '✔' : '✘'} ${name}: ${says}`);
  for (const line of recoveries(history.events, notes.id).flatMap(phasesOf)) say(`  ${line}`);
  say(`  mount table of node and pod: ${notes.mountLines?.before} lines before, ${notes.mountLines?.after} after`);
  say(`\n${run.resultsDir}/report.html  (run ${runId})`);
  return { verdict, leftovers, resultsDir: run.resultsDir };
}

/** Survived: still running well after the recovery, or ended by itself with status 0. */
async function judgeProgram(
  command: readonly string[],
  exited: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>,
  signal: AbortSignal,
): Promise<CheckRecord> {
  const late = delay(programPatienceMs, undefined, { signal });
  const end = await Promise.race([exited, late]);
  const name = 'the application survives the recovery';
  const what = command.join(' ');
  if (!end)
    return { name, claims: ['L1'], verdict: 'pass', says: `"${what}" still ran ${programPatienceMs / 1000} s later` };
  const how = end.signal ?? `status ${end.exitCode}`;
  return { name, claims: ['L1'], verdict: end.exitCode === 0 ? 'pass' : 'fail', says: `"${what}" ended with ${how}` };
}

function scenarioOf({ fault, recovery }: CrashOptions, notes: ScenarioNotes): ScenarioRecord {
  const bad = notes.checks.find(({ verdict }) => verdict !== 'pass');
  return {
    id: notes.id,
    feature: 'rekindle crash',
    uri: '',
    line: 0,
    name: `${fault}, ${recovery ? 'with recovery' : 'without recovery'}`,
    tags: [`@fault:${fault}`],
    claims: recovery ? ['C2', 'C3', 'L1'] : ['E1'],
    status: bad?.verdict ?? 'pass',
    ...(bad && { reason: bad.says }),
    startedAt: notes.startedAt,
    finishedAt: notes.finishedAt,
    steps: [],
    checks: notes.checks,
    recoveries: [],
    ...(notes.mountLines && { mountLines: notes.mountLines }),
  };
}

/** The phases of a crash as the sentences that people compare. */
function phasesOf({
  crash: from,
  firstError,
  daemonReady,
  replacedOnNode,
  replacedInPod,
  readable,
}: Recovery): readonly string[] {
  const at = (name: string, moment: number | undefined) =>
    moment === undefined ? [] : [`${`+${((moment - from) / 1e6).toFixed(1)} ms`.padStart(12)}  ${name}`];
  return [
    ...at('first error in the pod', firstError),
    ...at('daemon ready', daemonReady),
    ...at('replaced on the node', replacedOnNode),
    ...at('replaced in the pod', replacedInPod),
    ...at('the pod reads again', readable),
  ];
}
