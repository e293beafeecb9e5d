import { setTimeout as delay } from 'node:timers/promises';
import { isNotRecovered } from '../checks/untouched.ts';
import { colourFor } from '../colour.ts';
import { faultNamed } from '../faults/catalogue.ts';
import { loadProfile } from '../profiles/load-profile.ts';
import { startLoop } from '../scenario/documented-loop.ts';
import type { Pod } from '../scenario/pod.ts';
import {
  recoveryChecks,
  untilPodFails,
  untilPodRecovers,
  untilRecoveryIsClaimed,
  watchUnrecovered,
} from '../scenario/pod-reads.ts';
import { survives } from '../scenario/program-survives.ts';
import { Scenario } from '../scenario/scenario.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import type { CrashOptions, Outcome } from '../verbs.ts';
import { phasesOf, scenarioOf } from './crash-record.ts';
import { createNarrator } from './narrator.ts';
import { clusterFor, conclude, type OpenRun, openRun, siteFacts } from './run.ts';
import type { ScenarioNotes, Session } from './session.ts';

/** How long a program is left alone before the crash. */
const warmUpMs = 1500;

/** Reproduces one crash in the sandbox and tells it as it happens. */
export async function crash(options: CrashOptions): Promise<Outcome> {
  const { environment, recovery } = options;
  const { stdout, stderr, env, signal } = environment;
  const paint = colourFor(stdout, env);
  const say = (line: string) => void stdout.write(`${line}\n`);
  const heading = (line: string) => say(`\n${paint('bold', line)}`);
  const cluster = await clusterFor({ cluster: 'sandbox' });
  const fault = faultNamed(options.fault);
  if (!fault) throw new Error(`unknown fault ${options.fault}`);
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
  await using scenario = new Scenario(session, notes);
  await scenario.begin();
  const pod = scenario.namespace.pod('demo-app');
  const dataset = scenario.namespace.dataset('demo-dataset');

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
  if (program) notes.checks.push(await survives(options.command, program.exited, signal));
  notes.finishedAt = history.now();
  isOver = true;

  const scenarioRecord = scenarioOf(options, notes);
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
  for (const line of conclusionOf(run, notes)) say(`  ${line}`);
  say(`\n${run.resultsDir}/report.html  (run ${options.runId})`);
  if (options.hold) {
    heading('Held until Ctrl-C. To step inside the pod, in another terminal:');
    say(`  ${await run.cluster.stepInside(pod.container)}`);
    await delay(2 ** 31 - 1, undefined, { signal }).catch(() => {});
  }
  return { verdict: record.verdict, leftovers, resultsDir: run.resultsDir };
}

async function judgeRecovery(pod: Pod): Promise<readonly CheckRecord[]> {
  await untilPodRecovers(pod);
  await untilRecoveryIsClaimed(pod);
  return recoveryChecks(pod);
}

async function judgeUnrecovered(pod: Pod): Promise<readonly CheckRecord[]> {
  await watchUnrecovered(pod);
  const { consumer, dataset, namespace } = pod;
  const { timeline, session } = namespace.scenario;
  const expected = { claims: ['E1'], scope: 'everything', watchMs: session.cluster.watchMs } as const;
  return [isNotRecovered(timeline, { consumer, volume: dataset.volume, ...expected })];
}

function conclusionOf({ history }: OpenRun, { id, checks, mountLines }: ScenarioNotes): readonly string[] {
  return [
    ...checks.map(({ verdict, name, says }) => `${verdict === 'pass' ? '✔' : '✘'} ${name}: ${says}`),
    ...Timeline.ofScenario(history.events, id).recoveries.flatMap(phasesOf),
    `mount table of node and pod: ${mountLines?.before} lines before, ${mountLines?.after} after`,
  ];
}
