import { basename, join, relative } from 'node:path';
import { bundlePackages } from '../../clusters/bundled-packages.ts';
import { timeoutMultiplier } from '../../clusters/poll.ts';
import { colourFor } from '../colour.ts';
import { featurePath } from '../gherkin.ts';
import { agentSettings, loadProfile } from '../profiles/load-profile.ts';
import type { Profile } from '../profiles/profile.ts';
import { joinHistories } from '../timeline/history.ts';
import type { ScenarioRecord } from '../timeline/record.ts';
import { countStatuses, explainVerdict, verdictNames } from '../timeline/verdict.ts';
import type { ConformOptions, RunOutcome } from '../verbs.ts';
import { mergeMessages } from './messages.ts';
import { createPrinter } from './printer.ts';
import { runAfter, runBefore } from './profile-commands.ts';
import { conclude, historyFile, makeResults } from './run.ts';
import { listScenarios, onAnyNode, planNodes } from './run-features.ts';
import { runAll } from './runners.ts';

/** Speed of the fake kubelet's clock: a back-off of a minute takes less than a second. A slow machine has a slower one. */
const clockScale = 100;

/** Half of the default run waits for what must not happen, in twice as many runners as jobs; the rest works in the others meanwhile. */
const runnersPerJob = 2.5;

/** Runs and judges scenarios between the commands of the profile; writes the results to `<out>/<run id>/`. @throws ProfileMisfit */
export async function conform(options: ConformOptions): Promise<RunOutcome> {
  const { environment } = options;
  const profile = await loadProfile(options.profile, environment.cwd);
  const judgeAfterCommands = async () => {
    await runBefore(profile.commands, environment);
    return runAndJudge(options, profile);
  };
  const outcome = await judgeAfterCommands().catch(async (error: unknown) => {
    for (const failure of await runAfter(profile.commands, environment))
      environment.stderr.write(`rekindle: ${failure}\n`);
    throw error;
  });
  return { ...outcome, leftovers: [...outcome.leftovers, ...(await runAfter(profile.commands, environment))] };
}

async function runAndJudge(options: ConformOptions, profile: Profile): Promise<RunOutcome> {
  const { environment, runId, jobs, seed } = options;
  const { stdout, stderr, env, cwd, signal } = environment;
  const write = (text: string) => void stdout.write(text);
  const paint = colourFor(stdout, env);
  const agent = agentSettings(profile, {
    isInstalled: options.kubernetes !== undefined && 'theirs' in options.kubernetes,
    ...(options.kernelTier && { kernelTier: options.kernelTier }),
  });
  const began = performance.now();
  const onProgress = (line: string) => void stderr.write(`${paint('dim', `… ${line} (${seconds(began)})`)}\n`);
  // Once, instead of in each runner.
  await bundlePackages();
  const selected = await listScenarios({
    paths: options.paths,
    ...(options.tags !== undefined && { tags: options.tags }),
    ...(options.all && { all: true }),
    ofDataset: profile.volume === undefined,
  });
  const results = makeResults(options);
  const { resultsDir, origin } = results;
  onProgress(
    `${formatCount(selected.scenarios.length)}${jobs > 1 ? `, ${jobs} at a time` : ''}; seed ${seed}, results in ${resultsDir}`,
  );

  const scenarios: ScenarioRecord[] = [];
  const print = createPrinter({ write, paint, rerun: (scenario) => rerunCommand(options, scenario) });
  const known = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  using progress = reportSilence(selected.scenarios.length, onProgress);
  const ran = await runAll({
    options: {
      runId,
      cluster: options.cluster,
      ...(options.kubernetes && { kubernetes: options.kubernetes }),
      profile: options.profile,
      agent,
      clockScale: clockScale / timeoutMultiplier(env),
      origin,
      cwd,
      env: known,
      ...(options.daemon && { daemon: options.daemon }),
    },
    folder: resultsDir,
    // The nodes of other clusters are what they are.
    scenarios:
      options.cluster === 'sandbox' ? planNodes(selected.scenarios, options.conditions) : onAnyNode(selected.scenarios),
    jobs,
    // A cluster of Kubernetes takes too much of the machine to be idle.
    mostRunners: options.kubernetes ? jobs : Math.floor(runnersPerJob * jobs),
    onProgress: jobs === 1 || options.kubernetes ? onProgress : () => {},
    onStarted: progress.started,
    onRepeat: (location) =>
      onProgress(`${basename(location)} was too slow while others ran: it is judged again in the end, alone`),
    onFinished(scenario) {
      progress.finished(scenario);
      scenarios.push(scenario);
      print(scenario);
    },
    signal,
  });

  const errors = [...selected.errors, ...ran.errors];
  for (const error of errors) stderr.write(`rekindle: ${error}\n`);
  await mergeMessages(ran.folders, resultsDir, new Set(ran.discarded.keys()));
  const record = await conclude({
    ...results,
    options,
    profile: profile.name,
    command: ['rekindle', 'conform'],
    clusters: ran.clusters,
    // In the order of the feature files; the order of completion is random.
    scenarios: scenarios.toSorted((a, b) => a.uri.localeCompare(b.uri) || a.line - b.line),
    events: await joinHistories(
      ran.folders.map((folder) => join(folder, historyFile)),
      join(resultsDir, historyFile),
      new Map([...ran.discarded].map(([folder, ids]) => [join(folder, historyFile), ids])),
    ),
    leftovers: ran.leftovers,
    errors,
    ...(options.required && { required: options.required }),
  });
  const { verdict } = record;
  const counts = countStatuses(record.scenarios);
  if (signal.aborted && record.scenarios.length < selected.scenarios.length)
    write(`\n${formatNotRun(selected.scenarios, record.scenarios)}\n`);
  const all = [
    `${counts.pass} passed`,
    `${counts.fail} failed`,
    `${counts.inconclusive} inconclusive`,
    `${counts.skipped} skipped`,
  ];
  const colour = { pass: 'green', fail: 'red', inconclusive: 'yellow' } as const;
  write(`\n${formatCount(record.scenarios.length)}: ${all.join(', ')} in ${seconds(began)}\n`);
  if (counts.fail + counts.inconclusive > 1)
    write(`These again: ${['rekindle', 'conform', '--only-failed', ...options.flags].map(quoteWord).join(' ')}\n`);
  write(`${paint(colour[verdict], verdictNames[verdict])}. ${explainVerdict(record)}\n${resultsDir}/report.html\n`);
  return { verdict, leftovers: ran.leftovers, resultsDir };
}

/** Without a verdict for this long, what is going on is printed. */
const silenceMs = 5_000;

/** Prints how far a run is while no scenario finishes. */
function reportSilence(total: number, print: (line: string) => void) {
  const running = new Set<string>();
  let done = 0;
  const timer = setInterval(() => {
    const names = [...running].map((location) => basename(location));
    print(
      `${done} of ${total} done; ${names.length > 0 ? `running: ${names.join(', ')}` : done < total ? 'starting' : 'ending'}`,
    );
  }, silenceMs);
  return {
    started: (location: string) => void running.add(location),
    finished({ uri, line }: ScenarioRecord) {
      done++;
      running.delete(`${uri}:${line}`);
      timer.refresh();
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** The command that runs one scenario again, from the same folder. */
function rerunCommand({ environment, seed, flags }: ConformOptions, { uri, line }: ScenarioRecord): string {
  const path = relative(environment.cwd, featurePath(uri));
  return ['rekindle', 'conform', `${path}:${line}`, '--seed', `${seed}`, ...flags].map(quoteWord).join(' ');
}

const quoteWord = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

const formatCount = (scenarios: number) => `${scenarios} scenario${scenarios === 1 ? '' : 's'}`;

/** Which of the planned scenarios, `FILE:LINE`, an interruption kept from running. */
function formatNotRun(planned: readonly string[], ran: readonly ScenarioRecord[]): string {
  const known = new Set(ran.map(({ uri, line }) => `${uri}:${line}`));
  const missing = planned
    .filter((location) => !known.has(location))
    .toSorted(new Intl.Collator('en', { numeric: true }).compare);
  const files = [...Map.groupBy(missing, (location) => location.replace(/:\d+$/, ''))];
  const lines = files.map(([file, own]) => `  ${file}${own.map((location) => /:\d+$/.exec(location)?.[0]).join('')}`);
  return [`${formatCount(missing.length)} did not run:`, ...lines].join('\n');
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
