import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { loadProfile } from '../profiles/load-profile.ts';
import { registerSession, type ScenarioNotes } from '../scenario/session.ts';
import { openLineFile } from '../timeline/line-file.ts';
import type { ScenarioRecord } from '../timeline/record.ts';
import { findStop } from '../timeline/verdict.ts';
import { Collector } from './collector.ts';
import { messagesFile } from './messages.ts';
import { clusterFor, openSite } from './run.ts';
import { loadFeatureRunner } from './run-features.ts';
import type { ClusterSummary, FinishedScenario, RunnerOptions } from './runner-protocol.ts';

/** A running cluster and its history, on which scenarios run one after the other. */
export interface Runner extends AsyncDisposable {
  readonly cluster: ClusterSummary;
  /** One line for each thing that could not be cleaned up so far. */
  readonly leftovers: readonly string[];
  run(scenario: string): Promise<FinishedScenario>;
}

export interface RunnerCallbacks {
  readonly onProgress: (line: string) => void;
  /** Only time passes from now on, or no longer. */
  readonly onWait: (waits: boolean) => void;
  readonly signal: AbortSignal;
}

export async function openRunner(
  options: RunnerOptions,
  { onProgress, onWait, signal }: RunnerCallbacks,
): Promise<Runner> {
  const { agent, clockScale, conditions, cwd, daemon, env, folder, origin, runId } = options;
  const cluster = await clusterFor(options);
  const profile = await loadProfile(options.profile, cwd);
  const silent = new PassThrough().resume();
  const environment = { cwd, env, signal, stdout: silent, stderr: silent };
  const site = await openSite({
    runId,
    folder,
    diagnosticsDir: join(dirname(folder), 'diagnostics'),
    origin,
    cluster,
    agent,
    clockScale,
    conditions,
    environment,
    onProgress,
    ...(daemon && { daemon }),
  });
  const { history } = site;
  const notes = new Map<string, ScenarioNotes>();
  const leftovers: string[] = [];
  const onEvent = history.append.bind(history);
  const session = { cluster: site.cluster, history, profile, agent, signal, notes, leftovers, onEvent, onWait };
  const registration = registerSession(folder, session);
  const features = await loadFeatureRunner(folder);
  const messages = await openLineFile(join(folder, messagesFile));
  const { name, fidelity, store } = site.cluster;
  return {
    cluster: { name, fidelity, secret: store.accessKeySecret },
    leftovers,
    async run(scenario) {
      const leftBefore = leftovers.length;
      const collector = new Collector({ notes, now: () => history.now(), isInterrupted: () => signal.aborted });
      await features.run(scenario, (message) => {
        messages.line(JSON.stringify(message));
        collector.take(message);
      });
      const { scenarios, errors } = collector;
      return { scenarios, errors, isStuck: leftovers.length > leftBefore || scenarios.some(endedInError) };
    },
    async [Symbol.asyncDispose]() {
      registration[Symbol.dispose]();
      try {
        await messages.close();
      } finally {
        await site[Symbol.asyncDispose]();
      }
    },
  };
}

/** A step or a clean-up did not end as it should, and neither the implementation nor an interruption was the cause. */
const endedInError = ({ steps }: ScenarioRecord): boolean => findStop(steps)?.cause === 'error';
