import { styleText } from 'node:util';
import { countStatuses, explainVerdict, verdictNames } from '../../reports/verdict.ts';
import { loadProfile } from '../profiles/load-profile.ts';
import type { ConformOptions, Outcome } from '../verbs.ts';
import { Collector } from './collector.ts';
import { createPrinter } from './printer.ts';
import { clusters, conclude, openRun, verdictOf } from './run.ts';
import { runFeatures } from './run-features.ts';
import { registerSession, type ScenarioNotes } from './session.ts';

/** Back-off of a minute in less than a second; the report says so. */
const clockScale = 100;

/** Runs the documented scenarios on a cluster and judges them; results lie in `<out>/<run id>/`. */
export async function conform(options: ConformOptions): Promise<Outcome> {
  const { environment, runId } = options;
  const { stdout, stderr, env } = environment;
  const write = (text: string) => void stdout.write(text);
  const paint = colourfulOn(stdout.isTTY === true, env.NO_COLOR) ? styleText : plain;
  const cluster = clusters.get(options.cluster);
  if (!cluster) throw new Error(`unknown cluster ${options.cluster}`);
  const profile = await loadProfile(options.profile, environment.cwd);
  const agent = {
    fuseRecovery: true,
    readWriteScope: profile.promises.readWriteScope,
    ...(options.kernelTier && { kernelTier: options.kernelTier }),
    ...(profile.agent?.command && { command: profile.agent.command }),
  };

  const leftovers: string[] = [];
  const began = performance.now();
  const onProgress = (line: string) => void stderr.write(`${paint('dim', `… ${line} (${seconds(began)})`)}\n`);
  await using run = await openRun({ ...options, cluster, agent, clockScale, onProgress });
  onProgress(`${cluster.name} is up; seed ${options.seed}, results in ${run.resultsDir}`);
  const notes = new Map<string, ScenarioNotes>();
  const { history } = run;
  using _session = registerSession(runId, {
    cluster: run.cluster,
    history,
    profile,
    agent,
    signal: environment.signal,
    notes,
    leftovers,
    onEvent: (event) => history.append(event),
  });
  const collector = new Collector({
    notes,
    listener: createPrinter({ write, paint }),
    now: () => history.now(),
    isInterrupted: () => environment.signal.aborted,
  });
  await runFeatures({
    paths: options.paths,
    ...(options.tags !== undefined && { tags: options.tags }),
    session: runId,
    onMessage: (message) => collector.take(message),
  });

  for (const error of collector.errors) stderr.write(`rekindle: ${error}\n`);
  const verdict = verdictOf(collector.scenarios, collector.errors);
  const command = ['rekindle', 'conform'];
  const record = await conclude({
    run,
    options,
    profile: profile.name,
    command,
    scenarios: collector.scenarios,
    leftovers,
    verdict,
  });
  const counts = countStatuses(record.scenarios);
  const all = Object.entries(counts).map(
    ([status, count]) => `${count} ${status === 'pass' ? 'passed' : status === 'fail' ? 'failed' : status}`,
  );
  const colour = { pass: 'green', fail: 'red', inconclusive: 'yellow' } as const;
  write(`\n${record.scenarios.length} scenarios: ${all.join(', ')} in ${seconds(began)}\n`);
  write(
    `${paint(colour[record.verdict], verdictNames[record.verdict])}. ${explainVerdict(record)}\n${run.resultsDir}/report.html\n`,
  );
  return { verdict: record.verdict, leftovers, resultsDir: run.resultsDir };
}

const plain = (_format: unknown, text: string): string => text;

function colourfulOn(terminal: boolean, noColor: string | undefined): boolean {
  return terminal && !noColor;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
