import { join } from 'node:path';
import { colourFor } from '../colour.ts';
import { agentCommand, loadProfile } from '../profiles/load-profile.ts';
import { joinHistories } from '../timeline/history.ts';
import type { ScenarioRecord } from '../timeline/record.ts';
import { countStatuses, explainVerdict, verdictNames } from '../timeline/verdict.ts';
import type { ConformOptions, RunOutcome } from '../verbs.ts';
import { mergeMessages } from './messages.ts';
import { createPrinter } from './printer.ts';
import { conclude, historyFile, makeResults } from './run.ts';
import { listScenarios, onAnyNode, planNodes } from './run-features.ts';
import { runAll } from './runners.ts';

/** Speed of the fake kubelet's clock: a back-off of a minute takes less than a second. */
const clockScale = 100;

/** A scenario that watches for what must not happen waits much longer than it works. */
const runnersPerJob = 2;

/** Runs and judges scenarios; writes the results to `<out>/<run id>/`. */
export async function conform(options: ConformOptions): Promise<RunOutcome> {
  const { environment, runId, jobs, seed } = options;
  const { stdout, stderr, env, cwd, signal } = environment;
  const write = (text: string) => void stdout.write(text);
  const paint = colourFor(stdout, env);
  const profile = await loadProfile(options.profile, cwd);
  const command = agentCommand(profile);
  const isForeign = command !== undefined || (options.kubernetes && 'theirs' in options.kubernetes);
  const agent = {
    fuseRecovery: true,
    ...(!isForeign && { readWriteScope: profile.promises.readWriteScope }),
    ...(options.kernelTier && { kernelTier: options.kernelTier }),
    ...(command && { command }),
  };
  const began = performance.now();
  const onProgress = (line: string) => void stderr.write(`${paint('dim', `… ${line} (${seconds(began)})`)}\n`);
  const selected = await listScenarios({
    paths: options.paths,
    ...(options.tags !== undefined && { tags: options.tags }),
    ...(options.all && { all: true }),
  });
  const results = makeResults(options);
  const { resultsDir, origin } = results;
  onProgress(`${selected.scenarios.length} scenarios, ${jobs} at a time; seed ${seed}, results in ${resultsDir}`);

  const scenarios: ScenarioRecord[] = [];
  const print = createPrinter({ write, paint });
  const known = Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const ran = await runAll({
    options: {
      runId,
      cluster: options.cluster,
      ...(options.kubernetes && { kubernetes: options.kubernetes }),
      profile: options.profile,
      agent,
      clockScale,
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
    // On Kubernetes all scenarios share one cluster.
    mostRunners: options.kubernetes ? 1 : runnersPerJob * jobs,
    onProgress: jobs === 1 ? onProgress : () => {},
    onFinished(scenario) {
      scenarios.push(scenario);
      print(scenario);
    },
    signal,
  });

  const errors = [...selected.errors, ...ran.errors];
  for (const error of errors) stderr.write(`rekindle: ${error}\n`);
  await mergeMessages(ran.folders, resultsDir);
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
    ),
    leftovers: ran.leftovers,
    errors,
  });
  const { verdict } = record;
  const counts = countStatuses(record.scenarios);
  const all = [
    `${counts.pass} passed`,
    `${counts.fail} failed`,
    `${counts.inconclusive} inconclusive`,
    `${counts.skipped} skipped`,
  ];
  const colour = { pass: 'green', fail: 'red', inconclusive: 'yellow' } as const;
  write(`\n${record.scenarios.length} scenarios: ${all.join(', ')} in ${seconds(began)}\n`);
  write(`${paint(colour[verdict], verdictNames[verdict])}. ${explainVerdict(record)}\n${resultsDir}/report.html\n`);
  return { verdict, leftovers: ran.leftovers, resultsDir };
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
