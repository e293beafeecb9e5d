import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { colourFor } from '../colour.ts';
import { agentCommand, loadProfile } from '../profiles/load-profile.ts';
import { readHistory } from '../timeline/history.ts';
import { openLineFile } from '../timeline/line-file.ts';
import type { HistoryEvent, ScenarioRecord } from '../timeline/record.ts';
import { countStatuses, explainVerdict, verdictNames } from '../timeline/verdict.ts';
import type { ConformOptions, RunOutcome } from '../verbs.ts';
import { mergeMessages } from './messages.ts';
import { createPrinter } from './printer.ts';
import { conclude, historyFile, makeResults } from './run.ts';
import { listScenarios } from './run-features.ts';
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
    scenarios: selected.scenarios,
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
    events: await mergeHistories(ran.folders, resultsDir),
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

/**
 * Merges the runners' histories, which share a clock, into one file and removes them. The events of each runner stay in their
 * order of arrival, in which checks saw them.
 */
async function mergeHistories(folders: readonly string[], resultsDir: string): Promise<readonly HistoryEvent[]> {
  const parts = folders.map((folder) => join(folder, historyFile));
  const read = await Promise.all(parts.map((part) => readHistory(part).catch(() => undefined)));
  const events = mergeInOrder(read.map((part) => part?.events ?? []));
  const whole = await openLineFile(join(resultsDir, historyFile));
  for (const event of events) whole.line(JSON.stringify(event));
  await whole.close();
  await Promise.all(parts.map((part) => rm(part, { force: true })));
  return events;
}

/** Takes again and again the earliest of the lists' first events. */
function mergeInOrder(lists: readonly (readonly HistoryEvent[])[]): readonly HistoryEvent[] {
  const positions = lists.map(() => 0);
  const timeOf = (list: number): number => lists[list]?.[positions[list] ?? 0]?.at ?? Number.POSITIVE_INFINITY;
  const total = lists.reduce((sum, { length }) => sum + length, 0);
  return Array.from({ length: total }, () => {
    const next = positions.reduce((best, _, list) => (timeOf(list) < timeOf(best) ? list : best), 0);
    const event = lists[next]?.[positions[next] ?? 0] as HistoryEvent;
    positions[next] = (positions[next] ?? 0) + 1;
    return event;
  });
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
